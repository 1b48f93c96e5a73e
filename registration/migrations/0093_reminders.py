import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0006_reminders"),
        ("registration", "0085_mail_kinds"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "webinar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reminders",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
                ("minutes", models.PositiveIntegerField(verbose_name="minutes before the start")),
                ("starts_at", models.DateTimeField(verbose_name="starts at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                ("helps_until", models.DateTimeField(verbose_name="of use until")),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="queued at")),
                ("is_late", models.BooleanField(default=False, verbose_name="too late to be of use")),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "constraints": [
                    models.UniqueConstraint(fields=("webinar", "minutes", "starts_at"), name="reminder_once_an_hour")
                ],
            },
        ),
        migrations.CreateModel(
            name="WebinarNotice",
            fields=[
                (
                    "webinar",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="notice",
                        serialize=False,
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
                ("told", models.JSONField(verbose_name="what people know")),
                ("told_at", models.DateTimeField(blank=True, null=True, verbose_name="told at")),
                ("seen", models.JSONField(blank=True, null=True, verbose_name="what holds by now")),
                (
                    "seen_at",
                    models.DateTimeField(
                        blank=True, help_text="Empty: there is nothing to tell.", null=True, verbose_name="changed at"
                    ),
                ),
            ],
            options={
                "verbose_name": "news of a webinar",
                "verbose_name_plural": "news of webinars",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="wants_digest",
            field=models.BooleanField(
                default=False,
                help_text="For organisers: the numbers of each day on which something happened.",
                verbose_name="daily digest by mail",
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="priority",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "At once"), (5, "Soon"), (7, "Before its hour"), (9, "In bulk")],
                default=5,
                verbose_name="priority",
            ),
        ),
    ]
