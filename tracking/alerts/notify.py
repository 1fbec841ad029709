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
        notifications = Notification.objects.claim(channel)
        if notifications:
            notify_channel(channel, notifications)


def notify_channel(channel: AlertChannel, notifications: Sequence[Notification]) -> None:
    """Send the claimed notifications and mark them, or schedule them again with the reason."""
    try:
        open_channel(channel).send(compose(notifications))
    except Exception as error:
        reason = str(error) if isinstance(error, DeliveryError) else blame(error)
        until = channel.failed(reason)
        Notification.objects.put_off(notifications, error=reason, until=until)
        logger.error("The alert channel %s failed: %s", channel, reason)
    else:
        Notification.objects.done(notifications)
        channel.took()


def send_test_message(channel: AlertChannel) -> ConnectionResult:
    """Send a test message. Returns the answer."""
    try:
        answer = open_channel(channel).send(test_message())
    except DeliveryError as error:
        return ConnectionResult(False, str(error), error.exchange)
    except Exception as error:
        return ConnectionResult(False, blame(error))
    channel.took()
    return ConnectionResult(True, answer)
