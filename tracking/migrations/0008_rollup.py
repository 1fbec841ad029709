import uuid

import django.contrib.postgres.fields
from django.db import migrations, models

# What a JSON value says as a text, if it says something; and the path of a URL.
FUNCTIONS = r"""
    CREATE FUNCTION tracking_scalar(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE WHEN jsonb_typeof(value) IN ('string', 'number', 'boolean')
            THEN nullif(value #>> '{}', '') END
    $$;
    CREATE FUNCTION tracking_path(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE WHEN path = '' THEN '/' ELSE path END
        FROM (SELECT (
            regexp_match(url, '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)')
        )[1] AS path) AS found
    $$;
"""
NO_FUNCTIONS = """
    DROP FUNCTION tracking_path(text);
    DROP FUNCTION tracking_scalar(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0007_alert"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.CreateModel(
            name="Late",
            fields=[
                ("hit_id", models.UUIDField(primary_key=True, serialize=False)),
            ],
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
            name="Watermark",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                (
                    "position",
                    models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000")),
                ),
            ],
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
                "indexes": [models.Index(fields=["at"], name="tracking_rollup_at")],
            },
        ),
        migrations.AddField(
            model_name="token",
            name="breakdowns",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=100),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
    ]
