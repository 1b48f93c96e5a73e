from django.contrib.auth.management import create_permissions
from django.db import migrations

ALL = ("add", "change", "delete", "view")
CONTENT = {
    "conference": dict.fromkeys(
        ["webinar", "agendaitem", "speaker", "appearance", "organisation", "partnership", "material", "page"], ALL
    )
}
# Sensitive answers and everybody's rights are in no group: only a superuser has or gives them.
PEOPLE = {
    "registration": {
        "participant": ("change", "view"),
        "registration": ("change", "view"),
        "consent": ("view",),
        "attendance": ALL,
        "certificate": ("view",),
        "feedback": ("view",),
        "outgoingmail": ("change", "view"),
        "announcement": ALL,
        "partnermember": ALL,
        "download": ("view",),
        "user": ("add", "change", "view"),
    }
}
EDITORS = {"conference": CONTENT["conference"] | {"edition": ("view",)}}
ORGANISERS = {"conference": CONTENT["conference"] | {"edition": ALL}} | PEOPLE
ROOM = "change_room"


def make_groups(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    for label in ("conference", "registration"):
        app_config = apps.get_app_config(label)
        app_config.models_module = True  # an app without models gets none
        create_permissions(app_config, verbosity=0, using=alias, apps=apps)
        app_config.models_module = None
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for name, rights in {"Organisers": ORGANISERS, "Editors": EDITORS}.items():
        group, _created = groups.get_or_create(name=name)
        group.permissions.add(*permissions(apps, alias, rights))
    room = apps.get_model("auth", "Permission").objects.using(alias).get(codename=ROOM)
    groups.get(name="Organisers").permissions.add(room)


def permissions(apps, alias, rights):
    rows = apps.get_model("auth", "Permission").objects.using(alias)
    return [
        rows.get(content_type__app_label=label, content_type__model=model, codename=f"{action}_{model}")
        for label, models in rights.items()
        for model, actions in models.items()
        for action in actions
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0002_seats"),
        ("conference", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
