"""`python -m project.embedded.prepare`: prepare the database for use, in one process.

Applies migrations. In the embedded Postgres it also creates a superuser, and a token to try things
out, whose secrets the var directory keeps.
"""

import io
import json
import os
import secrets
from pathlib import Path

import django
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from project.embedded.paths import is_external, read_secret, var_directory
from project.embedded.secret import PASSWORD, TOKEN, keep_secret


def prepare() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    # Models can be imported only after django.setup().
    from tracking.server.migration import migrate  # noqa: PLC0415

    migrate(["--noinput"])
    if not is_external(os.environ):
        directory = var_directory()
        create_admin(directory)
        issue_development_token(directory)


def create_admin(directory: Path) -> None:
    """Create the superuser `admin` if there is no superuser, its password kept in a file."""
    if get_user_model().objects.filter(is_superuser=True).exists():
        return
    password = read_secret(PASSWORD) or secrets.token_urlsafe(15)
    keep_secret(directory / PASSWORD, password)
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = password
    try:
        call_command(
            "createsuperuser",
            interactive=False,
            username="admin",
            email="admin@localhost",
            verbosity=0,
        )
    except CommandError as error:
        print(f"no superuser made: {error}")  # noqa: T201


def issue_development_token(directory: Path) -> None:
    """Keep a token in a file that this database knows, whatever happened to either before."""
    # Models can be imported only after django.setup().
    from tracking.ingest.auth.authentication import tokens  # noqa: PLC0415
    from tracking.models.tokens.api_token import digest_of  # noqa: PLC0415
    from tracking.models.tokens.token import Token  # noqa: PLC0415

    kept = read_secret(TOKEN)
    if kept and tokens.get(digest_of(kept)) is not None:
        return
    taken = set(Token.objects.values_list("name", flat=True))
    names = ("development", *(f"development-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    answer = io.StringIO()
    call_command("issue_token", name, "--json", stdout=answer)
    keep_secret(directory / TOKEN, json.loads(answer.getvalue())["api_token"])


if __name__ == "__main__":
    prepare()
