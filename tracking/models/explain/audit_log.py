"""Who changed, replayed or requested what, from the revisions of tokens and from operations. No
change and no operation exists without such a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from tracking.models.access.scope import Scope
from tracking.models.explain.revision_diff import revision_diff
from tracking.models.operations.operation import Operation
from tracking.models.tokens.revision import Revision, earlier_integrations
from tracking.models.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change, in `lines` of text. `by` is the name of a user or a command, empty for none."""

    at: datetime
    by: str
    token: Token
    lines: tuple[str, ...]
    revision: int | None = None
    revision_id: int | None = None
    operation: int | None = None


def audit_entries(
    scope: Scope,
    *,
    limit: int,
    before: datetime | None = None,
    token: int | None = None,
    by: str = "",
) -> list[AuditEntry]:
    """Return up to `limit` entries before that moment, the latest first."""
    revisions = scope.limit(Revision.objects.select_related("token"))
    operations = scope.limit(
        Operation.objects.select_related("integration__token"), "integration__token"
    )
    if before:
        revisions, operations = (
            revisions.filter(made_at__lt=before),
            operations.filter(requested_at__lt=before),
        )
    if token:
        revisions, operations = (
            revisions.filter(token=token),
            operations.filter(integration__token=token),
        )
    if by:
        revisions, operations = revisions.filter(made_by=by), operations.filter(requested_by=by)
    both: Iterable[AuditEntry] = merge(
        revision_entries(revisions.order_by("-made_at", "-pk")[:limit]),
        _of_operations(operations.order_by("-requested_at", "-pk")[:limit]),
        key=lambda entry: entry.at,
        reverse=True,
    )
    return list(islice(both, limit))


def revision_entries(rows: Iterable[Revision]) -> Iterator[AuditEntry]:
    """Yield an entry for each revision: what it changed against the one before."""
    revisions = list(rows)
    wanted = Q(pk__in=[])
    for revision in revisions:
        wanted |= Q(token=revision.token_id, number=revision.number - 1)
    earlier = {
        (token_id, number): snapshot
        for token_id, number, snapshot in Revision.objects.filter(wanted).values_list(
            "token_id", "number", "snapshot"
        )
    }
    integrations = earlier_integrations(revisions)
    for revision in revisions:
        previous = earlier.get((revision.token_id, revision.number - 1))
        if previous is not None:
            changed = integrations[revision.token_id, revision.number]
            previous = {**previous, "integrations": changed}
        yield AuditEntry(
            at=revision.made_at,
            by=revision.made_by,
            token=revision.token,
            lines=tuple(revision_diff(previous, revision.snapshot)),
            revision=revision.number,
            revision_id=revision.pk,
        )


def _of_operations(operations: QuerySet[Operation]) -> Iterator[AuditEntry]:
    for operation in operations:
        lines = [_requested(operation)]
        lines.append(
            _("%(state)s, %(done)s of %(total)s.")
            % {
                "state": operation.get_state_display(),
                "done": intcomma(operation.done),
                "total": intcomma(operation.total),
            }
        )
        yield AuditEntry(
            at=operation.requested_at,
            by=operation.requested_by,
            token=operation.integration.token,
            lines=(*lines, *([operation.message] if operation.message else [])),
            operation=operation.pk,
        )


def _requested(operation: Operation) -> str:
    """Return on which hits of which integration the operation is."""
    selected = operation.selected.shown
    return f"{operation.title}: {selected}." if selected else f"{operation.title}."
