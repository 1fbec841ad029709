"""System checks of the deployment's settings, each with what to do."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.urls import NoReverseMatch, reverse

from tracking.conf import Conf, conf
from tracking.destinations.transport import outbound_proxy
from tracking.ingest.auth.client_ip import UNIX, network_of
from tracking.models import Hit
from tracking.presentation.admin_site import admin_url

DISTRIBUTION = "hitstream"
#: A token of fewer characters can be guessed.
SHORT_TOKEN = 20


@register("hitstream")
def check_import_name(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the folder `tracking` holds the files of this distribution and no others."""
    try:
        # Since Python 3.12 `files` leaves out what is missing, so RECORD itself is read.
        record = distribution(DISTRIBUTION).read_text("RECORD") or ""
        recorded = {row[0] for row in csv.reader(record.splitlines())}
    except PackageNotFoundError:
        return []
    folder = Path(__file__).parent
    ours = {name for name in recorded if name.startswith("tracking/") and name.endswith(".py")}
    present = {f"tracking/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.py")}
    # An editable installation records no files of the package.
    if not ours or ours == present:
        return []
    example = min(ours ^ present)
    return [
        Error(
            "Another distribution shares Hitstream's import name `tracking`: "
            f"{example} {'is missing' if example in ours else 'is not a file of Hitstream'}.",
            hint="Uninstall the other distribution, then uninstall and install hitstream: only one "
            "of both can be installed. `python -c 'from importlib.metadata import "
            'packages_distributions as p; print(p()["tracking"])\'` names both.',
            id="hitstream.E010",
        )
    ]


@register("hitstream")
def check_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that every key of settings.HITSTREAM is a setting."""
    return [
        Error(f"HITSTREAM has no setting {name!r}.", id="hitstream.E001")
        for name in sorted(conf.given())
        if not hasattr(Conf, name)
    ]


@register("hitstream")
def check_numbers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that sizes and durations are positive numbers."""
    return [
        Error(f"HITSTREAM[{name!r}] must be a positive number, not {value!r}.", id="hitstream.E002")
        for name, value in sorted(conf.given().items())
        if isinstance(getattr(Conf, name, None), (int, float))
        and not isinstance(getattr(Conf, name), bool)
        and not (isinstance(value, (int, float)) and value > 0)
    ]


@register("hitstream")
def check_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that trusted proxies are addresses or networks."""
    return [
        Error(
            f"HITSTREAM['TRUSTED_PROXIES']: {proxy!r} is no address, no network and not 'unix'.",
            id="hitstream.E008",
        )
        for proxy in conf.TRUSTED_PROXIES
        if not is_proxy(proxy)
    ]


@register("hitstream")
def check_outbound_proxy(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the outbound proxy is the URL of an HTTP proxy."""
    if not conf.OUTBOUND_PROXY or outbound_proxy.is_valid(conf.OUTBOUND_PROXY):
        return []
    return [
        Error(
            "HITSTREAM['OUTBOUND_PROXY'] must be http://host:port or"
            " http://user:password@host:port.",
            id="hitstream.E012",
        )
    ]


@register("hitstream")
def check_metrics(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the readers of metrics are addresses or networks, and that the metrics token
    cannot be guessed."""
    found: list[CheckMessage] = [
        Error(
            f"HITSTREAM['METRICS_FOR']: {reader!r} is no address and no network.",
            id="hitstream.E009",
        )
        for reader in conf.METRICS_FOR
        if reader == UNIX or not is_proxy(reader)
    ]
    if 0 < len(conf.METRICS_TOKEN) < SHORT_TOKEN:
        found.append(
            Warning(
                f"HITSTREAM['METRICS_TOKEN'] has only {len(conf.METRICS_TOKEN)} characters.",
                hint="`openssl rand -hex 32` prints a good one.",
                id="hitstream.W009",
            )
        )
    return found


@register("hitstream")
def check_secret_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that integration credentials can be encrypted."""
    if not conf.SECRET_KEYS:
        return [
            Warning(
                "HITSTREAM['SECRET_KEYS'] (on a server HITSTREAM_SECRET_KEYS) is empty: no "
                "credential of an integration can be stored or read.",
                hint="`manage.py rotate_secret_keys --generate` prints a key.",
                id="hitstream.W003",
            )
        ]
    return [
        Error(
            f"Key {number} of HITSTREAM['SECRET_KEYS'] is not a Fernet key.",
            hint="`manage.py rotate_secret_keys --generate` prints a key.",
            id="hitstream.E003",
        )
        for number, key in enumerate(conf.SECRET_KEYS, start=1)
        if not is_key(key)
    ]


@register("hitstream")
def check_admin_site(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the console, where it is mounted, finds the forms that it links to."""
    try:
        reverse("hitstream-console:home")
    except (NoReverseMatch, ImproperlyConfigured):
        return []
    if not apps.is_installed("django.contrib.admin"):
        message = "The console needs django.contrib.admin, which is not installed."
        hint = "Add it to INSTALLED_APPS and mount its site, or leave out tracking.console.urls."
        return [Error(message, hint=hint, id="hitstream.E014")]
    try:
        admin_url("hitstream_token_changelist")
    except ImproperlyConfigured as error:
        return [Error(str(error), id="hitstream.E014")]
    except NoReverseMatch:
        message = "The console links to forms of an admin site that no URL leads to."
        hint = (
            "Mount the site; if it is one of your own, name it: HITSTREAM = {'ADMIN_SITE': "
            "'shop.sites.staff'}."
        )
        return [Error(message, hint=hint, id="hitstream.E014")]
    return []


@register("hitstream")
def check_project(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the project uses Postgres and aware times."""
    found: list[CheckMessage] = []
    alias = router.db_for_write(Hit)
    if connections[alias].vendor != "postgresql":
        found.append(
            Error(
                f"Hits are stored in Postgres; the database {alias!r} is something else.",
                hint="Add a Postgres to DATABASES under the alias 'hitstream', "
                "DATABASE_ROUTERS = ['tracking.router.HitstreamRouter'], and run "
                "`manage.py migrate --database hitstream`.",
                id="hitstream.E007",
            )
        )
    if not settings.USE_TZ:
        found.append(
            Error("Hitstream's times are aware: USE_TZ must be True.", id="hitstream.E006")
        )
    return found


def is_proxy(proxy: str) -> bool:
    try:
        return proxy == UNIX or bool(network_of(proxy))
    except ValueError:
        return False


def is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
