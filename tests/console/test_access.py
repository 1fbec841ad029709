"""Who may see a page of the console, and what every page comes with."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from playwright.sync_api import expect

from tests.console.conftest import SignIn
from tests.support.axe import violations
from tests.support.browser import follow
from tests.support.people import operator, person, viewer
from tracking.console.urls import urlpatterns
from tracking.models import Token
from tracking.models.access.scope import Scope

pytestmark = pytest.mark.django_db(transaction=True)


def arguments(pattern: URLPattern) -> dict[str, str]:
    """Something for each part of the address."""
    known = {"hit_id": "0190a0a0-0000-7000-8000-000000000000"}
    return {name: known.get(name, "1") for name in pattern.pattern.converters}


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_without_login_every_address_leads_to_the_form_and_back(pattern: URLPattern) -> None:
    url = reverse(f"hitstream-console:{pattern.name}", kwargs=arguments(pattern))
    for method in ("get", "post"):
        answer = getattr(Client(), method)(url)
        if pattern.name == "live-hits":
            # Asked for by a page's script, which knows what to do.
            assert answer.status_code in {401, 405}
            continue
        assert answer.status_code == 302
        assert answer["Location"] == f"/admin/login/?next={url}"


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_staff_without_our_permissions_see_nothing(pattern: URLPattern) -> None:
    client = Client()
    client.force_login(person("nils"))
    url = reverse(f"hitstream-console:{pattern.name}", kwargs=arguments(pattern))
    if pattern.name == "time-zone":
        # It shows nothing of ours.
        assert client.get(url).status_code == 200
        return
    assert client.get(url).status_code in {401, 403, 405}


def test_a_page_loads_nothing_from_elsewhere_and_is_kept_nowhere() -> None:
    client = Client()
    client.force_login(viewer())
    answer = client.get("/console/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]


def test_times_are_in_the_time_zone_of_the_browser(sign_in: SignIn) -> None:
    page = sign_in(viewer(), "/console/")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    page.wait_for_selector(f".hs-zone:has-text('{zone}')")
    assert violations(page) == []


def test_a_chosen_zone_is_that_of_all_pages_and_the_browser_leaves_it(sign_in: SignIn) -> None:
    page = sign_in(operator(), "/console/")
    page.wait_for_selector(".hs-zone a")
    page.locator(".hs-user summary").click()
    follow(page, page.get_by_role("link", name="Other time zone …"))
    page.select_option("#hs-zone-field", "Asia/Kathmandu")
    assert violations(page) == []
    follow(page, page.get_by_role("button", name="Save"))
    zone = page.locator(".hs-zone strong")
    expect(zone).to_have_text("Asia/Kathmandu")
    assert page.url.endswith("/console/")
    page.goto(page.url.replace("/console/", "/admin/hitstream/token/"))
    expect(zone).to_have_text("Asia/Kathmandu")
    page.locator(".hs-user summary").click()
    follow(page, page.get_by_role("button", name="UTC", exact=True))
    expect(zone).to_have_text("UTC")
    assert page.url.endswith("/admin/hitstream/token/")
    page.locator(".hs-user summary").click()
    follow(page, page.get_by_role("button", name="Browser"))
    expect(zone).to_have_text(page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone"))


@pytest.mark.parametrize(
    ("choice", "zone"),
    [("Asia/Tokyo", "Asia/Tokyo"), ("deployment", "UTC"), ("Mars/Base", "Asia/Kolkata")],
)
def test_a_choice_goes_before_the_browsers_zone(choice: str, zone: str) -> None:
    client = Client()
    client.force_login(viewer())
    client.cookies["hitstream_zone"] = "Asia/Kolkata"
    client.post("/console/time-zone/", {"zone": choice})
    assert f"<strong>{zone}</strong>" in client.get("/console/").content.decode()


def test_a_zone_that_there_is_not_is_the_deployments() -> None:
    client = Client()
    client.force_login(viewer())
    client.cookies["hitstream_zone"] = "../../etc/passwd"
    assert b"<strong>UTC</strong>" in client.get("/console/").content


def test_a_token_kept_for_a_group_is_seen_by_its_members_alone() -> None:
    shop, _ = Token.objects.issue("shop", audience=["Shop"])
    blog, _ = Token.objects.issue("blog")
    inside, outside = viewer("ines", groups=("Shop",)), viewer("otto")
    admin = User.objects.create_superuser("admin")
    assert Scope.of(admin).is_all
    assert Scope.of(inside).token_ids == frozenset({shop.pk, blog.pk})
    assert Scope.of(outside).token_ids == frozenset({blog.pk})
    assert list(Scope.of(outside).limit(Token.objects.all(), "pk")) == [blog]
