"""Whether an integration's configuration works: a harmless request, and its result."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from tracking.admin.confirm import ConfirmView
from tracking.destinations.contract.connection_test import ConnectionResult, check_connection
from tracking.exceptions import SetupError
from tracking.models import Integration


class ConnectionTestView(ConfirmView):
    title = "Test the connection"
    explanation = (
        "A request that changes nothing at the destination is sent, with the saved configuration."
    )

    def act(self, options: dict[str, Any]) -> HttpResponse:
        return self.show("verdict", back=self.next_url, verdict=connection_result(self.object))


def connection_result(integration: Integration) -> ConnectionResult:
    """Return the result of the test; a configuration that cannot be opened fails it."""
    try:
        return check_connection(integration.open())
    except SetupError as error:
        return ConnectionResult(False, str(error))
