"""The checklist of a new server: what to set up, what each step is for, and whether it is done, by
what the database holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from tracking.console.access import page, show
from tracking.console.live import without_transactions
from tracking.events import TEST_EVENT
from tracking.ingest.demo.demo import (
    DemoError,
    delete_demo,
    find_demo,
    load_demo,
    tokens_without_demo,
)
from tracking.models import AlertChannel, Hit, Integration, LifetimeTotal, Rollup, Tally, Token
from tracking.models.access.scope import Scope
from tracking.models.tokens.api_token import digest_of
from tracking.presentation.admin_site import admin_url
from tracking.presentation.snippets import curl

#: The cookie of those who hid the checklist, and how long it is kept, in seconds.
HIDDEN, YEAR = "hitstream_setup_hidden", 31_536_000
#: Tokens whose hits are looked for at most.
TOKENS = 20


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    purpose: str
    is_done: bool
    #: The button; without a URL there is nothing to open yet, or the user may not do it.
    button: str
    url: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    steps: list[Step]
    demo: Token | None

    @property
    def next(self) -> Step | None:
        """The first step that is to do, and that the user may do."""
        return next((step for step in self.steps if step.url and not step.is_done), None)

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)


def checklist_for_home(request: HttpRequest, scope: Scope) -> Checklist | None:
    """Return the checklist, None once it is complete or the viewer hid it."""
    if request.COOKIES.get(HIDDEN):
        return None
    found = checklist(request, scope)
    return None if found.is_complete else found


def checklist(request: HttpRequest, scope: Scope) -> Checklist:
    present = tokens_without_demo()
    tokens = list(scope.limit(present, "pk")[:TOKENS])
    integrations = list(
        scope.limit(Integration.objects.present().filter(token__in=present)).values_list(
            "pk", flat=True
        )[:TOKENS]
    )
    return Checklist(
        [
            first_hit(request, tokens),
            destination(request, integrations),
            test(request, integrations),
            Step(
                _("Add an alert channel"),
                _("Hitstream tells you when deliveries fail or a source is silent."),
                AlertChannel.objects.filter(enabled=True).exists(),
                _("Add a channel"),
                link(request, "add_alertchannel", "alertchannel_add"),
            ),
            script(request, tokens),
        ],
        find_demo(),
    )


def link(request: HttpRequest, permission: str, name: str, *args: Any) -> str:
    """Return the URL of the page of the admin, empty for users without the permission."""
    if not request.user.has_perm(f"hitstream.{permission}"):
        return ""
    return admin_url(f"hitstream_{name}", *args)


def first_hit(request: HttpRequest, tokens: list[Token]) -> Step:
    hits = Hit.objects.filter(token_id=OuterRef("pk")).exclude(name=TEST_EVENT)
    ids = [token.pk for token in tokens]
    code = command(request, ids)
    button, url = _("Watch hits arrive"), reverse("hitstream-console:live")
    if not code:
        button, url = _("Issue a key"), link(request, "add_token", "token_add")
    return Step(
        _("Send a first hit"),
        _("Your server or site sends events with the key of a token; Hitstream stores each."),
        Token.objects.filter(pk__in=ids).filter(Exists(hits)).exists(),
        button,
        url,
        code,
    )


def command(request: HttpRequest, token_ids: list[int]) -> str:
    """Return the command that sends a hit with the key that `make run` keeps; empty where there is
    none, or for users who may not rotate it."""
    path = Path(os.environ.get("HITSTREAM_VAR", "var")) / "development_token"
    if not request.user.has_perm("hitstream.change_token"):
        return ""
    try:
        secret = path.read_text().strip()
        url = request.build_absolute_uri(reverse("hitstream:track"))
    except (OSError, UnicodeDecodeError, NoReverseMatch):
        return ""
    token = Token.objects.filter(pk__in=token_ids, digest=digest_of(secret)).first()
    return curl(url, secret) if token is not None and token.is_usable else ""


def destination(request: HttpRequest, integrations: list[int]) -> Step:
    return Step(
        _("Add a destination"),
        _("Hits go on to the services that you choose, with retries until they are accepted."),
        bool(integrations),
        _("Add an integration"),
        link(request, "add_integration", "integration_add"),
    )


def test(request: HttpRequest, integrations: list[int]) -> Step:
    delivered: dict[str, Any] = {"integration_id__in": integrations, "kind": "delivered"}
    url = ""
    if integrations:
        url = reverse("hitstream-console:integration", args=(integrations[-1],))
    return Step(
        _("Test the destination"),
        _("A test event shows that the destination accepts what Hitstream sends."),
        any(rows.filter(**delivered).exists() for rows in (LifetimeTotal.objects, Tally.objects)),
        _("Open the integration"),
        url,
    )


def script(request: HttpRequest, tokens: list[Token]) -> Step:
    url = link(request, "view_token", "token_changelist")
    if url and tokens:
        url = admin_url("hitstream_token_change", tokens[0].pk)
    return Step(
        _("Install the script"),
        _("One line in your pages sends page views, with referrers and campaigns."),
        Rollup.objects.filter(
            token_id__in=[token.pk for token in tokens], dimension="page"
        ).exists(),
        _("Show the line"),
        url,
    )


@page("view_token", "view_integration")
def setup(request: HttpRequest, scope: Scope) -> HttpResponse:
    return show(
        request,
        "setup_page",
        title=_("Setup"),
        here="home",
        setup=checklist(request, scope),
        is_hidden=bool(request.COOKIES.get(HIDDEN)),
    )


@page("view_token", "view_integration", methods=("POST",))
def hide(request: HttpRequest, scope: Scope) -> HttpResponse:
    response = redirect("hitstream-console:home")
    if request.POST.get("show"):
        response.delete_cookie(HIDDEN)
    else:
        response.set_cookie(
            HIDDEN, "1", max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return response


@without_transactions
@page("view_token", "add_token", methods=("POST",))
def demo(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Load the sample data, or delete it."""
    by = request.user.get_username()
    try:
        if not request.POST.get("delete"):
            hits = load_demo(by=by).hits
            text = _("%(hits)s hits of 30 days are stored. Analytics shows them within a minute.")
        elif request.user.has_perm("hitstream.delete_token"):
            hits = delete_demo(by=by)
            text = _("The demo token and its %(hits)s hits are deleted.")
        else:
            raise DemoError(_("You may not delete tokens."))
        messages.success(request, text % {"hits": f"{hits:,}"})
    except DemoError as error:
        messages.error(request, str(error))
    return redirect("hitstream-console:setup")
