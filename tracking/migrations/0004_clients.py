import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tracking.models.tokens.privacy
import tracking.models.tokens.token

PATH = {
    "editable": False,
    "help_text": "Public, like the project id: a site can pass /f/ and this on to us.",
    "max_length": 20,
    "verbose_name": "first-party path",
}


def make_paths(apps, schema_editor):
    tokens = apps.get_model("tracking", "Token").objects.using(schema_editor.connection.alias)
    for token in tokens.all():
        token.path = tracking.models.tokens.token.random_path()
        token.save(update_fields=["path"])


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0003_operation"),
    ]

    operations = [
        # Behind a dump that reads the hits all ingest would wait with us: rather fail, and be run
        # again.
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="token",
            name="path",
            field=models.SlugField(null=True, db_index=False, **PATH),
        ),
        migrations.RunPython(make_paths, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="token",
            name="path",
            field=models.SlugField(
                default=tracking.models.tokens.token.random_path, unique=True, **PATH
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=255, validators=[tracking.models.tokens.privacy.check_origin]
                ),
                blank=True,
                default=list,
                help_text="Sites that may send with the project id, one a line: https://shop.example or https://*.shop.example. Empty: any site.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="ip_policy",
            field=models.CharField(
                choices=[
                    ("keep", "kept"),
                    ("anonymise", "anonymised (IPv4 to /24, IPv6 to /48)"),
                    ("drop", "dropped"),
                ],
                default="keep",
                help_text="Of those who send, and in `context.ip`. What is not kept is never stored.",
                max_length=10,
                verbose_name="IP addresses",
            ),
        ),
        migrations.AddField(
            model_name="hit",
            name="clock",
            field=models.CharField(
                choices=[
                    ("received", "when it was received: the sender gave no time"),
                    ("sent", "the sender's `sentAt`"),
                    ("timestamp", "the sender's `timestamp`"),
                    (
                        "corrected",
                        "the sender's `timestamp`, by our clock: received - (sent - timestamp)",
                    ),
                ],
                default="sent",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="file")),
                ("digest", models.BinaryField(max_length=32)),
                ("lines", models.PositiveBigIntegerField(default=0)),
                ("stored", models.PositiveBigIntegerField(default=0)),
                ("duplicate", models.PositiveBigIntegerField(default=0)),
                ("refused", models.PositiveBigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="tracking.token",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("token", "digest"), name="tracking_import_file")
                ],
            },
        ),
    ]
