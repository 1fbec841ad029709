import django.contrib.postgres.fields
from django.db import migrations, models

# What was rolled up before; the tallies follow by themselves.
TOTALS = """
    INSERT INTO tracking_total (token_id, integration_id, what, reason, count)
    SELECT token_id, integration_id, what, reason, sum(count) FROM tracking_ledger GROUP BY 1, 2, 3, 4
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0005_mapping"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Total",
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
        ),
        migrations.AddConstraint(
            model_name="total",
            constraint=models.UniqueConstraint(
                fields=("integration_id", "token_id", "what", "reason"), name="tracking_total_count"
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["asked_at"], name="tracking_operation_asked"),
        ),
        migrations.AddIndex(
            model_name="revision",
            index=models.Index(fields=["made_at"], name="tracking_revision_made"),
        ),
        migrations.RunSQL(TOTALS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="token",
            name="audience",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=150),
                blank=True,
                db_default=[],
                default=list,
                help_text="Names of groups, one a line: who is in none of them sees nothing of the token. Empty: everybody who may see tokens.",
                size=None,
                verbose_name="only for these groups",
            ),
        ),
    ]
