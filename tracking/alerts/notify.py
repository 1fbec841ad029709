"""What is open or over is told, one message a channel and round.

Each message is claimed, sent, and then done: a process that dies in between leaves it to be told
again, and nothing else is ever told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tracking.alerts.channels.registry import open_channel
from tracking.alerts.message import a_test, compose
from tracking.destinations.contract.connection_test import Verdict
from tracking.exceptions import DeliveryError, blame
from tracking.models import AlertChannel, Notice

logger = logging.getLogger(__name__)


def tell() -> None:
    """Every enabled channel is told what it should be, or will be later."""
    Notice.objects.owe()
    waiting = Notice.objects.due().order_by("channel").values_list("channel", flat=True)
    for channel in AlertChannel.objects.filter(pk__in=waiting.distinct()):
        notices = Notice.objects.claim(channel)
        if notices:
            tell_channel(channel, notices)


def tell_channel(channel: AlertChannel, notices: Sequence[Notice]) -> None:
    """The claimed notices are told and done, or put off with the reason."""
    try:
        open_channel(channel).send(compose(notices))
    except Exception as error:
        said = str(error) if isinstance(error, DeliveryError) else blame(error)
        until = channel.failed(said)
        Notice.objects.put_off(notices, error=said, until=until)
        logger.error("The alert channel %s cannot be told: %s", channel, said)
    else:
        Notice.objects.done(notices)
        channel.took()


def try_out(channel: AlertChannel) -> Verdict:
    """A test message is sent; what came back."""
    try:
        said = open_channel(channel).send(a_test())
    except DeliveryError as error:
        exchange = error.exchange.said if error.exchange else None
        return Verdict(False, str(error), exchange)
    except Exception as error:
        return Verdict(False, blame(error))
    channel.took()
    return Verdict(True, said)
