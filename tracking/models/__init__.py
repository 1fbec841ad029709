from tracking.models.alert import Alert
from tracking.models.alertchannel import AlertChannel
from tracking.models.alertrule import AlertRule
from tracking.models.attempt import Attempt
from tracking.models.bell import Bell
from tracking.models.deadletter import DeadLetter
from tracking.models.delivery import Delivery
from tracking.models.hit import Hit, HitKey
from tracking.models.imported import Import
from tracking.models.integration import Integration
from tracking.models.late import Late
from tracking.models.ledger import Ledger, Tally
from tracking.models.notice import Notice
from tracking.models.operation import Operation
from tracking.models.outcome import Outcome
from tracking.models.owed import Owed
from tracking.models.pulse import Pulse
from tracking.models.repeat import Repeat
from tracking.models.revision import Revision
from tracking.models.rollup import Rollup, Visitor
from tracking.models.token import Token
from tracking.models.total import Total
from tracking.models.watermark import Watermark

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertRule",
    "Attempt",
    "Bell",
    "DeadLetter",
    "Delivery",
    "Hit",
    "HitKey",
    "Import",
    "Integration",
    "Late",
    "Ledger",
    "Notice",
    "Operation",
    "Outcome",
    "Owed",
    "Pulse",
    "Repeat",
    "Revision",
    "Rollup",
    "Tally",
    "Token",
    "Total",
    "Visitor",
    "Watermark",
]
