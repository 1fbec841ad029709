"""Deletion of a token or an integration: cancels what is queued; the record stays."""

from __future__ import annotations

from tracking import db
from tracking.models.deliveries.criteria import Criteria
from tracking.models.integrations.integration import Integration
from tracking.models.operations.cancel import Cancel
from tracking.models.operations.operation import Operation
from tracking.models.tokens.token import Token


def delete_integration(
    integration: Integration, *, by: str, rate: int | None = None, reason: str = ""
) -> Operation:
    """Delete the integration: nothing more is queued or sent. Its other operations are stopped.
    Returns the operation that cancels what is queued."""
    reason = reason or f"{integration.name} was deleted by {by or 'somebody'}."
    with db.atomic():
        for operation in Operation.objects.unfinished().filter(integration=integration):
            operation.stop(by)
        integration.mark_deleted(by=by)
        cancel = Cancel(integration, Criteria(reason=reason))
        return Operation.objects.request(cancel, by=by, rate=rate)


def delete_token(token: Token, *, by: str, rate: int | None = None) -> list[Operation]:
    """Delete the token and its integrations, with an operation for each."""
    reason = f"The token {token.name} was deleted by {by or 'somebody'}."
    with db.atomic():
        operations = [
            delete_integration(integration, by=by, rate=rate, reason=reason)
            for integration in Integration.objects.present().filter(token=token)
        ]
        token.mark_deleted(by=by)
    return operations
