"""Around the page of the API: the console for who is signed in to it, else a way to sign in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.people import viewer

pytestmark = pytest.mark.django_db(transaction=True)


def page_for(user: User | None) -> str:
    client = Client()
    if user:
        client.force_login(user)
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    return answer.content.decode()


def test_staff_see_the_navigation_of_the_console() -> None:
    page = page_for(viewer())
    assert 'class="hs-nav"' in page
    assert 'id="logout-form"' in page
    assert "hs-plain" not in page


def test_others_see_the_page_and_may_sign_in() -> None:
    for user in (None, User.objects.create_user("zoe")):
        page = page_for(user)
        assert 'class="hs-nav"' not in page
        assert '<a href="/console/">Sign in</a>' in page
        assert 'id="hs-openapi"' in page


@pytest.mark.urls("tests.support.without_admin")
def test_without_a_console_there_is_nothing_to_sign_in_to() -> None:
    page = Client().get("/hits/api/docs").content.decode()
    assert "Sign in" not in page
    assert 'id="hs-openapi"' in page
