from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Ingest and worker write meanwhile, however long it takes. What was left by a try that failed
    is dropped first."""

    atomic = False
    dependencies = [
        ("tracking", "0010_groups"),
    ]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS tracking_owed_retrying", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="owed",
            index=models.Index(
                condition=models.Q(("attempts__gt", 0)),
                fields=["integration", "owed_at"],
                name="tracking_owed_retrying",
            ),
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS tracking_deadletter_died", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="deadletter",
            index=models.Index(fields=["integration", "died_at"], name="tracking_deadletter_died"),
        ),
    ]
