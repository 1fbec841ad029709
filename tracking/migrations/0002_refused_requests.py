"""Samples of refused requests."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hitstream", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefusedRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_id", models.BigIntegerField(verbose_name="token id")),
                ("code", models.CharField(max_length=100, verbose_name="code")),
                ("message", models.TextField(verbose_name="message")),
                (
                    "made_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="made at"),
                ),
                ("method", models.CharField(max_length=10, verbose_name="method")),
                ("path", models.TextField(verbose_name="path")),
                ("user_agent", models.TextField(verbose_name="sender's user agent")),
                ("body", models.TextField(verbose_name="body")),
            ],
            options={
                "verbose_name": "refused request",
                "verbose_name_plural": "refused requests",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        fields=["token_id", "code", "id"], name="hitstream_refused_latest"
                    ),
                    models.Index(fields=["made_at"], name="hitstream_refused_made"),
                ],
            },
        ),
    ]
