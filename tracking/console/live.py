"""The live page: hits as they arrive. On an empty system it shows how to send the first hit, and
waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from tracking.console.access import page, show
from tracking.console.poll_token import PollToken
from tracking.console.snapshot import LiveSnapshot, snapshot_cache
from tracking.models import Hit, Token
from tracking.models.access.scope import Scope
from tracking.models.deliveries.delivery import DeliveryState
from tracking.models.explain.recent import RECENT
from tracking.presentation.snippets import first_hit

#: Rows on the page.
SHOWN = 100
#: The outcome of a hit that was queued for no integration.
NOT_ROUTED = "nowhere"
OUTCOMES = {**dict(DeliveryState.choices), NOT_ROUTED: gettext_lazy("Not routed")}


@page("view_hit", "view_token")
def live(request: HttpRequest, scope: Scope) -> HttpResponse:
    tokens = list(scope.limit(Token.objects.present().order_by("name"), "pk"))
    # The newest id: the lowest would be searched for in every partition.
    is_empty = not scope.limit(Hit.objects.order_by("-pk")).values("pk")[:1]
    wanted = request.GET.get("guide", "")
    token = next((each for each in tokens if str(each.pk) == wanted), next(iter(tokens), None))
    return show(
        request,
        "first" if is_empty else "live",
        title=_("Live"),
        here="live",
        tokens=tokens,
        token=token,
        snippets=first_hit(request, token) if token else (),
        outcomes=OUTCOMES,
        reach=RECENT,
        ticket=PollToken(scope, request.user.pk).sign(),
    )


def without_transactions(view: Any) -> Any:
    """Exempt a view from ATOMIC_REQUESTS, which would begin a transaction for each poll."""
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


@login_not_required
@require_safe
@without_transactions
def hits(request: HttpRequest) -> HttpResponse:
    """Return JSON: the latest `hits` that match the filters `token`, `event`, `user` and `outcome`,
    how many match, how many were looked at, how many hits arrive `per_minute`, and a `summary` of
    that for people. Answers 401 without a valid ticket of the page."""
    ticket = PollToken.of(request)
    if ticket is None:
        return JsonResponse({"code": "ticket_expired"}, status=401)
    snapshot = snapshot_cache.look()
    seen = [hit for hit in snapshot.hits if ticket.scope.sees(hit["token"])]
    matching = list(filtered(seen, request.GET.dict()))
    rate = per_minute(snapshot, seen)
    response = JsonResponse(
        {
            "hits": matching[:SHOWN],
            "matching": len(matching),
            "looked": len(seen),
            "per_minute": rate,
            "summary": summary(rate, len(matching), len(seen)),
        }
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def filtered(hits: list[dict[str, Any]], wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the hits that match all filters; texts match by their beginning."""
    token, outcome = wanted.get("token", ""), wanted.get("outcome", "")
    event, user = wanted.get("event", "").lower(), wanted.get("user", "")
    for hit in hits:
        users = (hit["user"], hit["anonymous"])
        if (
            token in ("", str(hit["token"]))
            and (hit["event"] or hit["type"]).lower().startswith(event)
            and any(each.startswith(user) for each in users)
            and outcome in ("", *(hit["states"] or [NOT_ROUTED]))
        ):
            yield hit


def per_minute(snapshot: LiveSnapshot, seen: list[dict[str, Any]]) -> float:
    """Return how many of the hits arrived in the minute before the snapshot; where it covers less
    than that, at the rate of the time that it covers."""
    seconds: float = 60.0
    if len(snapshot.hits) == RECENT:
        seconds = min(seconds, max(0.001, snapshot.taken_at - snapshot.hits[-1]["at"] / 1000))
    since = (snapshot.taken_at - seconds) * 1000
    latest: int = sum(hit["at"] >= since for hit in seen)
    return latest * 60 / seconds


def summary(rate: float, matching: int, looked: int) -> str:
    """Return the line above the table."""
    if looked and not matching:
        text = ngettext(
            "No match in the last %(looked)s hit", "No match in the last %(looked)s hits", looked
        )
        return text % {"looked": looked}
    shown = min(matching, SHOWN)
    if matching > shown or looked >= RECENT:
        text = ngettext(
            "showing the latest %(shown)s of %(looked)s hit",
            "showing the latest %(shown)s of %(looked)s hits",
            looked,
        )
    else:
        text = ngettext("showing %(shown)s hit", "showing %(shown)s hits", shown)
    return f"{rate_text(rate)} · {text % {'shown': shown, 'looked': looked}}"


def rate_text(rate: float) -> str:
    """Return the hits a second, or a minute where that is less than one a second."""
    if rate < 60:
        number = round(rate)
        return ngettext("%(rate)s hit/min", "%(rate)s hits/min", number) % {"rate": number}
    return _("%(rate)s hits/s") % {
        "rate": f"{rate / 60:.1f}" if rate < 600 else str(round(rate / 60))
    }
