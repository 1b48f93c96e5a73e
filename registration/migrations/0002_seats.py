from django.db import migrations

# The database counts the seats itself and refuses the one too many, whatever the application does.
# Statement triggers with transition tables: one update a webinar, however many rows a statement writes.
# A capacity that is lowered below what is taken throws nobody out: only taking a seat is checked.
FUNCTIONS = """
CREATE FUNCTION registration_move_seats(webinar bigint, seats bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now_taken bigint;
    seats_in_all bigint;
BEGIN
    IF seats = 0 THEN
        RETURN;
    END IF;
    INSERT INTO registration_seatcount AS c (webinar_id, taken) VALUES (webinar, greatest(seats, 0))
    ON CONFLICT (webinar_id) DO UPDATE SET taken = c.taken + seats
    RETURNING taken INTO now_taken;
    IF seats > 0 THEN
        SELECT capacity INTO seats_in_all FROM conference_webinar WHERE id = webinar;
        IF now_taken > seats_in_all THEN
            RAISE EXCEPTION 'webinar % has % seats', webinar, seats_in_all
                USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_within_capacity';
        END IF;
    END IF;
END $$;

CREATE FUNCTION registration_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, count(*)) FROM (
        SELECT webinar_id FROM inserted WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS seated GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, sum(step)::bigint) FROM (
        SELECT webinar_id, 1 AS step FROM after WHERE status IN ('PENDING', 'CONFIRMED')
        UNION ALL
        SELECT webinar_id, -1 FROM before WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS moved GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registration_move_seats(webinar_id, -count(*)) FROM (
        SELECT webinar_id FROM deleted WHERE status IN ('PENDING', 'CONFIRMED')
    ) AS seated GROUP BY webinar_id ORDER BY webinar_id;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER registration_count_inserted AFTER INSERT ON registration_registration
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION registration_count_inserted();
CREATE TRIGGER registration_count_updated AFTER UPDATE ON registration_registration
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION registration_count_updated();
CREATE TRIGGER registration_count_deleted AFTER DELETE ON registration_registration
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION registration_count_deleted();
"""

UNDO = """
DROP TRIGGER registration_count_inserted ON registration_registration;
DROP TRIGGER registration_count_updated ON registration_registration;
DROP TRIGGER registration_count_deleted ON registration_registration;
DROP FUNCTION registration_count_inserted(), registration_count_updated(), registration_count_deleted();
DROP FUNCTION registration_move_seats(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("registration", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, UNDO),
    ]
