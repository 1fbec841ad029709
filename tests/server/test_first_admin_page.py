"""The first page of the admin: Hitstream's models by task, other apps as they are."""

import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client

from tests.support.people import person
from tracking.templatetags.task_groups import TASKS

pytestmark = pytest.mark.django_db(transaction=True)


def first_page(user: User, path: str = "/admin/") -> str:
    client = Client()
    client.force_login(user)
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/admin/", "/admin/hitstream/"])
def test_models_stand_under_their_task(path: str) -> None:
    page = first_page(User.objects.create_superuser("admin"), path)
    tasks = page.partition('class="hs-tasks"')[2].partition("</div>")[0]
    assert re.findall(r"<h2>(.+?)</h2>", tasks) == ["Send", "Deliver", "Watch", "Record"]
    assert tasks.index("Deliver") < tasks.index("Operations") < tasks.index("Watch")
    assert "Who may send hits, and from where." in tasks
    assert ('class="app-auth' in page) == (path == "/admin/")


def test_each_sees_only_what_is_permitted() -> None:
    page = first_page(person("anna", "view_hit"))
    tasks = page.partition('class="hs-tasks"')[2].partition("</div>")[0]
    assert re.findall(r"<h2>(.+?)</h2>", tasks) == ["Record"]
    assert "Revisions" not in tasks
    assert "lack the permission" in first_page(person("bert"))


def test_every_line_is_about_a_model() -> None:
    for _, lines in TASKS:
        for name in lines:
            assert apps.get_model("hitstream", name)
