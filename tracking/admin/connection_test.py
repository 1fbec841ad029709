"""Whether an integration's configuration works: a harmless request, and its result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.admin.confirm import ConfirmView
from tracking.destinations.contract.connection_test import ConnectionResult, check_connection
from tracking.exceptions import SetupError
from tracking.models import Integration
from tracking.presentation.pill import pause_of

#: Tests that wait for a vendor at once, in one process: the other threads serve pages.
_calls = threading.BoundedSemaphore(4)


class ConnectionTestView(ConfirmView):
    title = _("Test the connection")
    explanation = _(
        "A request that changes nothing at the destination is sent, with the saved configuration."
    )

    def act(self, options: dict[str, Any]) -> HttpResponse:
        verdict = ask_vendor(lambda: connection_result(self.object))
        is_held_back = verdict.works and self.object.paused_at is not None
        return self.show(
            "verdict",
            back=self.next_url,
            verdict=verdict,
            still_paused=pause_of(self.object) if is_held_back else "",
            resume_query=urlencode({"next": self.next_url} if self.next_url else {}),
        )


def ask_vendor(call: Callable[[], ConnectionResult]) -> ConnectionResult:
    """Return the result of the call, which waits without a connection to the database; a failure
    while too many others wait."""
    if not _calls.acquire(blocking=False):
        return ConnectionResult(
            False, str(_("Other tests wait for their vendors: try it again soon."))
        )
    try:
        db.release()
        return call()
    finally:
        _calls.release()


def connection_result(integration: Integration) -> ConnectionResult:
    """Return the result of the test; a configuration that cannot be opened fails it."""
    try:
        return check_connection(integration.open())
    except SetupError as error:
        return ConnectionResult(False, str(error))
