"""The groups that people are put into: what they may do with our models, by Django's permissions.

A migration makes them; afterwards they are the deployment's, to be changed as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VIEWERS, OPERATORS = "Hitstream viewers", "Hitstream operators"

#: What operators may do beyond looking. Deleting is left to superusers.
OPERATED: Mapping[str, tuple[str, ...]] = {
    "token": ("add", "change"),
    "integration": ("add", "change"),
    "deadletter": ("change",),
    "alert": ("change",),
    "alertrule": ("add", "change"),
    "alertchannel": ("add", "change"),
}


def codenames(models: list[str]) -> Mapping[str, list[str]]:
    """The permissions of each group, where there are these models."""
    views = [f"view_{model}" for model in models]
    more = [f"{verb}_{model}" for model in models for verb in OPERATED.get(model, ())]
    return {VIEWERS: views, OPERATORS: [*views, *more]}


def make_groups(apps: Any, using: str) -> None:
    """Both groups exist with their permissions; one that is there gets what it lacks of them.
    `apps` is a registry: a migration's or Django's own."""
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
