from django.db import migrations, models

# Who takes up an invitation takes a seat that was kept for her, so she gets it even when the capacity has been lowered
# since: the invitation's trigger leaves word for the registration that follows it in the same transaction.
MOVE = """
CREATE OR REPLACE FUNCTION registration_move_seats(webinar bigint, seats bigint, holds bigint, kept bigint)
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
    IF seats + kept <= 0 THEN
        RETURN;
    END IF;
    SELECT capacity INTO seats_in_all FROM conference_webinar WHERE id = webinar;
    IF in_use > seats_in_all THEN
        IF seats = 1 AND kept = 0 AND current_setting('kpt.seat_kept_in', true) = webinar::text THEN
            PERFORM set_config('kpt.seat_kept_in', '', true);
            RETURN;
        END IF;
        RAISE EXCEPTION 'webinar % has % seats', webinar, seats_in_all
            USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_within_capacity';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION registration_count_invitation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'open' THEN
        PERFORM registration_move_seats(OLD.webinar_id, 0, 0, -1);
        IF TG_OP = 'UPDATE' AND NEW.status = 'accepted' THEN
            PERFORM set_config('kpt.seat_kept_in', OLD.webinar_id::text, true);
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'open' THEN
        PERFORM registration_move_seats(NEW.webinar_id, 0, 0, 1);
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("registration", "0006_trust_seats")]

    operations = [
        migrations.AddField(
            model_name="seatcount",
            name="told_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty while it takes place, and until everybody has been written to.",
                null=True,
                verbose_name="told of the cancelled webinar at",
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="status",
            field=models.CharField(
                choices=[
                    ("PENDING", "Seat held"),
                    ("CONFIRMED", "Confirmed"),
                    ("WAITLISTED", "On the waiting list"),
                    ("CANCELLED", "Cancelled"),
                ],
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
    ]
