from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.models import Q


def let_organisers_send(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    app_config = apps.get_app_config("registration")
    app_config.models_module = True  # an app without models gets none
    create_permissions(app_config, verbosity=0, using=alias, apps=apps)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    group, _created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Organisers")
    group.permissions.add(permissions.get(content_type__app_label="registration", codename="send_announcement"))


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0085_mail_kinds"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="announcement",
            options={
                "permissions": [("send_announcement", "Can send announcements")],
                "verbose_name": "announcement",
                "verbose_name_plural": "announcements",
            },
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("signed_up", "Signed up"),
                    ("held", "Seat held until the code is entered"),
                    ("hold_expired", "Held seat passed on: no code came"),
                    ("confirmed", "Confirmed"),
                    ("waitlisted", "Put on the waiting list"),
                    ("promoted", "Moved up from the waiting list"),
                    ("offered", "Seat offered"),
                    ("offer_expired", "Offered seat passed on"),
                    ("cancelled", "Cancelled"),
                    ("moved", "Moved from another webinar"),
                    ("invited", "Took up an invitation"),
                    ("merged", "Merged with another entry"),
                    ("handed_over", "Handed over to an account of her own"),
                    ("corrected", "Data corrected"),
                    ("looked_at", "Data looked at"),
                    ("taken_along", "Data downloaded"),
                    ("restricted", "Use restricted"),
                    ("unrestricted", "Restriction lifted"),
                    ("consented", "Consent given"),
                    ("withdrawn", "Consent withdrawn"),
                    ("unsubscribed", "Wants no announcements any more"),
                    ("subscribed", "Wants announcements again"),
                    ("links_renewed", "Personal links renewed"),
                ],
                max_length=16,
                verbose_name="step",
            ),
        ),
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(
                condition=Q(("announcement__isnull", False)),
                fields=["announcement", "status"],
                name="mail_by_announcement",
            ),
        ),
        migrations.RunPython(let_organisers_send, migrations.RunPython.noop),
    ]
