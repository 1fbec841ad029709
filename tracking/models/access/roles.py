"""The groups of users, and the permissions that they give on the app's models.

A migration creates them; afterwards the deployment may change them as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VIEWERS, OPERATORS = "Hitstream viewers", "Hitstream operators"

#: What operators may do beyond viewing. Deleting is left to superusers.
OPERATED: Mapping[str, tuple[str, ...]] = {
    "token": ("add", "change"),
    "integration": ("add", "change"),
    "deadletter": ("change",),
    "alert": ("change",),
    "alertrule": ("add", "change"),
    "alertchannel": ("add", "change"),
}


def codenames(models: list[str]) -> Mapping[str, list[str]]:
    """Return the permissions of each group for these models."""
    views = [f"view_{model}" for model in models]
    more = [f"{verb}_{model}" for model in models for verb in OPERATED.get(model, ())]
    return {VIEWERS: views, OPERATORS: [*views, *more]}


def make_groups(apps: Any, using: str) -> None:
    """Create both groups with their permissions; an existing group gets those that it lacks. `apps`
    is a registry: a migration's or Django's own."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    models = sorted(
        model._meta.model_name for model in apps.get_app_config("hitstream").get_models()
    )
    for name, wanted in codenames(models).items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        permissions = Permission.objects.using(using).filter(
            content_type__app_label="hitstream", codename__in=wanted
        )
        group.permissions.add(*permissions)
