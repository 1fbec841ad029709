from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0008_rollup"),
    ]

    operations = [
        migrations.CreateModel(
            name="Repeat",
            fields=[
                ("hit_id", models.UUIDField(primary_key=True, serialize=False)),
                ("count", models.PositiveBigIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
        ),
    ]
