import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

# In a breach 72 hours run: nobody should have to look for a superuser first.
RIGHTS = ("add_breach", "change_breach", "view_breach")


def let_organisers(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    app_config = apps.get_app_config("registration")
    app_config.models_module = True  # an app without models gets none
    create_permissions(app_config, verbosity=0, using=alias, apps=apps)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    group, _created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Organisers")
    group.permissions.add(*permissions.filter(content_type__app_label="registration", codename__in=RIGHTS))


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0004_sign_up"),
        ("registration", "0010_kept_seats"),
    ]

    operations = [
        migrations.CreateModel(
            name="Breach",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("everything", "The whole database"),
                            ("webinar", "One webinar's list"),
                            ("downloads", "One organisation's downloads"),
                            ("mails", "Mails of one kind"),
                        ],
                        max_length=12,
                        verbose_name="what leaked",
                    ),
                ),
                (
                    "mail_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("code", "Sign-in code"),
                            ("unknown_account", "No account for this address"),
                            ("confirmation", "Confirmation"),
                            ("group", "Confirmation for a group"),
                            ("promoted", "A seat has come free"),
                            ("offer", "A seat is offered"),
                            ("invitation", "Invitation"),
                            ("webinar_cancelled", "Webinar cancelled"),
                            ("handover", "Handed over to her own account"),
                            ("data_deleted", "Data deleted"),
                            ("withdrawal", "A person to be removed from lists"),
                            ("cancellation", "Sign-up cancelled"),
                            ("announcement", "Announcement"),
                        ],
                        max_length=20,
                        verbose_name="kind of mail",
                    ),
                ),
                (
                    "known_at",
                    models.DateTimeField(
                        help_text="The 72 hours of the law run from here.", verbose_name="known since"
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True,
                        help_text="When, how, and what has been done. For your own record.",
                        verbose_name="what happened",
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="recorded at"),
                ),
            ],
            options={
                "verbose_name": "data breach",
                "verbose_name_plural": "data breaches",
            },
        ),
        migrations.RemoveConstraint(
            model_name="keptcount",
            name="kept_count_once",
        ),
        migrations.AddField(
            model_name="keptcount",
            name="answers_only",
            field=models.BooleanField(
                default=False,
                help_text="Her answers are gone and she is still there: count it by difficulty, never in a total.",
                verbose_name="answers only",
            ),
        ),
        migrations.AddField(
            model_name="retentionrun",
            name="up_to",
            field=models.DateField(default="2020-01-01", verbose_name="takes what counts from this day or earlier"),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="keptcount",
            constraint=models.UniqueConstraint(
                fields=(
                    "edition",
                    "webinar",
                    "gender",
                    "age_group",
                    "province",
                    "organisation_kind",
                    "language",
                    "difficulty",
                    "answers_only",
                ),
                name="kept_count_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="breach",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaches",
                to="conference.organisation",
                verbose_name="organisation",
            ),
        ),
        migrations.AddField(
            model_name="breach",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="recorded by",
            ),
        ),
        migrations.AddField(
            model_name="breach",
            name="webinar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaches",
                to="conference.webinar",
                verbose_name="webinar",
            ),
        ),
        migrations.AddConstraint(
            model_name="breach",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mail_kind", ""), ("organisation", None), ("scope", "everything"), ("webinar", None)),
                    models.Q(
                        ("mail_kind", ""), ("organisation", None), ("scope", "webinar"), ("webinar__isnull", False)
                    ),
                    models.Q(
                        ("mail_kind", ""), ("organisation__isnull", False), ("scope", "downloads"), ("webinar", None)
                    ),
                    models.Q(
                        ("organisation", None),
                        ("scope", "mails"),
                        ("webinar", None),
                        models.Q(("mail_kind", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="breach_names_what_leaked",
                violation_error_message="Name the webinar, the organisation or the kind of mail, and nothing else.",
            ),
        ),
        migrations.RunPython(let_organisers, migrations.RunPython.noop),
    ]
