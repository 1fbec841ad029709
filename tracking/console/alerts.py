"""The alerts page: open alerts, resolved ones, rules and channels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracking.console.access import page, show
from tracking.models import Alert, AlertChannel, AlertRule, Notification
from tracking.models.access.scope import Scope
from tracking.models.alerts.alert import AlertQuerySet
from tracking.presentation.pill import state_of_channel
from tracking.presentation.row_id import row_id

#: Resolved alerts on one page, and the maximum of open alerts shown.
PER_PAGE, MAX_OPEN = 10, 200


class SilenceForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        coerce=int,
        choices=(
            (1, gettext_lazy("an hour")),
            (4, gettext_lazy("4 hours")),
            (24, gettext_lazy("a day")),
            (168, gettext_lazy("a week")),
        ),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


@page("view_alert")
def alerts(request: HttpRequest, scope: Scope) -> HttpResponse:
    return show_alerts(request, scope)


@page("change_alert", methods=("POST",))
def silence(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    """Mute the alert for the hours of the form: it sends no notifications."""
    alert = find(scope, pk)
    form = SilenceForm(request.POST, auto_id=f"id_{pk}_%s")
    if not form.is_valid():
        return show_alerts(request, scope, refused={pk: form})
    until = timezone.now() + timedelta(hours=form.cleaned_data["hours"])
    alert.silence(until=until, reason=form.cleaned_data["reason"], by=request.user.get_username())
    messages.success(request, _("The alert is muted."))
    return redirect("hitstream-console:alerts")


@page("change_alert", methods=("POST",))
def end_silence(request: HttpRequest, scope: Scope, pk: int) -> HttpResponse:
    find(scope, pk).end_silence()
    messages.success(request, _("The alert is unmuted."))
    return redirect("hitstream-console:alerts")


def find(scope: Scope, pk: int) -> Alert:
    """Return the open alert within the scope. Raises Http404."""
    return get_object_or_404(scope.limit(Alert.objects.open()), pk=pk)


def show_alerts(
    request: HttpRequest, scope: Scope, *, refused: dict[int, SilenceForm] | None = None
) -> HttpResponse:
    alerts = scope.limit(Alert.objects.select_related("rule", "token", "integration__token"))
    over = alerts.over()
    before = row_id(request.GET.get("before", ""))
    if before is not None:
        over = over.filter(pk__lt=before)
    resolved = list(over[: PER_PAGE + 1])
    context: dict[str, Any] = {
        "open": [(alert, form_of(alert, refused or {})) for alert in loudest(alerts.open())],
        "resolved": resolved[:PER_PAGE],
        "next": resolved[PER_PAGE - 1].pk if len(resolved) > PER_PAGE else None,
        "is_first": before is None,
        "rules": rules(scope),
        "sees_all": scope.is_all,
        "channels": channels() if request.user.has_perm("hitstream.view_alertchannel") else None,
    }
    return show(request, "alerts", title=_("Alerts"), here="alerts", **context)


def loudest(alerts: AlertQuerySet) -> list[Alert]:
    """Return the alerts, muted ones last, the latest first."""
    return sorted(alerts[:MAX_OPEN], key=lambda alert: alert.is_silent)


def form_of(alert: Alert, refused: dict[int, SilenceForm]) -> SilenceForm:
    return refused.get(alert.pk) or SilenceForm(auto_id=f"id_{alert.pk}_%s")


def rules(scope: Scope) -> QuerySet[AlertRule]:
    seen = AlertRule.objects.seen(scope).select_related("token", "integration__token")
    return seen.prefetch_related("channels")


def channels() -> list[dict[str, Any]]:
    """Return each channel with its state, and how many notifications wait for it or were given
    up."""
    unsent = Notification.objects.filter(sent_at=None)
    return [
        {
            "channel": channel,
            "state": state_of_channel(channel),
            "waiting": unsent.filter(channel=channel).exclude(next_at=None)[:100].count(),
            "given_up": unsent.filter(channel=channel, next_at=None)[:100].count(),
        }
        for channel in AlertChannel.objects.all()
    ]
