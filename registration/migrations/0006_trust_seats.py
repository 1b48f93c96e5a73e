from django.contrib.auth.management import create_permissions
from django.db import migrations

# As in 0002, with two more numbers: what is held for a code or an answer, and what is kept for invited people.
# A kept seat is no one else's: taking or keeping the one too many is refused.
MOVE = """
DROP FUNCTION registration_move_seats(bigint, bigint);
CREATE FUNCTION registration_move_seats(webinar bigint, seats bigint, holds bigint, kept bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    in_use bigint;
    seats_in_all bigint;
BEGIN
    IF seats = 0 AND holds = 0 AND kept = 0 THEN
        RETURN;
    END IF;
    INSERT INTO registration_seatcount AS c (webinar_id, taken, held, reserved)
    VALUES (webinar, greatest(seats, 0), greatest(holds, 0), greatest(kept, 0))
    ON CONFLICT (webinar_id) DO UPDATE
        SET taken = c.taken + seats, held = c.held + holds, reserved = c.reserved + kept
    RETURNING taken + reserved INTO in_use;
    IF seats + kept > 0 THEN
        SELECT capacity INTO seats_in_all FROM conference_webinar WHERE id = webinar;
        IF in_use > seats_in_all THEN
            RAISE EXCEPTION 'webinar % has % seats', webinar, seats_in_all
                USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_within_capacity';
        END IF;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION registration_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, count(*), count(*) FILTER (WHERE status = 'PENDING'), 0) FROM (
        SELECT webinar_id, status FROM inserted WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS seated GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registration_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, sum(step)::bigint, sum(hold)::bigint, 0) FROM (
        SELECT webinar_id, 1 AS step, (status = 'PENDING')::int AS hold FROM after
        WHERE status IN ('PENDING', 'CONFIRMED')
        UNION ALL
        SELECT webinar_id, -1, -(status = 'PENDING')::int FROM before WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS moved GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION registration_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, -count(*), -count(*) FILTER (WHERE status = 'PENDING'), 0) FROM (
        SELECT webinar_id, status FROM deleted WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS seated GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_count_invitation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'open' THEN
        PERFORM registration_move_seats(OLD.webinar_id, 0, 0, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'open' THEN
        PERFORM registration_move_seats(NEW.webinar_id, 0, 0, 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER registration_count_invitation
    AFTER INSERT OR DELETE OR UPDATE OF status, webinar_id ON registration_invitation
    FOR EACH ROW EXECUTE FUNCTION registration_count_invitation();

UPDATE registration_seatcount AS c SET held = (
    SELECT count(*) FROM registration_registration r WHERE r.webinar_id = c.webinar_id AND r.status = 'PENDING'
);
"""

RIGHTS = {
    "event": ("view",),
    "invitation": ("add", "change", "view"),
    "handover": ("view",),
    "consenttext": ("view",),
    "withdrawal": ("view",),
    "retentionperiod": ("view",),
    "retentionrun": ("change", "view"),
    "keptcount": ("view",),
    # Signing a person up by hand, merging two entries of one.
    "participant": ("add",),
    "registration": ("add",),
}
# Counted in days from: the edition's end (sensitive, person, history, download), the sending (mail_text).
PERIODS = {"sensitive": 60, "mail_text": 90, "person": 730, "history": 730, "download": 1095}


def let_organisers(apps, schema_editor):
    """Django makes permissions after all migrations: a new database gets them here. Harmless when run twice."""
    alias = schema_editor.connection.alias
    app_config = apps.get_app_config("registration")
    app_config.models_module = True  # an app without models gets none
    create_permissions(app_config, verbosity=0, using=alias, apps=apps)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    names = [f"{action}_{model}" for model, actions in RIGHTS.items() for action in actions]
    group, _created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Organisers")
    group.permissions.add(*permissions.filter(content_type__app_label="registration", codename__in=names))


def write_periods(apps, schema_editor):
    periods = apps.get_model("registration", "RetentionPeriod").objects.using(schema_editor.connection.alias)
    for kind, days in PERIODS.items():
        periods.get_or_create(kind=kind, defaults={"days": days})


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0005_trust"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.RunPython(let_organisers, migrations.RunPython.noop),
        migrations.RunPython(write_periods, migrations.RunPython.noop),
    ]
