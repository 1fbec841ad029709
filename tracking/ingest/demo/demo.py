"""Loads and deletes the sample data.

The token is the one with the file import that loaded it, whatever its name is: a token that only
has the same name is never deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tracking import db
from tracking.ingest.demo.shop import shop_hits
from tracking.ingest.file_import import run
from tracking.ingest.parse.arrival import Arrival, ClientInfo
from tracking.ingest.parse.segment_payload import Shared, parse_event
from tracking.ingest.parse.track_payload import parse
from tracking.models import Integration, QueuedDelivery, Token
from tracking.models.operations.delete import delete_token
from tracking.models.operations.removal import remove_dead_letters, remove_hits

NAME = "demo"
#: The name of the import, by which the token is recognised: with its slash it is no file's name, so
#: that no other import has it.
IMPORT = "demo/shop.ndjson"
BREAKDOWNS = ["query", "quantity", "option"]


class DemoError(Exception):
    """The sample data cannot be loaded or deleted, with what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    token: Token
    hits: int


def find_demo() -> Token | None:
    """Return the token with the sample data, None without one."""
    return Token.objects.present().filter(imports__name=IMPORT).first()


def tokens_without_demo() -> QuerySet[Token]:
    """Return the present tokens, except the one with the sample data."""
    return Token.objects.present().exclude(imports__name=IMPORT)


def load_demo(*, by: str, progress: Callable[[int], object] = lambda hits: None) -> Loaded:
    """Store 30 days of a shop under a new token. Calls `progress` with the number of hits stored
    so far. Raises DemoError, and the errors of an import."""
    if find_demo() is not None:
        raise DemoError(_("The demo data is there already: delete it before you load it again."))
    with TemporaryDirectory(prefix="hitstream-") as folder:
        path = Path(folder) / "shop.ndjson"
        encode = msgspec.json.Encoder().encode
        with path.open("wb") as file:
            for hit in shop_hits(datetime.now(UTC)):
                file.write(encode(hit) + b"\n")
        with db.atomic():
            token = issue(by)
            imported = run.begin(token, path, name=IMPORT)
        run.run(
            imported,
            path,
            reader(token),
            refused=lambda line, result: None,
            progress=lambda lines, position: progress(lines),
        )
    return Loaded(token, imported.stored)


def issue(by: str) -> Token:
    taken = DemoError(
        _('There is a token named "%(name)s": rename it before you load the demo data.')
        % {"name": NAME}
    )
    if Token.objects.present().filter(name=NAME).exists():
        raise taken
    try:
        return Token.objects.issue(NAME, by=by, breakdowns=BREAKDOWNS)[0]
    except IntegrityError:
        raise taken from None


def reader(token: Token) -> Callable[[bytes], Arrival]:
    """Return what reads a line: a hit of /track, or an event with its type."""
    sender = ClientInfo(token_id=token.pk, ip=None, user_agent="", ip_policy=token.ip_policy)
    read_hit = partial(parse, sender=sender)
    read_event = partial(parse_event, sender=sender, shared=Shared(historical=True, strict=True))

    def read(body: bytes) -> Arrival:
        arrival = read_event(body) if body.startswith(b'{"type"') else read_hit(body)
        agent = arrival.payload["context"]["userAgent"]
        return msgspec.structs.replace(arrival, user_agent=agent)

    return read


def delete_demo(*, by: str) -> int:
    """Delete the token with its hits, and the dead letters of its deleted integrations. Returns how
    many hits. Raises DemoError."""
    token = find_demo()
    if token is None:
        raise DemoError(_("There is no demo data."))
    if Integration.objects.present().filter(token=token).exists():
        raise DemoError(_("The demo token has integrations: delete them first."))
    if QueuedDelivery.objects.filter(token_id=token.pk).exists():
        raise DemoError(
            _("Queued deliveries of the demo token are being cancelled: try again in a minute.")
        )
    delete_token(token, by=by)
    remove_dead_letters(token)
    return remove_hits(token)
