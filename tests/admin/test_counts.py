"""The number of rows above and below a list that is not counted to its end."""

import pytest
from django.test import Client

from tests.support.hits import Send, hit
from tracking.admin.read_only import REACH, BoundedCount, BoundedPaginator


def test_a_count_that_ended_early_says_so(
    operator: Client, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(hit())
    monkeypatch.setattr(BoundedPaginator, "count", BoundedCount(REACH))
    text = operator.get("/admin/hitstream/hit/").content.decode()
    assert "10,000+ results" in text
    assert "10,000+ hits" in " ".join(text.split())
