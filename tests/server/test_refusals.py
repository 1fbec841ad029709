"""A refused person reads why they may not sign in or open a page, and which page opens instead."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.people import person

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def refused(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 403
    return answer.content.decode().partition("<h1>")[2]


def test_the_sign_in_is_headed_and_says_what_is_wrong() -> None:
    page = Client().get("/admin/login/").content.decode()
    assert "<h1>Sign in</h1>" in page
    assert re.search(r"<label for=\"id_username\">User name</label>", page)
    page = Client().post("/admin/login/", {"username": "x", "password": "y"}).content.decode()
    assert "The user name or the password is wrong" in page


def test_who_is_not_staff_is_told_so() -> None:
    client = client_of(User.objects.create_user("zoe"))
    page = client.get("/console/", follow=True).content.decode()
    assert "Your user, zoe, is not staff" in page


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/console/", "hitstream.view_token, hitstream.view_integration"),
        ("/console/alerts/", "hitstream.view_alert"),
        ("/admin/hitstream/revision/", "hitstream.view_revision"),
    ],
)
def test_a_refusal_names_the_permission(path: str, missing: str) -> None:
    page = refused(client_of(person("anna", "view_hit")), path)
    assert f"that you lack: {missing}." in page


@pytest.mark.parametrize("permission", ["view_hit", "view_integration", "view_token", "add_token"])
def test_a_refusal_leads_to_a_page_that_opens(permission: str) -> None:
    client = client_of(person("anna", permission))
    (link,) = re.findall(r'<a href="([^"]+)">Go to', refused(client, "/console/"))
    assert client.get(link).status_code == 200
