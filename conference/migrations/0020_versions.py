import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models
from django.utils import timezone

import conference.models

TRACKED = [
    "Edition",
    "Organisation",
    "Page",
    "AgendaItem",
    "Appearance",
    "Material",
    "Partnership",
    "Speaker",
    "Webinar",
]


def keep_first(apps, schema_editor):
    """What stands now is the version that one can go back to."""
    now = timezone.now()
    for name in TRACKED:
        versions = apps.get_model("conference", f"Historical{name}")
        columns = [field.attname for field in versions._meta.concrete_fields if not field.name.startswith("history_")]
        rows = apps.get_model("conference", name).objects.values(*columns)
        facts = {"history_date": now, "history_type": "+", "history_change_reason": "before"}
        versions.objects.bulk_create(versions(**row, **facts) for row in rows)
    keep_hosts(apps)


def keep_hosts(apps):
    webinar = apps.get_model("conference", "Webinar")
    versions = dict(apps.get_model("conference", "HistoricalWebinar").objects.values_list("id", "pk"))
    apps.get_model("conference", "HistoricalWebinar_hosts").objects.bulk_create(
        apps.get_model("conference", "HistoricalWebinar_hosts")(
            history_id=versions[row.webinar_id],
            id=row.pk,
            webinar_id=row.webinar_id,
            organisation_id=row.organisation_id,
        )
        for row in webinar.hosts.through.objects.all()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0010_publishing"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalEdition",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(db_index=True, verbose_name="number")),
                ("year", models.PositiveSmallIntegerField(db_index=True, verbose_name="year")),
                ("slug", models.SlugField(verbose_name="slug")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_ind", models.CharField(max_length=200, null=True, verbose_name="name")),
                ("name_en", models.CharField(max_length=200, null=True, verbose_name="name")),
                ("theme", models.CharField(blank=True, max_length=300, verbose_name="theme")),
                ("theme_ind", models.CharField(blank=True, max_length=300, null=True, verbose_name="theme")),
                ("theme_en", models.CharField(blank=True, max_length=300, null=True, verbose_name="theme")),
                ("starts_on", models.DateField(verbose_name="first day")),
                ("ends_on", models.DateField(verbose_name="last day")),
                ("place", models.CharField(blank=True, max_length=200, verbose_name="place")),
                ("place_ind", models.CharField(blank=True, max_length=200, null=True, verbose_name="place")),
                ("place_en", models.CharField(blank=True, max_length=200, null=True, verbose_name="place")),
                ("summary", models.TextField(blank=True, help_text="Markdown.", verbose_name="summary")),
                ("summary_ind", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="summary")),
                ("summary_en", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="summary")),
                (
                    "registration_opens_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="registration opens at"),
                ),
                (
                    "registration_closes_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: open until each webinar ends.",
                        null=True,
                        verbose_name="registration closes at",
                    ),
                ),
                (
                    "is_current",
                    models.BooleanField(
                        default=False,
                        help_text="Shown on the home page. Only one edition can be current.",
                        verbose_name="current edition",
                    ),
                ),
                (
                    "is_rehearsal",
                    models.BooleanField(
                        default=False,
                        help_text="Every page says that this is a rehearsal with moved dates.",
                        verbose_name="rehearsal",
                    ),
                ),
                (
                    "is_published",
                    models.BooleanField(
                        default=True,
                        help_text="Off: nobody sees this edition until one of its webinars is published.",
                        verbose_name="shown to visitors",
                    ),
                ),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical edition",
                "verbose_name_plural": "historical editions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalOrganisation",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("name_ind", models.CharField(max_length=200, null=True, verbose_name="name")),
                ("name_en", models.CharField(max_length=200, null=True, verbose_name="name")),
                ("acronym", models.CharField(blank=True, max_length=40, verbose_name="acronym")),
                ("slug", models.SlugField(verbose_name="slug")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("foundation", "Foundation"),
                            ("network", "Network"),
                            ("cso", "Civil society organisation"),
                            ("state_body", "Independent state body"),
                            ("government", "Government"),
                            ("programme", "Programme"),
                            ("media", "Media"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("website", models.URLField(blank=True, verbose_name="website")),
                (
                    "logo",
                    models.TextField(
                        blank=True,
                        max_length=100,
                        validators=[django.core.validators.FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
                        verbose_name="logo",
                    ),
                ),
                (
                    "logo_crop",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        help_text="Without a choice the middle is shown.",
                        size=None,
                        validators=[conference.models.validate_crop],
                        verbose_name="part of the logo that is shown",
                    ),
                ),
                (
                    "logo_alt",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                (
                    "logo_alt_ind",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        null=True,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                (
                    "logo_alt_en",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        null=True,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                ("about", models.TextField(blank=True, help_text="Markdown.", verbose_name="about")),
                ("about_ind", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="about")),
                ("about_en", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="about")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical organisation",
                "verbose_name_plural": "historical organisations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPage",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("slug", models.SlugField(verbose_name="slug")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("title_ind", models.CharField(max_length=200, null=True, verbose_name="title")),
                ("title_en", models.CharField(max_length=200, null=True, verbose_name="title")),
                ("body", models.TextField(blank=True, help_text="Markdown.", verbose_name="text")),
                ("body_ind", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="text")),
                ("body_en", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="text")),
                ("is_published", models.BooleanField(default=True, verbose_name="published")),
                (
                    "menu_order",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Empty: not in the menu.", null=True, verbose_name="place in the menu"
                    ),
                ),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical page",
                "verbose_name_plural": "historical pages",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalAgendaItem",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("press", "Press conference"),
                            ("opening", "Opening"),
                            ("talk", "Talk"),
                            ("discussion", "Discussion"),
                            ("break", "Break"),
                            ("closing", "Closing"),
                        ],
                        default="talk",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                ("date", models.DateField(verbose_name="date")),
                ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts at")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends at")),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("title_ind", models.CharField(max_length=300, null=True, verbose_name="title")),
                ("title_en", models.CharField(max_length=300, null=True, verbose_name="title")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("note_ind", models.TextField(blank=True, null=True, verbose_name="note")),
                ("note_en", models.TextField(blank=True, null=True, verbose_name="note")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical agenda item",
                "verbose_name_plural": "historical agenda items",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalAppearance",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("opening", "Opens the conference"),
                            ("keynote", "Keynote speaker"),
                            ("speaker", "Speaker"),
                            ("moderator", "Moderator"),
                            ("responder", "Responder"),
                            ("performer", "Performer"),
                            ("guest", "Guest of the conference"),
                        ],
                        default="speaker",
                        max_length=12,
                        verbose_name="role",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "agenda_item",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.agendaitem",
                        verbose_name="agenda item",
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "speaker",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.speaker",
                        verbose_name="speaker",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical appearance",
                "verbose_name_plural": "historical appearances",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalMaterial",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("recording", "Video recording"),
                            ("audio", "Audio recording"),
                            ("slides", "Slides"),
                            ("summary", "Summary"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("title_ind", models.CharField(blank=True, max_length=200, null=True, verbose_name="title")),
                ("title_en", models.CharField(blank=True, max_length=200, null=True, verbose_name="title")),
                (
                    "file",
                    models.TextField(
                        blank=True,
                        max_length=100,
                        validators=[
                            django.core.validators.FileExtensionValidator(
                                ["pdf", "pptx", "odp", "mp3", "m4a", "ogg", "mp4", "webm", "docx", "odt"]
                            )
                        ],
                        verbose_name="file",
                    ),
                ),
                ("url", models.URLField(blank=True, max_length=500, verbose_name="address")),
                (
                    "size_bytes",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Shown to the reader. Taken from the file when there is one.",
                        null=True,
                        verbose_name="size in bytes",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical material",
                "verbose_name_plural": "historical materials",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPartnership",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("organiser", "Organiser"),
                            ("co_organiser", "Co-organiser"),
                            ("supporter", "Supporter"),
                            ("media", "Media partner"),
                        ],
                        default="organiser",
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical partnership",
                "verbose_name_plural": "historical partnerships",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSpeaker",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("slug", models.SlugField(verbose_name="slug")),
                ("position", models.CharField(blank=True, max_length=300, verbose_name="position")),
                ("position_ind", models.CharField(blank=True, max_length=300, null=True, verbose_name="position")),
                ("position_en", models.CharField(blank=True, max_length=300, null=True, verbose_name="position")),
                ("bio", models.TextField(blank=True, help_text="Markdown.", verbose_name="biography")),
                ("bio_ind", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="biography")),
                ("bio_en", models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="biography")),
                (
                    "photo",
                    models.TextField(
                        blank=True,
                        max_length=100,
                        validators=[django.core.validators.FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
                        verbose_name="photo",
                    ),
                ),
                (
                    "photo_crop",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        help_text="Without a choice the middle is shown.",
                        size=None,
                        validators=[conference.models.validate_crop],
                        verbose_name="part of the photo that is shown",
                    ),
                ),
                (
                    "photo_alt",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                (
                    "photo_alt_ind",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        null=True,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                (
                    "photo_alt_en",
                    models.CharField(
                        blank=True,
                        help_text="Read aloud to those who don't see it. One sentence: who or what, and what stands out.",
                        max_length=200,
                        null=True,
                        verbose_name="what the image shows, in words",
                    ),
                ),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical speaker",
                "verbose_name_plural": "historical speakers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalWebinar",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("slug", models.SlugField(max_length=100, verbose_name="slug")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("title_ind", models.CharField(max_length=200, null=True, verbose_name="title")),
                ("title_en", models.CharField(max_length=200, null=True, verbose_name="title")),
                ("summary", models.CharField(blank=True, max_length=300, verbose_name="summary")),
                ("summary_ind", models.CharField(blank=True, max_length=300, null=True, verbose_name="summary")),
                ("summary_en", models.CharField(blank=True, max_length=300, null=True, verbose_name="summary")),
                ("description", models.TextField(blank=True, help_text="Markdown.", verbose_name="description")),
                (
                    "description_ind",
                    models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="description"),
                ),
                (
                    "description_en",
                    models.TextField(blank=True, help_text="Markdown.", null=True, verbose_name="description"),
                ),
                ("date", models.DateField(verbose_name="date")),
                (
                    "starts_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: the site says that the hour is to be confirmed.",
                        null=True,
                        verbose_name="starts at",
                    ),
                ),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends at")),
                (
                    "join_opens_minutes",
                    models.PositiveSmallIntegerField(default=30, verbose_name="door opens, minutes before the start"),
                ),
                (
                    "reminder_minutes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        blank=True,
                        default=conference.models.usual_reminders,
                        help_text="Such as 1440, 60, 10: a day, an hour and ten minutes before. Empty: no reminder.",
                        size=None,
                        verbose_name="reminders, minutes before the start",
                    ),
                ),
                (
                    "capacity",
                    models.PositiveIntegerField(
                        blank=True, help_text="Empty: no limit.", null=True, verbose_name="capacity"
                    ),
                ),
                (
                    "registration_opens_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: as in the edition.",
                        null=True,
                        verbose_name="registration opens at",
                    ),
                ),
                (
                    "registration_closes_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty: as in the edition.",
                        null=True,
                        verbose_name="registration closes at",
                    ),
                ),
                (
                    "allows_late_sign_up",
                    models.BooleanField(
                        default=True,
                        help_text="Off: sign-up ends when the webinar begins.",
                        verbose_name="sign-up while it runs",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("cancelled", "Cancelled")],
                        default="draft",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=3,
                            validators=[
                                django.core.validators.RegexValidator(
                                    "^[a-z]{2,3}$", "Use a language code such as id or en."
                                )
                            ],
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="languages spoken",
                    ),
                ),
                ("has_sign_language", models.BooleanField(default=False, verbose_name="sign language interpretation")),
                ("has_captions", models.BooleanField(default=False, verbose_name="live captions")),
                ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical webinar",
                "verbose_name_plural": "historical webinars",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalWebinar_hosts",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("m2m_history_id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "history",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="conference.historicalwebinar",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.organisation",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conference.webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "HistoricalWebinar_hosts",
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(keep_first, migrations.RunPython.noop),
    ]
