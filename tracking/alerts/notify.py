"""Sends pending notifications: one message for each channel and round.

A message is claimed, sent, and then marked. A process that dies in between leaves the message to be
sent again; nothing else is ever sent twice.
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
    """Send each enabled channel its pending notifications, or schedule them again."""
    Notification.objects.enqueue()
    waiting = Notification.objects.due().order_by("channel").values_list("channel", flat=True)
    for channel in AlertChannel.objects.filter(pk__in=waiting.distinct()):
        notices = Notification.objects.claim(channel)
        if notices:
            notify_channel(channel, notices)


def notify_channel(channel: AlertChannel, notices: Sequence[Notification]) -> None:
    """Send the claimed notifications and mark them, or schedule them again with the reason."""
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
    """Send a test message. Returns the answer."""
    try:
        said = open_channel(channel).send(test_message())
    except DeliveryError as error:
        exchange = error.exchange.said if error.exchange else None
        return ConnectionResult(False, str(error), exchange)
    except Exception as error:
        return ConnectionResult(False, blame(error))
    channel.took()
    return ConnectionResult(True, said)
