"""The project's own tests: `manage.py test host`."""

from base64 import b64encode

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connections
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import path, reverse

from tracking.models import Attempt, DeadLetter, Delivery, Hit, Integration, QueuedDelivery, Token
from tracking.testing import on_this_connection

#: A site for operators only, as the tests' own URLs.
urlpatterns = [path("admin/", admin.site.urls)]
HIT = {"event": {"name": "Registered", "user": {"userId": "u1"}}}


class Shop:
    databases = "__all__"

    def setUp(self):
        self.moments = []
        self.enterContext(on_this_connection(wake=self.note))
        self.token, self.secret = Token.objects.issue("shop", pk=1_234_567)
        self.client.force_login(User.objects.create_superuser("root"))

    def note(self):
        self.moments.append([each.in_atomic_block for each in connections.all()])

    def post(self, url="/hits/track"):
        credentials = b64encode(f"{self.secret}:".encode()).decode()
        return self.client.post(
            url,
            HIT,
            content_type="application/json",
            headers={"authorization": f"Basic {credentials}"},
        )

    def enqueue(self):
        integration = Integration(
            pk=1_234_567, token=self.token, name="Hook", destination="webhook"
        )
        form = integration.destination_class.Config({"url": "http://127.0.0.1:9/"})
        assert form.is_valid()
        integration.configure(form)
        integration.save()
        assert self.post().status_code == 204
        return integration


class RequestTests(Shop, TransactionTestCase):
    def test_a_hit_is_stored_outside_every_transaction_of_the_request(self):
        self.enqueue()
        assert self.moments == [[False for _ in connections]]


class Tests(Shop, TestCase):
    def test_a_hit_is_stored(self):
        for url in (reverse("hitstream:track"), "/hits/track/"):
            assert self.post(url).status_code == 204
        assert Hit.objects.count() == 2

    def test_every_page_opens(self):
        integration = self.enqueue()
        queued = QueuedDelivery.objects.get()
        DeadLetter.objects.create(
            token_id=integration.token_id,
            integration=integration,
            hit_id=queued.hit_id,
            code="refused",
            attempts=1,
            attempt_id=queued.hit_id,
        )
        Attempt.objects.create(
            id=queued.hit_id,
            token_id=integration.token_id,
            integration=integration,
            hits=1,
            duration=0.1,
        )
        names = "token", "integration", "hit", "delivery", "deadletter", "attempt", "revision"
        pages = [reverse(f"admin:hitstream_{name}_changelist") for name in names]
        pages += [
            reverse("admin:hitstream_token_add"),
            reverse("admin:hitstream_integration_add"),
            reverse("admin:hitstream_integration_add") + "?destination=webhook",
            *(reverse(f"admin:hitstream_token_{verb}", args=(1_234_567,))
              for verb in ("change", "rotate", "revoke")),
            *(reverse(f"admin:hitstream_integration_{verb}", args=(1_234_567,))
              for verb in ("change", "pause", "resume")),
            reverse("admin:hitstream_hit_change", args=(queued.hit_id,)),
            reverse("admin:hitstream_attempt_change", args=(queued.hit_id,)),
        ]  # fmt: skip
        for page in pages:
            with self.subTest(page):
                answer = self.client.get(page)
                assert answer.status_code == 200
                assert b"1.234.567" not in answer.content, "an id as a number to read"

    def test_a_dead_letter_is_replayed(self):
        integration = self.enqueue()
        queued = QueuedDelivery.objects.get()
        QueuedDelivery.objects.all().delete()
        letter = DeadLetter.objects.create(
            token_id=integration.token_id,
            integration=integration,
            hit_id=queued.hit_id,
            code="refused",
            attempts=1,
            attempt_id=queued.hit_id,
        )
        self.client.post(
            reverse("admin:hitstream_deadletter_changelist"),
            {"action": "replay", "_selected_action": [letter.pk]},
        )
        assert Delivery.objects.get().state == "queued"

    def test_what_the_admin_changes_is_a_revision(self):
        url = reverse("admin:hitstream_token_add")
        answer = self.client.post(url, {"name": "new", "enabled": "on", "ip_policy": "keep"})
        self.assertContains(answer, "hs_")
        self.assertContains(answer, "/hits/track")
        assert Token.objects.get(name="new").revision == 1

    @override_settings(ROOT_URLCONF="host.tests")
    def test_a_site_that_takes_no_hits_issues_tokens_all_the_same(self):
        url = reverse("admin:hitstream_token_add")
        answer = self.client.post(url, {"name": "new", "enabled": "on", "ip_policy": "keep"})
        self.assertContains(answer, "hs_")
        self.assertNotContains(answer, "curl")
