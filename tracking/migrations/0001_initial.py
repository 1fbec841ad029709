import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tracking.destinations.contract.registry
import tracking.models.integrations.encrypted_json
import tracking.models.integrations.integration
from tracking.models.hits import partitions

# A WHERE inside would keep Postgres from reading the branches in the order of their indexes, so
# all outcomes are in it: also those of attempts that settled nothing.
DELIVERY = """
    CREATE VIEW tracking_delivery AS
    SELECT hit_id, integration_id,
           CASE WHEN attempts > 0 THEN 'retrying' ELSE 'owed' END AS state,
           due_at AS since, ''::text AS reason
    FROM tracking_owed
    UNION ALL
    SELECT hit_id, integration_id, 'dead'::text, died_at, message
    FROM tracking_deadletter
    UNION ALL
    SELECT hit_id, integration_id, result::text, settled_at, reason
    FROM tracking_outcome
"""
# Rows come and go: room to update them in place, and vacuum before the index grows.
QUEUE = """
    ALTER TABLE tracking_owed SET (
        fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000
    )
"""


def make_partitions(apps, schema_editor):
    def execute(sql, params=None):
        cursor = schema_editor.connection.cursor()
        cursor.execute(sql, params)
        return cursor

    partitions.make_ahead(execute, ("tracking_hit", "tracking_outcome", "tracking_attempt"))


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("hit_id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("owed", "Owed"),
                            ("retrying", "Retrying"),
                            ("delivered", "Delivered"),
                            ("dead", "Dead letter"),
                        ],
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(null=True, verbose_name="since / due")),
                ("reason", models.TextField()),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "db_table": "tracking_delivery",
                "ordering": ("-hit_id",),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="HitKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "token_id",
                        "digest",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("digest", models.UUIDField()),
                ("hit_id", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("prefix", models.CharField(editable=False, max_length=16)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("retiring_prefix", models.CharField(blank=True, editable=False, max_length=16)),
                ("retiring_digest", models.BinaryField(max_length=32, null=True, unique=True)),
                ("retiring_until", models.DateTimeField(editable=False, null=True)),
                (
                    "project_id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        help_text="Public: names the token in browsers. It opens nothing on /track.",
                        unique=True,
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="A disabled token is answered 401 until it is enabled again.",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From this time on the token is answered 401.",
                        null=True,
                    ),
                ),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "rate_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Past it the answer is 429 with Retry-After. Empty: no limit.",
                        null=True,
                        verbose_name="hits a second",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Integration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="A hit's `integrations` object may switch it on and off by name.",
                        max_length=100,
                    ),
                ),
                ("handle", models.CharField(editable=False, max_length=300)),
                (
                    "destination",
                    models.CharField(
                        choices=tracking.destinations.contract.registry.choices, max_length=50
                    ),
                ),
                ("config", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "secrets",
                    tracking.models.integrations.encrypted_json.EncryptedJSONField(
                        blank=True, default=dict
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="Hits that arrive while it is disabled are not owed to it. To hold hits back, pause it instead.",
                    ),
                ),
                (
                    "event_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255),
                        blank=True,
                        default=list,
                        help_text="Event names, one a line. Empty: every event.",
                        size=None,
                        verbose_name="only these events",
                    ),
                ),
                (
                    "max_attempts",
                    models.PositiveSmallIntegerField(
                        default=tracking.models.integrations.integration.default_max_attempts,
                        help_text="Then the delivery becomes a dead letter. 15 attempts take about three days.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                ("paused_at", models.DateTimeField(editable=False, null=True)),
                ("paused_by", models.CharField(blank=True, editable=False, max_length=150)),
                ("paused_reason", models.TextField(blank=True, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="integrations",
                        to="tracking.token",
                    ),
                ),
            ],
            options={
                "ordering": ("token", "name"),
            },
        ),
        partitions.CreatePartitioned(
            name="Hit",
            by="id",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "revision",
                    models.PositiveIntegerField(
                        help_text="The token's configuration when the hit arrived."
                    ),
                ),
                ("hit_id", models.CharField(max_length=255, verbose_name="hitId")),
                ("type", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=255, verbose_name="event")),
                ("user_id", models.CharField(max_length=255, verbose_name="user id")),
                ("anonymous_id", models.CharField(max_length=255, verbose_name="anonymous id")),
                ("email_hash", models.CharField(max_length=255, verbose_name="e-mail hash")),
                ("sent_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("occurred_at", models.DateTimeField()),
                ("ip", models.GenericIPAddressField(null=True, verbose_name="sender's IP")),
                ("user_agent", models.TextField(verbose_name="sender's user agent")),
                ("payload", models.JSONField()),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tracking.token",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hit_id", models.UUIDField()),
                ("died_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("code", models.CharField(max_length=50)),
                ("message", models.TextField()),
                ("attempts", models.PositiveSmallIntegerField()),
                ("attempt_id", models.UUIDField()),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="tracking.integration"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hit_id", "integration"), name="tracking_deadletter_hit"
                    )
                ],
            },
        ),
        partitions.CreatePartitioned(
            name="Attempt",
            by="id",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("hits", models.PositiveIntegerField()),
                ("code", models.CharField(blank=True, max_length=50)),
                ("message", models.TextField(blank=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("duration", models.FloatField()),
                ("method", models.CharField(blank=True, max_length=10)),
                ("url", models.TextField(blank=True)),
                ("request_headers", models.JSONField(default=dict)),
                ("request_body", models.TextField(blank=True)),
                ("response_headers", models.JSONField(default=dict)),
                ("response_body", models.TextField(blank=True)),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="tracking.integration",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["integration", "id"], name="tracking_attempt_integration")
                ],
            },
        ),
        partitions.CreatePartitioned(
            name="Outcome",
            by="hit_id",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hit_id",
                        "integration_id",
                        "attempt_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hit_id", models.UUIDField()),
                ("attempt_id", models.UUIDField()),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("failed", "Failed, tried again"),
                            ("buried", "Dead letter"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("settled_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="tracking.integration",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["integration", "hit_id"], name="tracking_outcome_integration"
                    ),
                    models.Index(
                        condition=models.Q(("result", "delivered"), _negated=True),
                        fields=["hit_id"],
                        name="tracking_outcome_failed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Owed",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hit_id",
                        "integration_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hit_id", models.UUIDField()),
                ("due_at", models.DateTimeField()),
                ("claims", models.SmallIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="tracking.integration",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "owed",
                "indexes": [
                    models.Index(fields=["integration", "due_at"], name="tracking_owed_due"),
                    models.Index(
                        condition=models.Q(("claims__gte", 2)),
                        fields=["integration", "due_at"],
                        name="tracking_owed_suspect",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("made_by", models.CharField(blank=True, max_length=150)),
                ("snapshot", models.JSONField()),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="tracking.token",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("token", "number"), name="tracking_revision_number"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                fields=("token", "name"), name="tracking_integration_name"
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["hit_id"], name="tracking_hit_hit_id"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["token", "id"], name="tracking_hit_token"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["name", "id"], name="tracking_hit_name"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("user_id", ""), _negated=True),
                fields=["user_id"],
                name="tracking_hit_user",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("anonymous_id", ""), _negated=True),
                fields=["anonymous_id"],
                name="tracking_hit_anonymous",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("email_hash", ""), _negated=True),
                fields=["email_hash"],
                name="tracking_hit_email_hash",
            ),
        ),
        migrations.RunSQL(DELIVERY, "DROP VIEW tracking_delivery"),
        migrations.RunSQL(QUEUE, migrations.RunSQL.noop),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
    ]
