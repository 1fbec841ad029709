"""The catalogues: complete, compiled, and what a person sees who reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.test import Client

from tests.support.hits import Send
from tests.support.people import operator
from tracking.models import Token

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "tracking/locale"
LANGUAGES = sorted(each.name for each in LOCALE.iterdir())
Entry = polib.POEntry | polib.MOEntry
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}|</?\w+[^>]*>|`[^`]+`")


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(LOCALE / language / "LC_MESSAGES/django.po"))


def forms(entry: Entry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def key(entry: Entry) -> tuple[str | None, str, str]:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str | None, str, str]]:
    """What the source marks for translation, by `makemessages`."""
    assert shutil.which("xgettext"), "xgettext is missing: make test-deps"
    folder = tmp_path_factory.mktemp("source")
    for name in ("tracking", "templates"):
        ignored = shutil.ignore_patterns("static", "locale", "migrations", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "tracking/locale").mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale=eo", "--no-wrap"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    found = polib.pofile(str(folder / "tracking/locale/eo/LC_MESSAGES/django.po"))
    assert len(found) > 1000
    return {key(each) for each in found}


def test_the_languages_of_the_deployment_are_those_of_the_catalogues() -> None:
    assert [code for code, _ in settings.LANGUAGES if code != "en"] == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete(language: str, messages: set[tuple[str | None, str, str]]) -> None:
    entries = catalogue(language)
    assert {key(each) for each in entries} == messages, "make messages"
    assert [each.msgid for each in entries if each.fuzzy or not all(forms(each))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_what_is_no_word(language: str) -> None:
    wrong = [
        (each.msgid, form)
        for each in catalogue(language)
        for form in forms(each)
        if not kept(each, form)
    ]
    assert wrong == []


def kept(entry: polib.POEntry, form: str) -> bool:
    sources = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
    wanted = [sorted(PLACEHOLDER.findall(each)) for each in sources]
    return sorted(PLACEHOLDER.findall(form)) in wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_compiled(language: str) -> None:
    compiled = polib.mofile(str(LOCALE / language / "LC_MESSAGES/django.mo"))
    assert {(*key(each), *forms(each)) for each in compiled} == {
        (*key(each), *forms(each)) for each in catalogue(language)
    }, "make messages"


@pytest.mark.django_db
def test_a_person_reads_the_language_of_the_browser_until_they_choose_one(token: Token) -> None:
    client = Client()
    client.force_login(operator())
    german = {"Accept-Language": "de-AT,de;q=0.9"}
    page = client.get("/console/", headers=german).content.decode()
    assert '<html lang="de' in page
    assert "Zustellungen" in page
    chosen = client.post("/i18n/setlang/", {"language": "ru", "next": "/console/live/"})
    assert chosen["Location"] == "/console/live/"
    page = client.get("/console/", headers=german).content.decode()
    assert '<html lang="ru' in page
    assert '<button name="language" value="ru" lang="ru" aria-current="true">' in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/track", "/v1/batch"])
def test_the_api_answers_in_english(path: str, send: Send) -> None:
    answers = [
        Client().post(path, {}, headers={"Accept-Language": language}, content_type="text/plain")
        for language in ("de", "en")
    ]
    texts: list[dict[str, Any]] = [each.json() for each in answers]
    assert texts[0] == texts[1]
    assert answers[0].status_code >= 400
