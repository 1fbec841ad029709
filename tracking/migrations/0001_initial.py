"""The first schema of Hitstream.

Its SQL lies in `sql/0001_*.sql`; nothing else reads these files. Released with 0.1.0: neither
changes any more.
"""

import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import connections, migrations, models, router

import tracking.destinations.contract.registry
import tracking.models.integrations.defaults
import tracking.models.integrations.encrypted_json
import tracking.models.tokens.privacy

SQL = Path(__file__).with_name("sql")
#: Kind, threshold, minutes, minutes until the alert resolves. Operators change them.
RULES = (
    ("source", 0, 60, 10),
    ("rate", 90, 10, 10),
    ("backlog", 0, 30, 10),
    ("paused", 0, 5, 5),
    ("dead", 0, 60, 10),
    ("disk", 10, 1, 30),
    ("partitions", 7, 1, 1),
    ("heartbeat", 0, 3, 3),
    ("spool", 80, 1, 5),
)
VIEWERS, OPERATORS = "Hitstream viewers", "Hitstream operators"
#: What operators may do beyond viewing.
OPERATED = {
    "token": ("add", "change"),
    "integration": ("add", "change"),
    "deadletter": ("change",),
    "alert": ("change",),
    "alertrule": ("add", "change"),
    "alertchannel": ("add", "change"),
}


class CreatePartitioned(migrations.CreateModel):
    """A CreateModel whose table is range-partitioned on the column `by`."""

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by

    def database_forwards(self, app_label, schema_editor, *states):
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE ({self.by})"
        super().database_forwards(app_label, schema_editor, *states)
        schema_editor.sql_create_table = plain


def run_file(name):
    """Return the operation that runs the file, and its reverse where there is one."""
    reverse = SQL / f"{name}_reverse.sql"
    return migrations.RunSQL(
        (SQL / f"{name}.sql").read_text(),
        reverse.read_text() if reverse.exists() else migrations.RunSQL.noop,
    )


def make_partitions(apps, schema_editor):
    days = getattr(settings, "HITSTREAM", {}).get("PARTITION_DAYS_AHEAD", 30)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hitstream.days_ahead', %s, true)", [str(days)])
        cursor.execute((SQL / "0001_partitions.sql").read_text())


def make_rules(apps, schema_editor):
    """Create a rule of each kind without a channel: alerts show in the console, and notify nobody
    until there is a channel."""
    rules = apps.get_model("hitstream", "AlertRule").objects.using(schema_editor.connection.alias)
    for kind, threshold, minutes, calm in RULES:
        rules.create(kind=kind, threshold=threshold, minutes=minutes, calm=calm)


def make_groups(apps, schema_editor):
    """Create both groups in the database of the users, which may be another one than that of the
    hits; without tables there, do nothing."""
    group_model = apps.get_model("auth", "Group")
    using = router.db_for_write(group_model)
    if group_model._meta.db_table not in connections[using].introspection.table_names():
        return
    app_config = apps.get_app_config("hitstream")
    # Django makes the permissions only after all migrations.
    app_config.models_module = True
    create_permissions(app_config, apps=apps, using=using, verbosity=0)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    names = [model._meta.model_name for model in app_config.get_models()]
    views = [f"view_{name}" for name in names]
    more = [f"{action}_{name}" for name in names for action in OPERATED.get(name, ())]
    for title, wanted in ((VIEWERS, views), (OPERATORS, [*views, *more])):
        group, _ = group_model.objects.using(using).get_or_create(name=title)
        group.permissions.add(
            *permissions.filter(content_type__app_label="hitstream", codename__in=wanted)
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        run_file("0001_functions"),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "hit_id",
                    models.UUIDField(primary_key=True, serialize=False, verbose_name="hit id"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("retrying", "Retrying"),
                            ("delivered", "Delivered"),
                            ("dead", "Dead letter"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("since", models.DateTimeField(null=True, verbose_name="since / due")),
                ("reason", models.TextField(verbose_name="reason")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "db_table": "hitstream_delivery",
                "ordering": ("-hit_id",),
                "managed": False,
                "verbose_name": "delivery",
            },
        ),
        migrations.CreateModel(
            name="AlertChannel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("email", "E-mail"), ("slack", "Slack"), ("webhook", "Webhook")],
                        editable=False,
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="A disabled channel gets no notifications.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "config",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="config"
                    ),
                ),
                (
                    "secrets",
                    tracking.models.integrations.encrypted_json.EncryptedJSONField(
                        blank=True, default=dict, verbose_name="secrets"
                    ),
                ),
                (
                    "notified_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last notified"),
                ),
                (
                    "failures",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, verbose_name="failures"
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, default="", editable=False, verbose_name="error"),
                ),
            ],
            options={
                "ordering": ("name",),
                "verbose_name": "alert channel",
                "verbose_name_plural": "alert channels",
            },
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("hit_id", models.UUIDField(primary_key=True, serialize=False)),
                ("token_id", models.BigIntegerField()),
                ("count", models.PositiveBigIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="NodeSpool",
            fields=[
                ("node", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("bytes", models.BigIntegerField()),
                ("hits", models.BigIntegerField()),
                ("oldest_at", models.DateTimeField(null=True)),
                ("limit_bytes", models.BigIntegerField()),
                ("reported_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("node",),
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("beat_at", models.DateTimeField()),
            ],
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
            name="LateArrival",
            fields=[
                ("hit_id", models.UUIDField(primary_key=True, serialize=False)),
                ("token_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quarter_hour", models.DateTimeField()),
                ("token_id", models.BigIntegerField()),
                ("integration_id", models.BigIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
                            ("noted", "Noted"),
                            ("matched", "Matched"),
                            ("delivered", "Delivered"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                            ("dead", "Dead"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=100)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "token_id",
                        "name",
                        "who",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("token_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=255)),
                ("who", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="Wakeup",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("woken_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                (
                    "token_id",
                    models.BigIntegerField(default=0, primary_key=True, serialize=False),
                ),
                (
                    "position",
                    models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000")),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Ledger",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quarter_hour", models.DateTimeField()),
                ("token_id", models.BigIntegerField()),
                ("integration_id", models.BigIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
                            ("noted", "Noted"),
                            ("matched", "Matched"),
                            ("delivered", "Delivered"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                            ("dead", "Dead"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=100)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "db_table": "hitstream_ledger",
                "indexes": [
                    models.Index(
                        fields=["integration_id", "quarter_hour"],
                        name="hitstream_ledger_integration",
                    ),
                    models.Index(
                        fields=["token_id", "quarter_hour"], name="hitstream_ledger_token"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("quarter_hour", "token_id", "integration_id", "kind", "reason"),
                        name="hitstream_ledger_count",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LifetimeTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("integration_id", models.BigIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
                            ("noted", "Noted"),
                            ("matched", "Matched"),
                            ("delivered", "Delivered"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                            ("dead", "Dead"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=100)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("integration_id", "token_id", "kind", "reason"),
                        name="hitstream_lifetimetotal_count",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "token_id",
                        "dimension",
                        "at",
                        "name",
                        "value",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("dimension", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("name", models.CharField(max_length=255)),
                ("value", models.CharField(max_length=100)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="hitstream_rollup_at")],
            },
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("prefix", models.CharField(editable=False, max_length=16, verbose_name="prefix")),
                ("digest", models.BinaryField(max_length=32, unique=True, verbose_name="digest")),
                (
                    "retiring_prefix",
                    models.CharField(
                        blank=True, editable=False, max_length=16, verbose_name="retiring prefix"
                    ),
                ),
                (
                    "retiring_digest",
                    models.BinaryField(
                        max_length=32, null=True, unique=True, verbose_name="retiring digest"
                    ),
                ),
                (
                    "retiring_until",
                    models.DateTimeField(editable=False, null=True, verbose_name="retiring until"),
                ),
                (
                    "project_id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        help_text="Public: names the token in browsers. Not valid for /track.",
                        unique=True,
                        verbose_name="project id",
                    ),
                ),
                (
                    "path",
                    models.SlugField(
                        default=tracking.models.tokens.privacy.random_path,
                        editable=False,
                        help_text="Public, like the project id: a site proxies /f/ and this path to Hitstream.",
                        max_length=20,
                        unique=True,
                        verbose_name="first-party path",
                    ),
                ),
                (
                    "origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=255, validators=[tracking.models.tokens.privacy.check_origin]
                        ),
                        blank=True,
                        default=list,
                        help_text="Allowed origins, one per line: https://shop.example or https://*.shop.example. Empty: any site.",
                        size=None,
                        verbose_name="origins",
                    ),
                ),
                (
                    "ip_policy",
                    models.CharField(
                        choices=[
                            ("keep", "stored"),
                            ("anonymise", "anonymised (IPv4 to /24, IPv6 to /48)"),
                            ("drop", "dropped"),
                        ],
                        default="keep",
                        help_text="Addresses of clients, and in context.ip. A dropped address is never stored.",
                        max_length=10,
                        verbose_name="IP addresses",
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="While the token is disabled, requests get 401.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From this time on, requests get 401.",
                        null=True,
                        verbose_name="expires at",
                    ),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="revoked at"),
                ),
                (
                    "deleted_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="deleted at"),
                ),
                (
                    "rate_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Above this, 429 with Retry-After. Empty: no limit.",
                        null=True,
                        verbose_name="rate limit (hits/s)",
                    ),
                ),
                (
                    "audience",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="Group names, one per line. Only members see the token and its hits. Empty: every user who may view tokens.",
                        size=None,
                        verbose_name="restrict access to groups",
                    ),
                ),
                (
                    "breakdowns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                        verbose_name="breakdowns",
                    ),
                ),
                (
                    "revision",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="revision"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last used at"),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("name",),
                        name="hitstream_token_name",
                    )
                ],
                "verbose_name": "token",
                "verbose_name_plural": "tokens",
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
                    "consecutive_failures",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="consecutive failures"
                    ),
                ),
                (
                    "failing_since",
                    models.DateTimeField(editable=False, null=True, verbose_name="failing since"),
                ),
                (
                    "failure_status",
                    models.PositiveSmallIntegerField(
                        editable=False, null=True, verbose_name="failure status"
                    ),
                ),
                (
                    "failure_code",
                    models.CharField(
                        blank=True, editable=False, max_length=50, verbose_name="failure code"
                    ),
                ),
                (
                    "failure_message",
                    models.TextField(blank=True, editable=False, verbose_name="failure message"),
                ),
                (
                    "paused_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="paused at"),
                ),
                (
                    "paused_by",
                    models.CharField(
                        blank=True, editable=False, max_length=150, verbose_name="paused by"
                    ),
                ),
                (
                    "paused_reason",
                    models.TextField(blank=True, editable=False, verbose_name="paused reason"),
                ),
                (
                    "paused_cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("operator", "Paused by an operator"),
                            ("setup", "The configuration is wrong"),
                            ("down", "The destination is down"),
                            ("busy", "The destination asked to wait"),
                        ],
                        editable=False,
                        max_length=10,
                        verbose_name="paused cause",
                    ),
                ),
                (
                    "probe_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="probe at"),
                ),
                (
                    "probes",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, verbose_name="probes"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="A hit's integrations object can switch it on or off by name.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                ("handle", models.CharField(editable=False, max_length=300, verbose_name="handle")),
                (
                    "destination",
                    models.CharField(
                        choices=tracking.destinations.contract.registry.choices,
                        max_length=50,
                        verbose_name="destination",
                    ),
                ),
                (
                    "config",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="config"
                    ),
                ),
                (
                    "secrets",
                    tracking.models.integrations.encrypted_json.EncryptedJSONField(
                        blank=True, default=dict, verbose_name="secrets"
                    ),
                ),
                (
                    "event_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255),
                        blank=True,
                        default=list,
                        help_text="Event names, one per line. Empty: every event.",
                        size=None,
                        verbose_name="only these events",
                    ),
                ),
                (
                    "mapping",
                    models.JSONField(
                        blank=True, default=dict, editable=False, verbose_name="mapping"
                    ),
                ),
                (
                    "ordered",
                    models.BooleanField(
                        default=False,
                        help_text="Send a user's hits one by one, in the order they were stored; later hits wait while an earlier one is retried. Applies to hits that arrive from now on.",
                        verbose_name="in order per user",
                    ),
                ),
                (
                    "concurrency",
                    models.PositiveSmallIntegerField(
                        default=tracking.models.integrations.defaults.default_concurrency,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500),
                        ],
                        verbose_name="concurrency",
                    ),
                ),
                (
                    "rate_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: as fast as the destination answers.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="rate limit (requests/s)",
                    ),
                ),
                (
                    "max_attempts",
                    models.PositiveSmallIntegerField(
                        default=tracking.models.integrations.defaults.default_max_attempts,
                        help_text="After the last attempt the delivery is a dead letter. 15 attempts take about 3 days.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="max attempts",
                    ),
                ),
                (
                    "max_age",
                    models.PositiveIntegerField(
                        default=tracking.models.integrations.defaults.default_max_age,
                        help_text="Seconds since the delivery was queued; an attempt that fails later is the last. 604800 is a week.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="give up after",
                    ),
                ),
                (
                    "retry_base",
                    models.FloatField(
                        default=tracking.models.integrations.defaults.default_retry_base,
                        help_text="Seconds. The longest wait before the first retry; it doubles with each retry.",
                        validators=[
                            django.core.validators.MinValueValidator(0.001),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                        verbose_name="first retry within",
                    ),
                ),
                (
                    "keep_bodies",
                    models.BooleanField(
                        default=False,
                        help_text="Keep the bodies of successful requests, too. At high rates they take more space than the hits.",
                        verbose_name="keep all bodies",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created at"
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="Disabled: new hits are not queued. Pause to keep queueing; Drain to send what is queued and stop.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "draining",
                    models.BooleanField(default=False, editable=False, verbose_name="draining"),
                ),
                (
                    "deleted_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="deleted at"),
                ),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="integrations",
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={
                "ordering": ("token", "name"),
                "verbose_name": "integration",
                "verbose_name_plural": "integrations",
            },
        ),
        CreatePartitioned(
            name="Hit",
            by="id",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False, verbose_name="id")),
                (
                    "revision",
                    models.PositiveIntegerField(
                        help_text="The token's configuration when the hit arrived.",
                        verbose_name="revision",
                    ),
                ),
                ("hit_id", models.CharField(max_length=255, verbose_name="hitId")),
                ("type", models.CharField(max_length=50, verbose_name="type")),
                ("name", models.CharField(max_length=255, verbose_name="event")),
                ("user_id", models.CharField(max_length=255, verbose_name="user id")),
                ("anonymous_id", models.CharField(max_length=255, verbose_name="anonymous id")),
                ("email_hash", models.CharField(max_length=255, verbose_name="e-mail hash")),
                ("email_digest", models.UUIDField(null=True, verbose_name="email digest")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                (
                    "clock",
                    models.CharField(
                        choices=[
                            ("received", "when it was received: the sender gave no time"),
                            ("sent", "the sender's `sentAt`"),
                            ("timestamp", "the sender's `timestamp`"),
                            (
                                "corrected",
                                "the sender's `timestamp`, by our clock: received - (sent - timestamp)",
                            ),
                            ("capped", "when it was received: the sender's time was later"),
                            (
                                "unreadable",
                                "when it was received: the sender's time could not be read",
                            ),
                        ],
                        max_length=10,
                        verbose_name="clock",
                    ),
                ),
                ("ip", models.GenericIPAddressField(null=True, verbose_name="sender's IP")),
                ("user_agent", models.TextField(verbose_name="sender's user agent")),
                ("country", models.CharField(max_length=2, null=True, verbose_name="country")),
                ("agent", models.IntegerField(null=True, verbose_name="agent")),
                ("is_bot", models.BooleanField(null=True, verbose_name="is bot")),
                ("payload", models.JSONField(verbose_name="payload")),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "verbose_name": "hit",
                "verbose_name_plural": "hits",
            },
        ),
        migrations.CreateModel(
            name="FileImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="file")),
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
                ("lines", models.PositiveBigIntegerField(default=0, verbose_name="lines")),
                ("stored", models.PositiveBigIntegerField(default=0, verbose_name="stored")),
                ("duplicate", models.PositiveBigIntegerField(default=0, verbose_name="duplicate")),
                ("refused", models.PositiveBigIntegerField(default=0, verbose_name="refused")),
                (
                    "started_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="started at"
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={"verbose_name": "file import", "verbose_name_plural": "file imports"},
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("source", "Source is silent"),
                            ("rate", "Deliveries fail"),
                            ("backlog", "Delivery backlog"),
                            ("paused", "Integration is paused"),
                            ("dead", "Dead letters"),
                            ("disk", "Disk is filling up"),
                            ("partitions", "Partitions are running out"),
                            ("heartbeat", "Worker or beat is silent"),
                            ("spool", "Hits wait in a spool"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "threshold",
                    models.FloatField(
                        default=0,
                        help_text="Successful deliveries in per cent; allowed dead letters; free disk space in per cent; days of partitions ahead; how full a spool may be in per cent. Not used by other rules.",
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="threshold",
                    ),
                ),
                (
                    "minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="The window that the rule looks at, or how long something may last. Not used for disk and partitions.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                        verbose_name="minutes",
                    ),
                ),
                (
                    "calm",
                    models.PositiveIntegerField(
                        default=10,
                        help_text="Resolve after this many quiet minutes. An alert that comes and goes notifies once.",
                        validators=[django.core.validators.MaxValueValidator(10080)],
                        verbose_name="quiet minutes",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "channels",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Channels to notify. None: every enabled channel.",
                        to="hitstream.alertchannel",
                        verbose_name="channels",
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this integration. Empty: all integrations.",
                        limit_choices_to=models.Q(("deleted_at", None)),
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="hitstream.integration",
                        verbose_name="integration",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only this token and its integrations. Empty: all tokens.",
                        limit_choices_to=models.Q(("deleted_at", None)),
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={
                "ordering": ("kind", "pk"),
                "verbose_name": "alert rule",
                "verbose_name_plural": "alert rules",
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=100, verbose_name="subject")),
                ("message", models.TextField(verbose_name="message")),
                (
                    "opened_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="opened at"
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="found at"
                    ),
                ),
                ("fine_since", models.DateTimeField(null=True, verbose_name="fine since")),
                (
                    "resolved_at",
                    models.DateTimeField(db_index=True, null=True, verbose_name="resolved at"),
                ),
                ("silent_until", models.DateTimeField(null=True, verbose_name="silent until")),
                (
                    "silent_reason",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="silent reason"
                    ),
                ),
                (
                    "silenced_by",
                    models.CharField(
                        blank=True, default="", max_length=150, verbose_name="silenced by"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="hitstream.alertrule",
                        verbose_name="rule",
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="hitstream.integration",
                        verbose_name="integration",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "verbose_name": "alert",
                "verbose_name_plural": "alerts",
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
                ("token_id", models.BigIntegerField(verbose_name="token id")),
                ("hit_id", models.UUIDField(verbose_name="hit id")),
                (
                    "failed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="failed at"
                    ),
                ),
                ("code", models.CharField(max_length=50, verbose_name="code")),
                ("message", models.TextField(verbose_name="message")),
                ("attempts", models.PositiveSmallIntegerField(verbose_name="attempts")),
                ("attempt_id", models.UUIDField(verbose_name="attempt id")),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="hitstream.integration",
                        verbose_name="integration",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        fields=["integration", "failed_at"], name="hitstream_deadletter_failed"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("hit_id", "integration", "token_id"),
                        name="hitstream_deadletter_hit",
                    )
                ],
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
            },
        ),
        CreatePartitioned(
            name="Attempt",
            by="id",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False, verbose_name="id")),
                ("token_id", models.BigIntegerField(verbose_name="token id")),
                (
                    "made_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="made at"),
                ),
                ("hits", models.PositiveIntegerField(verbose_name="hits")),
                ("failed_hits", models.PositiveIntegerField(default=0, verbose_name="failed hits")),
                ("code", models.CharField(blank=True, max_length=50, verbose_name="code")),
                ("message", models.TextField(blank=True, verbose_name="message")),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="status")),
                ("duration", models.FloatField(verbose_name="duration")),
                ("method", models.CharField(blank=True, max_length=10, verbose_name="method")),
                ("url", models.TextField(blank=True, verbose_name="url")),
                ("request_headers", models.JSONField(default=dict, verbose_name="request headers")),
                ("request_body", models.TextField(blank=True, verbose_name="request body")),
                (
                    "response_headers",
                    models.JSONField(default=dict, verbose_name="response headers"),
                ),
                ("response_body", models.TextField(blank=True, verbose_name="response body")),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="hitstream.integration",
                        verbose_name="integration",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["integration", "id"], name="hitstream_attempt_integration")
                ],
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("still_open", "still open"),
                            ("resolved", "Resolved"),
                        ],
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="hitstream.alert",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="hitstream.alertchannel"
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at", None)),
                        fields=["next_at"],
                        name="hitstream_notification_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("alert", "channel", "kind"), name="hitstream_notification_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("replay", "replay"),
                            ("backfill", "backfill"),
                            ("delete", "delete"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("criteria", models.JSONField(default=dict, verbose_name="criteria")),
                (
                    "rate",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="rate (hits/s)",
                    ),
                ),
                (
                    "total",
                    models.PositiveBigIntegerField(
                        help_text="The number of rows when the operation was requested.",
                        verbose_name="total",
                    ),
                ),
                ("done", models.PositiveBigIntegerField(default=0, verbose_name="done")),
                (
                    "position",
                    models.CharField(
                        blank=True, default="", max_length=36, verbose_name="position"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("stopped", "Stopped"),
                            ("finished", "Finished"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("message", models.TextField(blank=True, default="", verbose_name="message")),
                ("requested_by", models.CharField(max_length=150, verbose_name="requested by")),
                (
                    "requested_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="requested at"
                    ),
                ),
                ("started_at", models.DateTimeField(null=True, verbose_name="started at")),
                (
                    "next_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="next at"),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operations",
                        to="hitstream.integration",
                        verbose_name="integration",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["requested_at"], name="hitstream_operation_requested"),
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "running"))),
                        fields=["next_at"],
                        name="hitstream_operation_open",
                    ),
                ],
                "verbose_name": "operation",
                "verbose_name_plural": "operations",
            },
        ),
        CreatePartitioned(
            name="Outcome",
            by="hit_id",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hit_id",
                        "integration_id",
                        "attempt_id",
                        "token_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("hit_id", models.UUIDField()),
                ("attempt_id", models.UUIDField()),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("failed", "Failed, will retry"),
                            ("dead_letter", "Dead letter"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("settled_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("waited", models.FloatField(null=True)),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="hitstream.integration",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["integration", "hit_id"], name="hitstream_outcome_integration"
                    ),
                    models.Index(
                        condition=models.Q(("result", "delivered"), _negated=True),
                        fields=["hit_id"],
                        name="hitstream_outcome_failed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "integration_id",
                        "slot",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("integration_id", models.BigIntegerField()),
                ("slot", models.SmallIntegerField()),
                ("holder", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={"db_table": "hitstream_lease"},
        ),
        migrations.CreateModel(
            name="EngineRun",
            fields=[
                ("holder", models.UUIDField(primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField()),
            ],
            options={"db_table": "hitstream_run"},
        ),
        migrations.CreateModel(
            name="QueuedDelivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hit_id",
                        "integration_id",
                        "token_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("hit_id", models.UUIDField()),
                ("due_at", models.DateTimeField()),
                (
                    "queued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ordering_key", models.BigIntegerField(null=True)),
                (
                    "seq",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("hitstream_queue_seq"), function="nextval"
                        ),
                        editable=False,
                    ),
                ),
                ("claims", models.SmallIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="hitstream.integration",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "queued deliveries",
                "db_table": "hitstream_queue",
                "indexes": [
                    models.Index(fields=["integration", "due_at"], name="hitstream_queue_due"),
                    models.Index(
                        condition=models.Q(("claims__gte", 2)),
                        fields=["integration", "due_at"],
                        name="hitstream_queue_suspect",
                    ),
                    models.Index(
                        condition=models.Q(("attempts__gt", 0)),
                        fields=["integration", "queued_at"],
                        name="hitstream_queue_retrying",
                    ),
                    models.Index(
                        condition=models.Q(("ordering_key__isnull", False)),
                        fields=["integration", "ordering_key", "seq"],
                        name="hitstream_queue_ordering",
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
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "made_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="made at"),
                ),
                ("made_by", models.CharField(blank=True, max_length=150, verbose_name="made by")),
                ("snapshot", models.JSONField(verbose_name="snapshot")),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="hitstream.token",
                        verbose_name="token",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["made_at"], name="hitstream_revision_made")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("token", "number"), name="hitstream_revision_number"
                    )
                ],
                "verbose_name": "revision",
                "verbose_name_plural": "revisions",
            },
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("token", "name"),
                name="hitstream_integration_name",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["hit_id"], name="hitstream_hit_hit_id"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["token", "id"], name="hitstream_hit_token"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(fields=["name", "id"], name="hitstream_hit_name"),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("user_id", ""), _negated=True),
                fields=["user_id"],
                name="hitstream_hit_user",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("anonymous_id", ""), _negated=True),
                fields=["anonymous_id"],
                name="hitstream_hit_anonymous",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("email_hash", ""), _negated=True),
                fields=["email_hash"],
                name="hitstream_hit_email_hash",
            ),
        ),
        migrations.AddIndex(
            model_name="hit",
            index=models.Index(
                condition=models.Q(("email_digest__isnull", False)),
                fields=["email_digest"],
                name="hitstream_hit_email",
            ),
        ),
        migrations.AddConstraint(
            model_name="fileimport",
            constraint=models.UniqueConstraint(
                fields=("token", "digest"), name="hitstream_fileimport_file"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["rule", "subject", "id"], name="hitstream_alert_last"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolved_at", None)),
                fields=("rule", "subject"),
                name="hitstream_alert_open",
            ),
        ),
        run_file("0001_views"),
        run_file("0001_storage"),
        run_file("0001_keys"),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
        migrations.RunPython(make_rules, migrations.RunPython.noop),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
