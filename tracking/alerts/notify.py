"""What is open or over is told, one message a channel and round.

Each message is claimed, sent, and then done: a process that dies in between leaves it to be told
again, and nothing else is ever told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tracking.alerts.channels.registry import open_channel
from tracking.alerts.message import compose, test_message
from tracking.destinations.contract.connection_test import ConnectionResult
from tracking.exceptions import DeliveryError, blame
from tracking.models import AlertChannel, Notification

logger = logging.getLogger(__name__)


def notify() -> None:
    """Every enabled channel is told what it should be, or will be later."""
    Notification.objects.enqueue()
    waiting = Notification.objects.due().order_by("channel").values_list("channel", flat=True)
    for channel in AlertChannel.objects.filter(pk__in=waiting.distinct()):
        notices = Notification.objects.claim(channel)
        if notices:
            notify_channel(channel, notices)


def notify_channel(channel: AlertChannel, notices: Sequence[Notification]) -> None:
    """The claimed notices are told and done, or put off with the reason."""
    try:
        open_channel(channel).send(compose(notices))
    except Exception as error:
        said = str(error) if isinstance(error, DeliveryError) else blame(error)
        until = channel.failed(said)
        Notification.objects.put_off(notices, error=said, until=until)
        logger.error("The alert channel %s cannot be told: %s", channel, said)
    else:
        Notification.objects.done(notices)
        channel.took()


def send_test_message(channel: AlertChannel) -> ConnectionResult:
    """A test message is sent; what came back."""
    try:
        said = open_channel(channel).send(test_message())
    except DeliveryError as error:
        exchange = error.exchange.said if error.exchange else None
        return ConnectionResult(False, str(error), exchange)
    except Exception as error:
        return ConnectionResult(False, blame(error))
    channel.took()
    return ConnectionResult(True, said)
