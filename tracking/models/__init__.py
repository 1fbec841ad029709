from tracking.models.alerts.alert import Alert
from tracking.models.alerts.channel import AlertChannel
from tracking.models.alerts.notification import Notification
from tracking.models.alerts.rule import AlertRule
from tracking.models.analytics.late_arrivals import LateArrival
from tracking.models.analytics.rollup import Rollup, Visitor
from tracking.models.analytics.watermark import Watermark
from tracking.models.deliveries.attempt import Attempt
from tracking.models.deliveries.dead_letter import DeadLetter
from tracking.models.deliveries.delivery import Delivery
from tracking.models.deliveries.lease import EngineRun, Lease
from tracking.models.deliveries.outcome import Outcome
from tracking.models.deliveries.queue import QueuedDelivery
from tracking.models.deliveries.wakeup import Wakeup
from tracking.models.hits.duplicate import Duplicate
from tracking.models.hits.file_import import FileImport
from tracking.models.hits.hit import Hit, HitKey
from tracking.models.hits.refused_request import RefusedRequest
from tracking.models.integrations.integration import Integration
from tracking.models.ledger.ledger import Ledger, Tally
from tracking.models.ledger.totals import LifetimeTotal
from tracking.models.operations.operation import Operation
from tracking.models.tokens.revision import Revision
from tracking.models.tokens.token import Token
from tracking.models.upkeep.heartbeat import Heartbeat
from tracking.models.upkeep.node_spool import NodeSpool

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertRule",
    "Attempt",
    "DeadLetter",
    "Delivery",
    "Duplicate",
    "EngineRun",
    "FileImport",
    "Heartbeat",
    "Hit",
    "HitKey",
    "Integration",
    "LateArrival",
    "Lease",
    "Ledger",
    "LifetimeTotal",
    "NodeSpool",
    "Notification",
    "Operation",
    "Outcome",
    "QueuedDelivery",
    "RefusedRequest",
    "Revision",
    "Rollup",
    "Tally",
    "Token",
    "Visitor",
    "Wakeup",
    "Watermark",
]
