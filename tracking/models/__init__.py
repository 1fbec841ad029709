from tracking.models.attempt import Attempt
from tracking.models.delivery import DeadLetter, Delivery, Outcome, Owed
from tracking.models.hit import Hit, HitKey
from tracking.models.integration import Integration
from tracking.models.token import Revision, Token

__all__ = [
    "Attempt",
    "DeadLetter",
    "Delivery",
    "Hit",
    "HitKey",
    "Integration",
    "Outcome",
    "Owed",
    "Revision",
    "Token",
]
