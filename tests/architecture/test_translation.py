"""Every string that a person sees is marked for translation, room by room."""

from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.utils.functional import Promise

from tests.architecture.unmarked import unmarked_in_python, unmarked_in_template
from tracking.destinations.contract import registry

ROOT = Path(__file__).parents[2]
#: The folders whose strings are marked.
MARKED = (
    "tracking/admin",
    "tracking/models",
    "tracking/console",
    "tracking/presentation",
    "tracking/alerts",
    "tracking/routing",
    "tracking/destinations",
    "tracking/health",
    "tracking/server",
    "templates/admin",
    "templates/hitstream",
)
#: What is stored, or is for logs and commands.
ENGLISH = (
    "Hitstream operators",
    "An encrypted JSON object",
    "of HITSTREAM_SECRET_KEYS",
    "in HITSTREAM_SECRET_KEYS",
    "was deleted by",
    "Stopped by",
    "Selected in the list of dead letters.",
    "Only the hit",
    # The error of an attempt, or the reason of an outcome.
    "The visitor denied consent to advertising.",
    "The evaluator ended",
    "The values are too large.",
    "Amplitude has silenced this device_id",
    "Meta answered: ",
    "No queue receives the message: ",
    "The response of BigQuery is not valid.",
    "The response is too long to read which hits were refused.",
    "Google Analytics accepts  only with .",
    "Google Analytics does not allow the event's name.",
    # The answer that a transcript records.
    "It exists.",
    "All hits were present already.",
    # The hint of a system check.
    "Put it into `ALTER ROLE … SET …` in place of `options`",
    "Set pool_mode of PgBouncer to transaction, or session.",
    "Start Postgres, or correct DATABASE_URL.",
    # Words of a vendor, or for one.
    "Capture and batch API endpoints",
    "Hitstream verification",
    "Revenue (Verified)",
    "Revenue (Unverified)",
    "The names within an object SHOULD be unique.",
    "page_title",
)
#: The folders and files inside them whose sentences are English.
ENGLISH_PATHS = (
    # The errors of attempts, and the messages of alerts, are stored and sent.
    "tracking/destinations/transport",
    "tracking/alerts/conditions",
    "tracking/alerts/message.py",
    # Answers of the API, for programs.
    "tracking/server/front",
    # What the command `hitstream` prints, and logs.
    "tracking/server/checks.py",
    "tracking/server/cli.py",
    "tracking/server/migration.py",
    "tracking/server/celery.py",
    "tracking/server/error_reports.py",
)


def files(room: str) -> list[Path]:
    english = {ROOT / name for name in ENGLISH_PATHS}
    found = [path for path in sorted((ROOT / room).rglob("*.*")) if path.suffix in CHECKS]
    return [path for path in found if not english & {path, *path.parents}]


CHECKS = {".py": unmarked_in_python, ".html": unmarked_in_template}


def unmarked(room: str) -> list[str]:
    found = [line for path in files(room) for line in CHECKS[path.suffix](path)]
    kept = [line for line in found if not any(text in line for text in ENGLISH)]
    return [line for line in kept if line.partition(": ")[2] not in names_of_destinations()]


@cache
def names_of_destinations() -> frozenset[str]:
    """Return the names that hits use in their `integrations` object."""
    found = registry.all_destinations()
    return frozenset(name for each in found for name in (each.label, *each.aliases))


@pytest.mark.parametrize("room", MARKED)
def test_every_string_of_a_marked_room_is_marked(room: str) -> None:
    assert len(files(room)) >= 3
    assert not unmarked(room)


def test_every_shown_folder_is_in_the_list() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "templates").rglob("*.html")}
    listed = [Path(name) for name in MARKED]
    assert all(any(each in (folder, *folder.parents) for each in listed) for folder in folders)


def test_the_fields_of_the_admin_are_marked() -> None:
    """Names, help and choices are lazy: they are looked up in the language of the page."""
    plain = []
    for name in ("token", "integration", "alertchannel", "alertrule", "hit", "attempt",
                 "delivery", "deadletter", "operation", "revision", "fileimport"):  # fmt: skip
        model = apps.get_model("hitstream", name)
        texts = {name: model._meta.verbose_name, f"{name}s": model._meta.verbose_name_plural}
        for field in (each for each in model._meta.fields if not each.auto_created):
            texts[f"{name}.{field.name}"] = field.verbose_name
            texts[f"{name}.{field.name}?"] = field.help_text or field.verbose_name
        plain += [where for where, text in texts.items() if not isinstance(text, Promise)]
    assert not plain
