"""The actions on an integration's page: each says what it will do, and does it when confirmed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tracking.admin.action_forms import (
    BackfillFilters,
    MatchFilters,
    PauseForm,
    RateForm,
    ReplayFilters,
    ResumeForm,
)
from tracking.admin.confirm import ConfirmView, Obstacle
from tracking.models import Operation
from tracking.models.deliveries.criteria import Criteria
from tracking.models.operations import backlog
from tracking.models.operations.backfill import Backfill
from tracking.models.operations.base import BatchOperation
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.delete import delete_integration
from tracking.models.operations.preview import Preview
from tracking.models.operations.replay import Replay
from tracking.models.operations.resume import resume
from tracking.presentation.admin_site import admin_url
from tracking.wakeup import wake_dispatcher_on_commit


class BacklogView(ConfirmView):
    """An action on an integration whose preview is its queued hits."""

    def preview(self, filters: dict[str, Any]) -> Preview:
        return backlog.preview(self.object)

    def done(self, message: str) -> HttpResponse:
        """Log the change, and return to the integration."""
        self.site.log_change(self.request, self.object, message)
        return redirect(admin_url("hitstream_integration_change", self.object.pk))


class PauseView(BacklogView):
    title = _("Pause the integration")
    explanation = _("New hits are still queued; nothing is sent until the integration is resumed.")
    counted = _("Hits held back so far")
    form_class = PauseForm

    def act(self, options: dict[str, Any]) -> HttpResponse:
        self.object.pause(reason=options["reason"], by=self.by)
        return self.done(f"Paused: {options['reason']}")


class ResumeView(BacklogView):
    title = _("Resume the integration")
    explanation = _("Every hit that was held back is sent now.")
    counted = _("Hits to send")
    form_class = ResumeForm

    def act(self, options: dict[str, Any]) -> HttpResponse:
        resume(self.object, by=self.by, rate_limit=options["rate_limit"])
        wake_dispatcher_on_commit()
        return self.done("Resumed.")


class RetryNowView(BacklogView):
    title = _("Retry now")
    explanation = _(
        "Deliveries that wait for their next attempt are due now. It counts like any other attempt."
    )
    counted = _("Deliveries to retry")
    nothing = _("No delivery that matches waits for a retry.")
    filters_class = MatchFilters

    def obstacle(self, preview: Preview | None) -> Obstacle | None:
        waiting = backlog.backlog(self.object).queued if self.object.paused_at else 0
        if not waiting:
            return super().obstacle(preview)
        text = ngettext(
            "The integration is paused: resuming it sends the %(count)s delivery that waits.",
            "The integration is paused: resuming it sends the %(count)s deliveries that wait.",
            waiting,
        ) % {"count": f"{waiting:,}"}
        back = f"?{urlencode({'next': self.next_url})}" if self.next_url else ""
        url = admin_url("hitstream_integration_resume", self.object.pk) + back
        return Obstacle(text, url, _("Resume"))

    def preview(self, filters: dict[str, Any]) -> Preview:
        return backlog.preview_retries(self.object, Criteria(**filters))

    def act(self, options: dict[str, Any]) -> HttpResponse:
        criteria = Criteria(**options)
        count = backlog.retry_now(self.object, criteria)
        wake_dispatcher_on_commit()
        text = ngettext("%(count)s retry is due now.", "%(count)s retries are due now.", count)
        messages.success(self.request, text % {"count": f"{count:,}"})
        return self.done(f"{count:,} retries made due. {criteria}".strip())


class DrainView(BacklogView):
    title = _("Drain the integration")
    explanation = _(
        "New hits are not queued; queued hits are still sent. To end this, enable the "
        "integration again."
    )
    counted = _("Hits still to be sent")

    def act(self, options: dict[str, Any]) -> HttpResponse:
        self.object.drain(by=self.by)
        wake_dispatcher_on_commit()
        return self.done("Drained.")


class DeleteIntegrationView(BacklogView):
    title = _("Delete the integration")
    button = _("Delete")
    is_dangerous = True
    explanation = _(
        "Its queued deliveries are cancelled; hits, dead letters and the history stay. This "
        "can't be undone."
    )
    counted = Cancel.counted
    form_class = RateForm
    permission = "delete"

    def act(self, options: dict[str, Any]) -> HttpResponse:
        operation = delete_integration(self.object, by=self.by, rate=options["rate"])
        wake_dispatcher_on_commit()
        self.site.log_change(self.request, self.object, "Deleted.")
        text = _("%(name)s is deleted. Its queued deliveries are being cancelled.") % {
            "name": self.object.name
        }
        messages.success(self.request, text)
        return redirect(admin_url("hitstream_operation_change", operation.pk))


class OperationView(ConfirmView):
    """An action that starts an operation, and leads to its page."""

    operation_class: ClassVar[type[BatchOperation]]
    form_class = RateForm

    def requested(self, count: int) -> str:
        """Return the sentence that says what was requested, with the number of hits."""
        raise NotImplementedError

    def preview(self, filters: dict[str, Any]) -> Preview:
        return self.operation_class(self.object, Criteria(**filters)).preview()

    def act(self, options: dict[str, Any]) -> HttpResponse:
        rate = options.pop("rate")
        wanted = self.operation_class(self.object, Criteria(**options))
        operation = Operation.objects.request(wanted, by=self.by, rate=rate)
        wake_dispatcher_on_commit()
        message = f"{wanted.name.capitalize()} {wanted.criteria}".strip()
        self.site.log_change(self.request, self.object, message)
        url = admin_url("hitstream_operation_change", operation.pk)
        if self.next_url:
            said = self.requested(operation.total), url, _("See the operation")
            messages.success(self.request, format_html('{} <a href="{}">{}</a>', *said))
        return redirect(url)


class ReplayView(OperationView):
    title = _("Replay dead letters")
    explanation = _("Dead letters are queued now with a fresh retry budget.")
    operation_class = Replay
    counted = Replay.counted
    filters_class = ReplayFilters
    permission = "view"
    touches = ("change_deadletter",)
    nothing = _("No dead letter matches: there is nothing to replay.")

    def requested(self, count: int) -> str:
        text = ngettext(
            "Replay of %(count)s hit is requested.", "Replay of %(count)s hits is requested.", count
        )
        return text % {"count": f"{count:,}"}


class BackfillView(OperationView):
    title = _("Backfill past hits")
    explanation = _(
        "Queues past hits that match the current filters and were never queued for this "
        "integration."
    )
    operation_class = Backfill
    counted = Backfill.counted
    filters_class = BackfillFilters
    nothing = _(
        "No past hit is left to queue: each that matches was queued before, or the integration "
        "does not take it."
    )

    def requested(self, count: int) -> str:
        text = ngettext(
            "Backfill of %(count)s hit is requested.",
            "Backfill of %(count)s hits is requested.",
            count,
        )
        return text % {"count": f"{count:,}"}
