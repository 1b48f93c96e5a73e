import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

# Each name may be emptied alone: a person's at her deletion, all of them when the entry's own time is over.
BLANK_ONE_BY_ONE = """
CREATE OR REPLACE FUNCTION registration_auditentry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('kpt.blanking', true) = 'on' AND
        (NEW.id, NEW.at, NEW.actor_id, NEW.action, NEW.object_type, NEW.object_id, NEW.organisation_id, NEW.webinar_id,
            NEW.rows) IS NOT DISTINCT FROM
        (OLD.id, OLD.at, OLD.actor_id, OLD.action, OLD.object_type, OLD.object_id, OLD.organisation_id, OLD.webinar_id,
            OLD.rows) AND
        NEW.actor_name IN ('', OLD.actor_name) AND NEW.object_name IN ('', OLD.object_name) AND
        NEW.details IN ('', OLD.details) AND NEW.network IN ('', OLD.network) AND
        (NEW.participant_id IS NULL OR NEW.participant_id IS NOT DISTINCT FROM OLD.participant_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit is append-only.' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
DAYS = 730


def write_period(apps, schema_editor):
    periods = apps.get_model("registration", "RetentionPeriod").objects.using(schema_editor.connection.alias)
    periods.get_or_create(kind="audit", defaults={"days": DAYS})


def let_organisers(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    app_config = apps.get_app_config("registration")
    app_config.models_module = True  # an app without models gets none
    create_permissions(app_config, verbosity=0, using=alias, apps=apps)
    app_config.models_module = None
    view = apps.get_model("auth", "Permission").objects.using(alias).get(codename="view_auditentry")
    group, _created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Organisers")
    group.permissions.add(view)


KINDS = [
    ("sensitive", "Answers about difficulties and access needs"),
    ("mail_text", "Text of mails as sent"),
    ("person", "Participants and their registrations"),
    ("history", "Steps in a person's history"),
    ("download", "Record of partners' downloads"),
    ("audit", "Names in the record of who did what"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0111_roles"),
    ]

    operations = [
        migrations.RunSQL(BLANK_ONE_BY_ONE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="Empty: a program, by its token.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Whose person did it, when it was a partner's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="conference.organisation",
                verbose_name="organisation",
            ),
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["action", "-at"], name="audit_by_action")),
        migrations.AddIndex("auditentry", models.Index(fields=["object_type", "-at"], name="audit_by_kind")),
        migrations.AddIndex("auditentry", models.Index(fields=["object_id", "object_type"], name="audit_by_row")),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["at"], condition=models.Q(blanked_at=None), name="audit_with_names"),
        ),
        *[
            migrations.AlterField(
                model_name=model,
                name="kind",
                field=models.CharField(
                    choices=KINDS, max_length=12, unique=model == "retentionperiod", verbose_name="kind of data"
                ),
            )
            for model in ("retentionperiod", "retentionrun")
        ],
        migrations.RunPython(write_period, migrations.RunPython.noop),
        migrations.RunPython(let_organisers, migrations.RunPython.noop),
    ]
