import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0006_reminders"),
        ("registration", "0130_prepared_files"),
    ]

    operations = [
        # PostgreSQL trusts every database's owner with it.
        TrigramExtension(),
        migrations.CreateModel(
            name="Counting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
                ("seconds", models.FloatField(verbose_name="seconds it took")),
                ("marks", models.CharField(max_length=300, verbose_name="state of the tables")),
            ],
            options={
                "verbose_name": "counting",
                "verbose_name_plural": "countings",
            },
        ),
        migrations.CreateModel(
            name="KeptDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("registered", models.PositiveIntegerField(verbose_name="registered")),
            ],
            options={
                "verbose_name": "kept day",
                "verbose_name_plural": "kept days",
            },
        ),
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("all", "all"),
                            ("gender", "gender"),
                            ("age_group", "age group"),
                            ("province", "province"),
                            ("organisation_kind", "kind of organisation"),
                            ("language", "language"),
                            ("day", "day of signing up"),
                        ],
                        max_length=20,
                        verbose_name="counted by",
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        help_text="Of a day its date in Makassar: in an edition her first.",
                        max_length=12,
                        verbose_name="answer",
                    ),
                ),
                (
                    "signed_up",
                    models.PositiveIntegerField(help_text="Whatever has become of it.", verbose_name="signed up"),
                ),
                (
                    "registered",
                    models.PositiveIntegerField(help_text="Has a seat, or was there.", verbose_name="registered"),
                ),
                ("waiting", models.PositiveIntegerField(verbose_name="waiting")),
                ("cancelled", models.PositiveIntegerField(verbose_name="cancelled")),
                ("attended", models.PositiveIntegerField(verbose_name="attended")),
                (
                    "shown_registered",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: hidden.",
                        null=True,
                        verbose_name="registered, without small numbers",
                    ),
                ),
                (
                    "shown_attended",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: hidden.",
                        null=True,
                        verbose_name="attended, without small numbers",
                    ),
                ),
            ],
            options={
                "verbose_name": "figure",
                "verbose_name_plural": "figures",
            },
        ),
        migrations.AlterField(
            model_name="attendance",
            name="registration",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attendances",
                to="registration.registration",
                verbose_name="registration",
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="participant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="registrations",
                to="registration.participant",
                verbose_name="participant",
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="webinar",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registrations",
                to="conference.webinar",
                verbose_name="webinar",
            ),
        ),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(fields=["-joined_at", "-id"], name="attendance_list"),
        ),
        migrations.AddIndex(
            model_name="attendance",
            index=models.Index(fields=["source", "-joined_at", "-id"], name="attendance_list_source"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["-granted_at", "-id"], name="consent_list"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["purpose", "-granted_at", "-id"], name="consent_list_purpose"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["-at", "-id"], name="event_list"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["kind", "-at", "-id"], name="event_list_kind"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["email"], name="participant_by_email"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["-date_joined", "-id"], name="user_list"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("is_staff", True)), fields=["email"], name="user_staff"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["-created_at", "-id"], name="participant_list"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["province", "-created_at", "-id"], name="participant_list_province"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("email"), name="gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("phone"), name="gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("organisation"), name="gin_trgm_ops"
                ),
                name="participant_words",
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["-created_at", "-id"], name="registration_list"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["webinar", "-created_at", "-id"], name="registration_list_webinar"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("status", "CONFIRMED"), _negated=True),
                fields=["status", "-created_at", "-id"],
                name="registration_list_status",
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("zoom_state", "none"), _negated=True),
                fields=["zoom_state", "-created_at", "-id"],
                name="registration_list_zoom",
            ),
        ),
        migrations.AddField(
            model_name="keptday",
            name="edition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="kept_days",
                to="conference.edition",
                verbose_name="edition",
            ),
        ),
        migrations.AddField(
            model_name="keptday",
            name="webinar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="kept_days",
                to="conference.webinar",
                verbose_name="webinar",
            ),
        ),
        migrations.AddField(
            model_name="figure",
            name="edition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="figures",
                to="conference.edition",
                verbose_name="edition",
            ),
        ),
        migrations.AddField(
            model_name="figure",
            name="webinar",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: each person once over the edition.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="figures",
                to="conference.webinar",
                verbose_name="webinar",
            ),
        ),
        migrations.AddConstraint(
            model_name="keptday",
            constraint=models.UniqueConstraint(
                fields=("edition", "webinar", "day"), name="kept_day_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="figure",
            constraint=models.UniqueConstraint(
                fields=("edition", "webinar", "dimension", "value"), name="figure_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="figure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("attended__lte", models.F("registered")), ("registered__lte", models.F("signed_up"))
                ),
                name="figure_in_order",
            ),
        ),
    ]
