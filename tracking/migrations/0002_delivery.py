import django.core.validators
import django.db.models.functions.datetime
from django.db import migrations, models

import tracking.models.integrations.integration

# What the statements of ingest and delivery call: the hour in a UUIDv7, and the lane of a user.
FUNCTIONS = """
    CREATE FUNCTION tracking_hour(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT to_timestamp(
            ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 3600000 * 3600
        )
    $$;
    CREATE FUNCTION tracking_lane(anonymous_id text, user_id text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT hashtextextended(coalesce(nullif(anonymous_id, ''), user_id), 0) $$;
    CREATE SEQUENCE tracking_owed_seq;
"""
NO_FUNCTIONS = """
    DROP SEQUENCE tracking_owed_seq;
    DROP FUNCTION tracking_lane(text, text);
    DROP FUNCTION tracking_hour(uuid);
"""
PAUSES = """
    UPDATE tracking_integration
    SET paused_cause = CASE paused_by WHEN 'hitstream' THEN 'setup' ELSE 'operator' END,
        probe_at = CASE paused_by WHEN 'hitstream' THEN now() END
    WHERE paused_at IS NOT NULL
"""
# Hits that were stored before anybody counted.
COUNTS = """
    INSERT INTO tracking_tally (hour, token_id, integration_id, what, reason, count)
    SELECT tracking_hour(id), token_id, 0, 'accepted', '', count(*)
    FROM tracking_hit GROUP BY 1, 2;
    INSERT INTO tracking_tally (hour, token_id, integration_id, what, reason, count)
    WITH delivery AS (
        SELECT hit_id, integration_id, '' AS what, '' AS reason FROM tracking_owed
        UNION ALL SELECT hit_id, integration_id, 'dead', code FROM tracking_deadletter
        UNION ALL SELECT DISTINCT hit_id, integration_id, result, '' FROM tracking_outcome
        WHERE result = 'delivered'
    ), counted AS (
        SELECT * FROM delivery WHERE what <> ''
        UNION ALL SELECT hit_id, integration_id, 'matched', '' FROM delivery
    )
    SELECT tracking_hour(hit_id), token_id, integration_id, what, reason, count(*)
    FROM counted JOIN tracking_integration AS integration ON integration.id = integration_id
    GROUP BY 1, 2, 3, 4, 5;
"""
STORAGE = """
    ALTER TABLE tracking_tally SET (
        autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000
    )
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.CreateModel(
            name="Bell",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("rung_at", models.DateTimeField()),
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
                ("hour", models.DateTimeField()),
                ("token_id", models.BigIntegerField()),
                ("integration_id", models.BigIntegerField(default=0)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
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
                "db_table": "tracking_ledger",
            },
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
                ("hour", models.DateTimeField()),
                ("token_id", models.BigIntegerField()),
                ("integration_id", models.BigIntegerField(default=0)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
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
        migrations.RemoveConstraint(
            model_name="integration",
            name="tracking_integration_name",
        ),
        migrations.AddField(
            model_name="integration",
            name="concurrency",
            field=models.PositiveSmallIntegerField(
                default=tracking.models.integrations.integration.default_concurrency,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(500),
                ],
                verbose_name="requests at once",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="integration",
            name="draining",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="integration",
            name="keep_bodies",
            field=models.BooleanField(
                default=False,
                help_text="Keep the bodies of successful requests, too. At many hits a second they outgrow the hits.",
                verbose_name="keep all bodies",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="max_age",
            field=models.PositiveIntegerField(
                default=tracking.models.integrations.integration.default_max_age,
                help_text="Seconds since it was owed; an attempt that fails later is the last. 604800 is a week.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="tried for at most",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="ordered",
            field=models.BooleanField(
                default=False,
                help_text="A user's hits are sent one by one in the order in which they were stored; later ones wait while an earlier one is retried. For hits that arrive from now on.",
                verbose_name="in each user's order",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="paused_cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("operator", "Paused by an operator"),
                    ("setup", "The configuration is wrong"),
                    ("down", "The destination is down"),
                    ("busy", "The destination asked to wait"),
                ],
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="probe_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="integration",
            name="probes",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="integration",
            name="rate_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: as fast as the destination answers.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="requests a second",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="retry_base",
            field=models.FloatField(
                default=tracking.models.integrations.integration.default_retry_base,
                help_text="Seconds. The longest wait before the first retry; it doubles with each.",
                validators=[
                    django.core.validators.MinValueValidator(0.001),
                    django.core.validators.MaxValueValidator(86400),
                ],
                verbose_name="first retry within",
            ),
        ),
        migrations.AddField(
            model_name="owed",
            name="lane",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="owed",
            name="owed_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="owed",
            name="seq",
            field=models.BigIntegerField(
                db_default=models.Func(models.Value("tracking_owed_seq"), function="nextval"),
                editable=False,
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="integration",
            name="enabled",
            field=models.BooleanField(
                default=True,
                help_text="Hits that arrive while it is disabled are not owed to it. To hold hits back, pause it instead; to have the last ones sent, drain it.",
            ),
        ),
        migrations.AlterField(
            model_name="outcome",
            name="result",
            field=models.CharField(
                choices=[
                    ("delivered", "Delivered"),
                    ("failed", "Failed, tried again"),
                    ("buried", "Dead letter"),
                    ("skipped", "Skipped"),
                    ("cancelled", "Cancelled"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="token",
            name="name",
            field=models.CharField(max_length=100),
        ),
        migrations.AddIndex(
            model_name="owed",
            index=models.Index(
                condition=models.Q(("lane__isnull", False)),
                fields=["integration", "lane", "seq"],
                name="tracking_owed_lane",
            ),
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("token", "name"),
                name="tracking_integration_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("name",),
                name="tracking_token_name",
            ),
        ),
        migrations.AddIndex(
            model_name="ledger",
            index=models.Index(
                fields=["integration_id", "hour"], name="tracking_ledger_integration"
            ),
        ),
        migrations.AddIndex(
            model_name="ledger",
            index=models.Index(fields=["token_id", "hour"], name="tracking_ledger_token"),
        ),
        migrations.AddConstraint(
            model_name="ledger",
            constraint=models.UniqueConstraint(
                fields=("hour", "token_id", "integration_id", "what", "reason"),
                name="tracking_ledger_count",
            ),
        ),
        migrations.RunSQL(PAUSES, migrations.RunSQL.noop),
        migrations.RunSQL(COUNTS, migrations.RunSQL.noop),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
