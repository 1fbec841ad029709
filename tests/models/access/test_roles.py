"""The groups that a migration makes."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from tests.support.people import operator, viewer
from tracking.models.access.roles import OPERATORS, VIEWERS

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_migration_makes_both_groups_and_keeps_what_was_added_to_them() -> None:
    Group.objects.all().delete()
    mine = Group.objects.create(name=VIEWERS)
    call_command("migrate", "hitstream", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    assert Group.objects.get(name=VIEWERS) == mine
    of_viewers = set(mine.permissions.values_list("codename", flat=True))
    of_operators = set(
        Group.objects.get(name=OPERATORS).permissions.values_list("codename", flat=True)
    )
    assert {"view_token", "view_hit", "view_integration", "view_revision"} <= of_viewers
    assert all(name.startswith("view_") for name in of_viewers)
    assert of_operators > of_viewers
    assert not any(name.startswith("delete_") for name in of_operators)


def test_a_viewer_may_change_nothing_and_an_operator_may() -> None:
    assert not viewer().has_perm("hitstream.change_integration")
    assert viewer("victor").has_perm("hitstream.view_hit")
    assert operator().has_perm("hitstream.change_integration")
    assert not operator("otto").has_perm("hitstream.delete_token")
