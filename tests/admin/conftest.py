"""Superusers of the admin: a browser that is signed in, and a client that is."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer) -> Page:
    """The admin's first page. The form that signs in is filled in by the tests of the stack."""
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/")
    return page


@pytest.fixture
def operator(transactional_db: None) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))
    return client
