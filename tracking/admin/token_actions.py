"""The actions on a token's page, each on a page that confirms it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tracking.admin.action_forms import RateForm
from tracking.admin.confirm import ConfirmView
from tracking.admin.show_secret import show_token
from tracking.admin.token_form import RotateForm
from tracking.models import Token
from tracking.models.ledger.ingest_stats import ingest_volume
from tracking.models.operations import backlog
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.delete import delete_token
from tracking.models.operations.preview import Preview
from tracking.presentation.admin_site import admin_url
from tracking.wakeup import wake_dispatcher_on_commit

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def use_of(token: Token) -> list[tuple[StrOrPromise, str]]:
    """Return how much the token is in use: its requests will be refused."""
    now = timezone.now()
    used = token.last_used_at
    sent = ingest_volume(now - timedelta(days=1), [token.pk]).total.accepted
    age = gettext("%(age)s ago") % {"age": timesince(used, now)} if used else gettext("never")
    hits = ngettext("%(number)s hit", "%(number)s hits", sent) % {"number": intcomma(sent)}
    return [(_("Last used"), age), (_("Accepted in the last 24 hours"), hits)]


class RotateView(ConfirmView):
    title = _("Rotate the API token")
    explanation = _(
        "A new API token is issued and shown once. Until the time you choose, both work; a token "
        "that was rotated out earlier stops at once."
    )
    form_class = RotateForm

    def act(self, options: dict[str, Any]) -> HttpResponse:
        secret = self.object.rotate(grace=options["grace"], by=self.by)
        self.site.log_change(self.request, self.object, "Rotated.")
        return show_token(self.site, self.request, self.object, secret)


class RevokeView(ConfirmView):
    title = _("Revoke the API token")
    explanation = _(
        "Requests with this token will fail (401). This can't be undone. Stored hits are kept, "
        "and queued hits are still delivered."
    )
    button = _("Revoke")
    is_dangerous = True

    def facts(self) -> list[tuple[StrOrPromise, str]]:
        return use_of(self.object)

    def act(self, options: dict[str, Any]) -> HttpResponse:
        self.object.revoke(by=self.by)
        self.site.log_change(self.request, self.object, "Revoked.")
        text = _("%(token)s is revoked. Within seconds its requests fail with 401.") % {
            "token": self.object
        }
        messages.success(self.request, text)
        return redirect(admin_url("hitstream_token_changelist"))


class DeleteTokenView(ConfirmView):
    title = _("Delete the token")
    explanation = _(
        "Requests with this token will fail (401), its integrations are deleted and their queued "
        "deliveries cancelled. Hits and the history stay. This can't be undone."
    )
    counted = Cancel.counted
    form_class = RateForm
    permission = "delete"
    touches = ("delete_integration",)
    button = _("Delete")
    is_dangerous = True

    def facts(self) -> list[tuple[StrOrPromise, str]]:
        return use_of(self.object)

    def preview(self, filters: dict[str, Any]) -> Preview:
        return backlog.preview_token(self.object)

    def act(self, options: dict[str, Any]) -> HttpResponse:
        delete_token(self.object, by=self.by, rate=options["rate"])
        wake_dispatcher_on_commit()
        self.site.log_change(self.request, self.object, "Deleted.")
        text = _("%(name)s is deleted. Its queued deliveries are being cancelled.") % {
            "name": self.object.name
        }
        messages.success(self.request, text)
        return redirect(admin_url("hitstream_token_changelist"))
