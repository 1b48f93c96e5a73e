import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from registration.migrations._rights import permissions

CONTENT = ["webinar", "agendaitem", "speaker", "appearance", "organisation", "partnership", "material", "page"]
ALL = ("add", "change", "delete", "view")


def of(app, models):
    return {f"{app}.{action}_{model}" for model, actions in models.items() for action in actions}


CONTENT_RIGHTS = of("conference", dict.fromkeys(CONTENT, ALL))
MAIL_RIGHTS = of(
    "registration",
    {
        "outgoingmail": ("change", "view"),
        "mailtext": ("add", "change", "view"),
        "announcement": ALL,
        "bouncedaddress": ("change", "view"),
        "bouncereport": ("view",),
    },
) | {"registration.send_announcement"}
PEOPLE_RIGHTS = of(
    "registration",
    {
        "participant": ("change", "view"),
        "registration": ("add", "change", "view"),
        "consent": ("view",),
        "consenttext": ("view",),
        "attendance": ALL,
        "certificate": ("view",),
        "feedback": ("view",),
        "invitation": ("add", "change", "view"),
        "handover": ("view",),
        "event": ("view",),
        "user": ("add", "change", "view"),
        "partnermember": ALL,
        "download": ("view",),
        "withdrawal": ("view",),
        "roleinvitation": ("view",),
        "retentionperiod": ("view",),
        "retentionrun": ("change", "view"),
        "keptcount": ("view",),
        "breach": ("add", "change", "view"),
    },
)
NUMBERS = "registration.see_numbers"
GROUPS = {
    "Organisers": CONTENT_RIGHTS
    | MAIL_RIGHTS
    | PEOPLE_RIGHTS
    | of("conference", {"edition": ALL, "programmechange": ("delete", "view")})
    | {"conference.change_room", NUMBERS},
    "Editors": CONTENT_RIGHTS | of("conference", {"edition": ("view",), "programmechange": ("view",)}),
    "Mail desk": MAIL_RIGHTS | of("conference", {"edition": ("view",), "webinar": ("view",)}),
    "Observers": {"registration.view_keptcount", NUMBERS},
}


def make_groups(apps, schema_editor):
    """Exactly these: what somebody was given by hand, beside the roles, ends here."""
    alias = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for name, rights in GROUPS.items():
        group, _created = groups.get_or_create(name=name)
        group.permissions.set(permissions(apps, alias, rights))
    apps.get_model("registration", "User").user_permissions.through.objects.using(alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0006_reminders"),
        ("registration", "0104_lean_mail_indexes"),
        ("registration", "0110_roles_and_audit"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="keptcount",
            options={
                "permissions": [("see_numbers", "Can see numbers of people: charts and reports")],
                "verbose_name": "kept count",
                "verbose_name_plural": "kept counts",
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("device", models.CharField(blank=True, max_length=60, verbose_name="device")),
                ("network", models.CharField(blank=True, max_length=45, verbose_name="network")),
                ("signed_in_at", models.DateTimeField(null=True, verbose_name="signed in at")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="last seen at")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        # Sessions of which nobody can say whose they are: everybody signs in once more.
        migrations.RunSQL("DROP TABLE IF EXISTS django_session", migrations.RunSQL.noop),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
