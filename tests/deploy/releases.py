"""The wheel of the last release, and that of the next one: a copy of the working tree with one more
migration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from tests.deploy.debian import ROOT
from tests.wheel.conftest import build

#: The commit of the last release; the Makefile names it.
LAST_RELEASE = os.environ.get("HITSTREAM_LAST_RELEASE") or "HEAD"
MODEL = "tracking/models/tokens/token.py"
CLASS = re.compile(r"^class Token\(models\.Model\):\n(?:    \"\"\".*?\"\"\"\n+)?", re.M | re.S)
#: What every migration of a small table looks like: old processes insert without it.
FIELD = '    remark = models.CharField(max_length=40, default="", db_default="", blank=True)\n'


def last_release(folder: Path) -> Path:
    """Build the wheel of the last release."""
    source = folder / "last"
    archived = subprocess.run(
        ["git", "archive", LAST_RELEASE], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archived)) as archive:
        archive.extractall(source, filter="data")
    return build(source, folder / "last-wheel")


def next_release(folder: Path) -> Path:
    """Build the wheel of the working tree with one more field, its migration and version."""
    source = folder / "next"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    replace_in(source / "pyproject.toml", r'^version = "\d+\.\d+\.\d+"$', 'version = "99.0.0"')
    model = source / MODEL
    text, count = CLASS.subn(lambda found: found[0] + FIELD, model.read_text())
    assert count == 1
    model.write_text(text)
    subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "hitstream", "--name", "remark"],
        cwd=source,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        check=True,
    )
    assert list((source / "tracking/migrations").glob("0*_remark.py"))
    return build(source, folder / "next-wheel")


def replace_in(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text(), flags=re.MULTILINE)
    assert count == 1, pattern
    path.write_text(changed)
