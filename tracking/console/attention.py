"""What needs somebody's attention: integrations that fail or are paused, dead letters, alerts,
refused requests, data past its retention, and a disk that fills up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracking.console.integration_row import IntegrationRow
from tracking.models import Alert
from tracking.models.access.scope import Scope
from tracking.models.alerts.rule import AlertKind
from tracking.models.ledger.ingest_stats import IngestCounts
from tracking.models.upkeep.disk import Disk
from tracking.presentation.admin_site import admin_url
from tracking.presentation.pill import failure_of, pause_of

#: The maximum of open alerts; the alerts page has the others.
ALERTS = 5
#: Days that the disk may still last, and its free share, below which it is an item.
DISK_DAYS, DISK_SHARE = 30, 0.15
#: Alerts whose condition is an item itself.
SHOWN_ANYWAY = (AlertKind.PAUSED, AlertKind.DEAD, AlertKind.DISK)


@dataclass(frozen=True, slots=True)
class Item:
    """`colour` is that of a pill; the button leads to `url`, if there is one."""

    colour: str
    subject: str
    text: str
    url: str = ""
    button: str = ""


def attention(
    request: HttpRequest,
    scope: Scope,
    *,
    rows: Iterable[IntegrationRow],
    refused: IngestCounts,
    held: tuple[date, str] | None,
    disk: Disk | None,
) -> list[Item]:
    """Return what needs attention, the most urgent first."""
    rows = list(rows)
    return [
        *troubled(rows),
        *dead_letters(request, rows),
        *alerts(request, scope, [each.integration.pk for each in rows if is_troubled(each)]),
        *refusals(refused, may_see=request.user.has_perm("hitstream.view_hit")),
        *storage(held, disk),
    ]


def is_troubled(row: IntegrationRow) -> bool:
    """Return whether the integration's own state is an item."""
    integration = row.integration
    is_on = integration.enabled or integration.draining
    return is_on and bool(integration.paused_at or integration.is_failing)


def troubled(rows: Iterable[IntegrationRow]) -> Iterator[Item]:
    for row in filter(is_troubled, rows):
        integration = row.integration
        url = reverse("hitstream-console:integration", args=[integration.pk])
        if integration.paused_at:
            state, why = pause_of(integration), integration.paused_reason
            yield Item("paused", integration.name, f"{state}. {why}", url, _("Open"))
        else:
            state, why = failure_of(integration), integration.failure_shown
            yield Item("bad", integration.name, f"{state}. {why}", url, _("Open"))


def dead_letters(request: HttpRequest, rows: Iterable[IntegrationRow]) -> Iterator[Item]:
    may_replay = request.user.has_perm("hitstream.change_deadletter")
    for row in rows:
        dead = row.balance["dead"]
        if not dead:
            continue
        text = ngettext(
            "%(number)s hit could not be delivered. Replay it after fixing the cause.",
            "%(number)s hits could not be delivered. Replay them after fixing the cause.",
            dead,
        ) % {"number": intcomma(dead)}
        pk = row.integration.pk
        if may_replay:
            replay = admin_url("hitstream_integration_replay", pk)
            url, button = f"{replay}?{urlencode({'next': request.path})}", _("Replay")
        else:
            url, button = reverse("hitstream-console:integration", args=[pk]), _("Open")
        yield Item("bad", row.integration.name, text, url, button)


def alerts(request: HttpRequest, scope: Scope, shown: Collection[int]) -> Iterator[Item]:
    """Yield the open alerts but for failing deliveries of the integrations that are `shown`."""
    if not request.user.has_perm("hitstream.view_alert"):
        return
    url = reverse("hitstream-console:alerts")
    said = Q(rule__kind__in=SHOWN_ANYWAY) | Q(rule__kind=AlertKind.RATE, integration__in=shown)
    found = scope.limit(Alert.objects.open().exclude(said))
    for alert in found.select_related("rule")[:ALERTS]:
        subject = str(alert.rule.get_kind_display())
        if alert.fine_since:
            text = _("No longer so. Before: %(message)s") % {"message": alert.message}
            yield Item("off", subject, text, url, _("Open"))
        else:
            yield Item("bad", subject, alert.message, url, _("Open"))


def refusals(refused: IngestCounts, *, may_see: bool) -> Iterator[Item]:
    if refused.refused:
        reasons = sorted(refused.reasons.items(), key=lambda each: -each[1])
        codes = ", ".join(f"`{code}` {intcomma(count)}" for code, count in reasons[:3])
        text = ngettext(
            "%(number)s request was refused: %(codes)s.",
            "%(number)s requests were refused: %(codes)s.",
            refused.refused,
        ) % {"number": intcomma(refused.refused), "codes": codes}
        url = reverse("hitstream-console:refused") if may_see else ""
        yield Item("paused", _("Refused requests"), text, url, _("See samples"))


def storage(held: tuple[date, str] | None, disk: Disk | None) -> Iterator[Item]:
    url = reverse("hitstream-console:self-test")
    if held:
        text = _("The data of %(day)s is past its retention and is still kept: %(reason)s.")
        yield Item("paused", _("Retention"), text % {"day": held[0], "reason": held[1]})
    if disk is not None and is_short(disk):
        yield Item("bad", _("Disk"), f"{disk}.", url, _("Open"))


def is_short(disk: Disk) -> bool:
    days, share = disk.days_left, disk.free_share
    return (days is not None and days < DISK_DAYS) or (share is not None and share < DISK_SHARE)
