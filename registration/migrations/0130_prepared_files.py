import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from registration.migrations import _rights

# Each text about a partner named all of these until now.
COLUMNS = [
    *("registration_code", "webinar", "name", "email", "phone", "gender", "age_group", "province", "regency"),
    *("organisation", "organisation_kind", "status", "registered_at", "attended_minutes"),
]
LANGUAGES = [("id", "Indonesian"), ("en", "English")]


def name_columns(apps, schema_editor):
    texts = apps.get_model("registration", "ConsentText").objects.using(schema_editor.connection.alias)
    texts.filter(purpose="partner").update(columns=COLUMNS)


def let_organisers(apps, schema_editor):
    """Looking at the list of files is no way to fetch one: each is its asker's own."""
    _rights.give(
        apps, schema_editor, {"Organisers": ["registration.add_preparedfile", "registration.view_preparedfile"]}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0006_reminders"),
        ("registration", "0120_audit_room"),
    ]

    operations = [
        migrations.AddField(
            model_name="consenttext",
            name="columns",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                default=list,
                help_text="A partner's list says no more of a person than her text names.",
                size=None,
                verbose_name="columns of the list that it names",
            ),
        ),
        migrations.RunPython(name_columns, migrations.RunPython.noop),
        migrations.CreateModel(
            name="PreparedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "token",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="key in its address"
                    ),
                ),
                ("choice", models.JSONField(blank=True, default=dict, verbose_name="filters")),
                ("columns", models.TextField(verbose_name="columns")),
                (
                    "format",
                    models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX")], max_length=4, verbose_name="format"),
                ),
                (
                    "language",
                    models.CharField(choices=LANGUAGES, default="id", max_length=2, verbose_name="language"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("working", "Being written"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("rows_done", models.PositiveIntegerField(default=0, verbose_name="people written")),
                ("rows_total", models.PositiveIntegerField(default=0, verbose_name="people")),
                (
                    "people",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="keys of the registrations",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                (
                    "claim",
                    models.UUIDField(blank=True, editable=False, null=True, verbose_name="claim of its worker"),
                ),
                ("touched_at", models.DateTimeField(blank=True, null=True, verbose_name="last sign of its worker")),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="error")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="asked for at"
                    ),
                ),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="ready at")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="good until")),
                ("fetched_at", models.DateTimeField(blank=True, null=True, verbose_name="fetched at")),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a file of the organisers themselves.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prepared_files",
                        to="conference.organisation",
                        verbose_name="organisation",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prepared_files",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked for by",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prepared_files",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "prepared file",
                "verbose_name_plural": "prepared files",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "queued")), fields=["created_at"], name="prepared_file_queued"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "ready"), _negated=True),
                            models.Q(("ends_at__isnull", False), ("ready_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="prepared_file_ready_ends",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PreparedBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("content", models.BinaryField(verbose_name="content")),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="blocks",
                        to="registration.preparedfile",
                        verbose_name="file",
                    ),
                ),
            ],
            options={
                "verbose_name": "piece of a prepared file",
                "verbose_name_plural": "pieces of prepared files",
                "constraints": [
                    models.UniqueConstraint(fields=("file", "number"), name="prepared_block_once"),
                ],
            },
        ),
        # What is packed already is not worth trying to pack once more.
        migrations.RunSQL(
            "ALTER TABLE registration_preparedblock ALTER COLUMN content SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(let_organisers, migrations.RunPython.noop),
    ]
