"""System checks of the project around Hitstream. The module imports nothing of the app that needs
another app, so that it can name those that are missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from tracking.conf import conf

APP = "tracking"
#: Bytes of the smallest spool: those of the largest segment.
LEAST_SPOOL = 8 * 1024**2
REPLICA_ROUTER = "tracking.router.ReplicaRouter"
REPLICA_MIDDLEWARE = "tracking.presentation.replica_reads.ReadYourWrites"
#: The apps without which Hitstream's modules cannot be imported.
NEEDED = ("django.contrib.auth", "django.contrib.contenttypes")


def missing_apps() -> list[str]:
    return [name for name in NEEDED if not apps.is_installed(name)]


@register("hitstream")
def check_apps(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the apps are installed whose tables Hitstream's refer to."""
    return [
        Error(
            f"Hitstream needs the app {name}.",
            hint=f"Add {name!r} to INSTALLED_APPS. Hitstream's access rights are Django's groups; "
            "its tables may lie in a database of their own (tracking.router).",
            id="hitstream.E013",
        )
        for name in missing_apps()
    ]


@register("hitstream")
def check_tenants(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that django-tenants makes Hitstream's tables once, and the groups beside them."""
    if not hasattr(settings, "TENANT_MODEL"):
        return []
    tenant, shared = (set(getattr(settings, name, ())) for name in ("TENANT_APPS", "SHARED_APPS"))
    names = {APP, f"{APP}.apps.TrackingConfig"}
    hint = (
        "Put 'tracking' into SHARED_APPS only, and issue one token for each tenant: groups limit "
        "who sees which token."
    )
    if names & tenant:
        return [
            Error(
                "Hitstream is in TENANT_APPS. It stores and delivers on connections of its own, "
                "which know no tenant.",
                hint=hint,
                id="hitstream.E015",
            )
        ]
    if "django.contrib.auth" not in shared:
        return [
            Error(
                "Hitstream is in SHARED_APPS, django.contrib.auth is not: the groups that its "
                "tables refer to are missing there.",
                hint="Add 'django.contrib.auth' and 'django.contrib.contenttypes' to SHARED_APPS.",
                id="hitstream.E016",
            )
        ]
    return []


@register("hitstream")
def check_replica(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that pages can read from the replica, and from the primary after a change."""
    if not conf.REPLICA:
        return []
    missing = [
        f"{name!r} in {setting}"
        for setting, name in (
            ("DATABASES", conf.REPLICA),
            ("DATABASE_ROUTERS", REPLICA_ROUTER),
            ("MIDDLEWARE", REPLICA_MIDDLEWARE),
        )
        if name not in getattr(settings, setting)
    ]
    return [Error(f"HITSTREAM['REPLICA'] needs {name}.", id="hitstream.E022") for name in missing]


@register("hitstream")
def check_spool(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that hits can be spooled, and before their senders get a 503."""
    if not conf.SPOOL:
        return []
    path = Path(conf.SPOOL)
    found: list[str] = []
    if not path.is_absolute():
        found.append("must be an absolute path")
    if conf.SPOOL_AFTER >= conf.REQUEST_DEADLINE:
        found.append("needs SPOOL_AFTER to be less than REQUEST_DEADLINE")
    if conf.SPOOL_BYTES < LEAST_SPOOL:
        found.append(f"needs SPOOL_BYTES to be {LEAST_SPOOL:,} at least")
    name = "HITSTREAM['SPOOL'] (on a server HITSTREAM_SPOOL)"
    messages: list[CheckMessage] = [Error(f"{name} {what}.", id="hitstream.E021") for what in found]
    if path.is_absolute() and not may_write(path):
        # Only the web server spools: commands may run where they cannot write there.
        messages.append(
            Warning(
                f"{name} must be a folder that the web server may write to, or create; this "
                f"process may not: {path}.",
                id="hitstream.W023",
            )
        )
    return messages


def may_write(folder: Path) -> bool:
    """Return whether this user may write to the folder, or create it."""
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def other_packages() -> list[str]:
    """Return the files of other packages `tracking` that this process could import as well."""
    # manage.py puts its own folder first; another server may not.
    folders = [*sys.path, *(["."] if Path("manage.py").exists() else [])]
    found: dict[str, None] = {}
    for folder in folders:
        spec = PathFinder.find_spec(APP, [str(Path(folder).resolve())])
        # A folder without __init__.py yields to any package and has no origin.
        if spec and spec.origin:
            found[str(Path(spec.origin).resolve())] = None
    # Another copy of Hitstream, a checkout beside the wheel, has the same modules.
    return [path for path in found if not Path(path).with_name(Path(__file__).name).exists()]


@register("hitstream")
def check_other_packages(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that no other package has Hitstream's import name: one hides the other."""
    return [
        Error(
            f"Another package has Hitstream's import name `{APP}`: {path}.",
            hint="The one that is first on sys.path hides the other (No module named "
            f"'{APP}.all'). Move yours into another package, as `apps.{APP}`: the label of "
            "Hitstream's app is `hitstream`.",
            id="hitstream.E019",
        )
        for path in other_packages()
    ]
