"""The admin's pages tell times in the viewer's time zone, as the console does."""

from datetime import UTC, datetime

import pytest
from django.test import Client, override_settings

from tests.support.integrations import add_webhook
from tests.support.people import operator
from tracking.models import Attempt, DeadLetter, Token
from tracking.uuid7 import first_uuid7

pytestmark = pytest.mark.django_db(transaction=True)


@override_settings(FORMAT_MODULE_PATH=None)
def test_all_times_are_in_the_viewers_zone_with_seconds_and_its_name(token: Token) -> None:
    integration = add_webhook(token)
    at = datetime(2026, 11, 25, 23, 31, 7, tzinfo=UTC)
    id = first_uuid7(datetime.now(UTC))
    Attempt.objects.create(
        id=id,
        token_id=integration.token_id,
        integration=integration,
        made_at=at,
        hits=1,
        duration=0.2,
        method="POST",
        url="https://hooks.example/",
        request_body='{"total": 12.5}',
    )
    DeadLetter.objects.create(
        token_id=integration.token_id,
        integration=integration,
        hit_id=id,
        failed_at=at,
        code="permanent",
        message="No",
        attempts=1,
        attempt_id=id,
    )
    client = Client()
    client.force_login(operator())
    pages = ("attempt/", f"attempt/{id}/change/", "deadletter/")
    for zone, shown in (
        ("Asia/Kolkata", "2026-11-26 05:01:07 IST"),
        ("America/New_York", "2026-11-25 18:31:07 EST"),
        ("nonsense", "2026-11-25 23:31:07 UTC"),
    ):
        client.cookies["hitstream_zone"] = zone
        for page in pages:
            assert shown in client.get(f"/admin/hitstream/{page}").content.decode(), (zone, page)
    page = client.get(f"/admin/hitstream/attempt/{id}/change/").content.decode()
    assert 'data-json><pre tabindex="0">{&quot;total&quot;: 12.5}</pre>' in page
