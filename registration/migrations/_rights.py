"""For migrations that give a role its rights."""

from django.contrib.auth.management import create_permissions


def give(apps, schema_editor, rights):
    """`rights`: of each group the permissions, such as registration.view_event. Harmless when run twice."""
    alias = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for name, wanted in rights.items():
        group, _created = groups.get_or_create(name=name)
        group.permissions.add(*permissions(apps, alias, wanted))


def permissions(apps, alias, wanted):
    """Django makes permissions after all migrations: a new database gets them here."""
    for label in {name.partition(".")[0] for name in wanted}:
        app_config = apps.get_app_config(label)
        app_config.models_module = True  # an app without models gets none
        create_permissions(app_config, verbosity=0, using=alias, apps=apps)
        app_config.models_module = None
    rows = apps.get_model("auth", "Permission").objects.using(alias)
    return [
        rows.get(content_type__app_label=label, codename=codename)
        for label, _dot, codename in (name.partition(".") for name in sorted(wanted))
    ]
