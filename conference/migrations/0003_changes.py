import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# The feed of changes is a kept page too, see 0002.
TRIGGER = """
CREATE TRIGGER conference_content_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON conference_programmechange
    FOR EACH STATEMENT EXECUTE FUNCTION conference_content_changed();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0002_content_notice"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProgrammeState",
            fields=[
                (
                    "edition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="programme_state",
                        serialize=False,
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                ("snapshot", models.JSONField(verbose_name="snapshot")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
            ],
            options={
                "verbose_name": "state of the programme",
                "verbose_name_plural": "states of the programme",
            },
        ),
        migrations.AddField(
            model_name="agendaitem",
            name="revised_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="revised at"),
        ),
        migrations.AddField(
            model_name="agendaitem",
            name="revision",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="revision"),
        ),
        migrations.AddField(
            model_name="webinar",
            name="revised_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="revised at"),
        ),
        migrations.AddField(
            model_name="webinar",
            name="revision",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="Grows with each change that calendars must know of.",
                verbose_name="revision",
            ),
        ),
        migrations.CreateModel(
            name="ProgrammeChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("published", "New in the programme"),
                            ("withdrawn", "Taken out of the programme"),
                            ("cancelled", "Cancelled"),
                            ("reinstated", "Takes place after all"),
                            ("renamed", "Title changed"),
                            ("day_moved", "Day moved"),
                            ("hour_set", "Hour set"),
                            ("hour_moved", "Hour moved"),
                            ("hour_open", "Hour to be confirmed again"),
                            ("parts", "Parts changed"),
                            ("speaker_added", "Speaker added"),
                            ("speaker_removed", "Speaker removed"),
                            ("speaker_renamed", "Speaker's name corrected"),
                            ("guest_added", "Speaker announced"),
                            ("guest_removed", "Speaker no longer announced"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "agenda_item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="changes",
                        to="conference.agendaitem",
                        verbose_name="agenda item",
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="changes",
                        to="conference.webinar",
                        verbose_name="webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "change in the programme",
                "verbose_name_plural": "changes in the programme",
                "indexes": [models.Index(fields=["edition", "-at", "-id"], name="programme_change_newest")],
            },
        ),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER conference_content_changed ON conference_programmechange;"),
    ]
