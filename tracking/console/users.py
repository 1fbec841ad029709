"""The page of a user: the ids, the traits, and every event with where it went."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.models.access.scope import Scope
from tracking.models.explain.search import REACH
from tracking.models.explain.user_story import SHOWN, user_story


@page("view_hit")
def user(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Show the user whose id the address has; 404 if no hit has it."""
    wanted = request.GET.get("id", "").replace("\0", "\ufffd")[:255]
    story = user_story(wanted, scope) if wanted else None
    response = show(
        request,
        "user",
        title=wanted or _("User"),
        here="search",
        wanted=wanted,
        story=story,
        shown=SHOWN,
        reach=None if scope.is_all else REACH,
        traits=[(name, text_of(value)) for name, value in story.traits.items()] if story else [],
    )
    response.status_code = 200 if story else 404
    return response


def text_of(value: Any) -> str:
    """Return the trait as people read it."""
    return value if isinstance(value, str) else str(value)
