from django.contrib.auth.management import create_permissions
from django.db import migrations, models

RIGHTS = {"Organisers": ["view", "delete"], "Editors": ["view"]}


def let_see_changes(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    app_config = apps.get_app_config("conference")
    app_config.models_module = True  # an app without models gets none
    create_permissions(app_config, verbosity=0, using=alias, apps=apps)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for name, actions in RIGHTS.items():
        names = [f"{action}_programmechange" for action in actions]
        group, _created = groups.get_or_create(name=name)
        group.permissions.add(*permissions.filter(content_type__app_label="conference", codename__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0003_groups"),
        ("conference", "0003_changes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="calendar_version",
            field=models.PositiveIntegerField(
                db_default=1,
                editable=False,
                help_text="Raised, its address ends.",
                verbose_name="version of the personal calendar",
            ),
        ),
        migrations.RunPython(let_see_changes, migrations.RunPython.noop),
    ]
