import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tracking.models.integrations.encrypted_json

#: Kind, threshold, minutes, minutes until it is over. Whoever wants others changes them.
RULES = (
    ("source", 0, 60, 10),
    ("rate", 90, 60, 10),
    ("backlog", 0, 30, 10),
    ("paused", 0, 5, 5),
    ("dead", 0, 60, 10),
    ("disk", 10, 1, 30),
    ("partitions", 7, 1, 1),
    ("pulse", 0, 3, 3),
)


def make_rules(apps, schema_editor):
    """Sensible ones for all tokens and integrations, without channels: seen in the console, and told
    once there is a channel."""
    rules = apps.get_model("tracking", "AlertRule").objects.using(schema_editor.connection.alias)
    for kind, threshold, minutes, calm in RULES:
        rules.create(kind=kind, threshold=threshold, minutes=minutes, calm=calm)


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0006_console"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=100)),
                ("message", models.TextField()),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("fine_since", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(db_index=True, null=True)),
                ("silent_until", models.DateTimeField(null=True)),
                ("silent_reason", models.CharField(blank=True, default="", max_length=300)),
                ("silenced_by", models.CharField(blank=True, default="", max_length=150)),
            ],
            options={
                "ordering": ("-id",),
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
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("email", "E-mail"), ("slack", "Slack"), ("webhook", "Webhook")],
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True, help_text="A disabled channel is told nothing."
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
                    "told_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last told"),
                ),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("error", models.TextField(blank=True, default="", editable=False)),
            ],
            options={
                "ordering": ("name",),
            },
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
                            ("source", "A token sends nothing"),
                            ("rate", "Too few deliveries work"),
                            ("backlog", "Hits are owed for too long"),
                            ("paused", "An integration is paused"),
                            ("dead", "Dead letters"),
                            ("disk", "The disk runs full"),
                            ("partitions", "Partitions run out"),
                            ("pulse", "Worker or beat is silent"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                (
                    "threshold",
                    models.FloatField(
                        default=0,
                        help_text="Deliveries that work, in per cent; new dead letters that are fine; free space of the disk, in per cent; days of partitions ahead. The others do not look at it.",
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="How far back it looks, or how long something may last. Disk and partitions are looked at as they are.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                    ),
                ),
                (
                    "calm",
                    models.PositiveIntegerField(
                        default=10,
                        help_text="An alert is over once everything was fine for so long: what comes and goes is told once.",
                        validators=[django.core.validators.MaxValueValidator(10080)],
                        verbose_name="minutes until it is over",
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ("kind", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
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
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="Pulse",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("beat_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="integration",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, to="tracking.integration"
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="token",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, to="tracking.token"
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="channels",
            field=models.ManyToManyField(
                blank=True,
                help_text="Who is told. None: every channel that is enabled.",
                to="tracking.alertchannel",
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="integration",
            field=models.ForeignKey(
                blank=True,
                help_text="Only this integration. Empty: every one.",
                limit_choices_to=models.Q(("deleted_at", None)),
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="tracking.integration",
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="token",
            field=models.ForeignKey(
                blank=True,
                help_text="Only this token and its integrations. Empty: every one.",
                limit_choices_to=models.Q(("deleted_at", None)),
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="tracking.token",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tracking.alertrule"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="alert",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="tracking.alert",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="channel",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tracking.alertchannel"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["rule", "subject", "id"], name="tracking_alert_last"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolved_at", None)),
                fields=("rule", "subject"),
                name="tracking_alert_open",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("sent_at", None)),
                fields=["next_at"],
                name="tracking_notice_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("alert", "channel", "what"), name="tracking_notice_once"
            ),
        ),
        migrations.RunPython(make_rules, migrations.RunPython.noop),
    ]
