import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from registration.migrations._rights import give

# Events are written by the database itself, in the transaction of the fact: whatever way a registration comes to its
# status or goes, nobody has to think of it. Without an endpoint in use it costs one look at a table that is all but empty.
QUEUE = """
CREATE FUNCTION registration_queue_webhooks(
    event_name text, codes text[], webinar_ids bigint[], participant_ids bigint[], moments timestamptz[]
) RETURNS void LANGUAGE sql AS $$
    WITH told AS MATERIALIZED (
        SELECT gen_random_uuid() AS event_id, facts.* FROM unnest(codes, webinar_ids, participant_ids, moments)
        WITH ORDINALITY AS facts (code, webinar_id, participant_id, at, place)
    )
    INSERT INTO registration_webhookdelivery (
        endpoint_id, event_id, event, registration_code, webinar, edition, at, status, attempts, not_before, created_at,
        body, response, error
    )
    SELECT endpoint.id, told.event_id, event_name, told.code, webinar.slug, edition.year, told.at, 'waiting', 0,
        statement_timestamp(), statement_timestamp(), '', '', ''
    FROM told
    JOIN conference_webinar webinar ON webinar.id = told.webinar_id
    JOIN conference_edition edition ON edition.id = webinar.edition_id
    JOIN registration_webhookendpoint endpoint ON endpoint.is_active AND event_name = ANY (endpoint.events) AND (
        endpoint.scope = 'all'
        OR endpoint.scope = 'edition' AND endpoint.edition_id = webinar.edition_id
        OR endpoint.scope = 'webinars' AND EXISTS (
            SELECT FROM registration_webhookendpoint_webinars chosen
            WHERE chosen.webhookendpoint_id = endpoint.id AND chosen.webinar_id = webinar.id
        )
    )
    LEFT JOIN registration_participant participant ON participant.id = told.participant_id
    WHERE participant.is_made_up IS NOT TRUE
    ORDER BY told.place, endpoint.id
$$;
"""

# A seat held for a code is nobody's registration yet: that it is taken back, or goes, is told to nobody.
FUNCTIONS = """
CREATE FUNCTION registration_tell_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registration_webhookendpoint WHERE is_active) THEN
        PERFORM registration_queue_webhooks(
            'registration.confirmed', array_agg(code), array_agg(webinar_id), array_agg(participant_id),
            array_agg(confirmed_at)
        ) FROM (SELECT * FROM inserted WHERE status = 'CONFIRMED' ORDER BY id) AS rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_tell_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registration_webhookendpoint WHERE is_active) THEN
        PERFORM registration_queue_webhooks(
            'registration.confirmed', array_agg(code), array_agg(webinar_id), array_agg(participant_id),
            array_agg(confirmed_at)
        ) FROM (
            SELECT after.* FROM after JOIN before USING (id)
            WHERE after.status = 'CONFIRMED' AND before.status <> 'CONFIRMED' ORDER BY id
        ) AS rows HAVING count(*) > 0;
        PERFORM registration_queue_webhooks(
            'registration.cancelled', array_agg(code), array_agg(webinar_id), array_agg(participant_id),
            array_agg(cancelled_at)
        ) FROM (
            SELECT after.* FROM after JOIN before USING (id)
            WHERE after.status = 'CANCELLED' AND (
                before.status IN ('CONFIRMED', 'WAITLISTED')
                OR before.status = 'PENDING' AND before.offered_at IS NOT NULL
            ) ORDER BY id
        ) AS rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_tell_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registration_webhookendpoint WHERE is_active) THEN
        PERFORM registration_queue_webhooks(
            'registration.deleted', array_agg(code), array_agg(webinar_id), array_agg(participant_id),
            array_agg(statement_timestamp())
        ) FROM (
            SELECT * FROM deleted
            WHERE confirmed_at IS NOT NULL OR waitlisted_at IS NOT NULL OR cancelled_at IS NOT NULL ORDER BY id
        ) AS rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION registration_tell_attended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registration_webhookendpoint WHERE is_active) THEN
        PERFORM registration_queue_webhooks(
            'registration.attended', array_agg(code), array_agg(webinar_id), array_agg(participant_id), array_agg(at)
        ) FROM (
            SELECT r.code, r.webinar_id, r.participant_id, first.at
            FROM (SELECT registration_id, min(joined_at) AS at FROM inserted GROUP BY registration_id) AS first
            JOIN registration_registration r ON r.id = first.registration_id
            WHERE NOT EXISTS (
                SELECT FROM registration_attendance known
                WHERE known.registration_id = r.id AND known.id NOT IN (SELECT id FROM inserted)
            ) ORDER BY r.id
        ) AS rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER registration_tell_inserted AFTER INSERT ON registration_registration
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION registration_tell_inserted();
CREATE TRIGGER registration_tell_updated AFTER UPDATE ON registration_registration
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION registration_tell_updated();
CREATE TRIGGER registration_tell_deleted AFTER DELETE ON registration_registration
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION registration_tell_deleted();
CREATE TRIGGER registration_tell_attended AFTER INSERT ON registration_attendance
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION registration_tell_attended();
"""

UNDO = """
DROP TRIGGER registration_tell_inserted ON registration_registration;
DROP TRIGGER registration_tell_updated ON registration_registration;
DROP TRIGGER registration_tell_deleted ON registration_registration;
DROP TRIGGER registration_tell_attended ON registration_attendance;
DROP FUNCTION registration_tell_inserted(), registration_tell_updated(), registration_tell_deleted();
DROP FUNCTION registration_tell_attended();
DROP FUNCTION registration_queue_webhooks(text, text[], bigint[], bigint[], timestamptz[]);
"""


def let_organisers(apps, schema_editor):
    """They see what leaves the house; only owners give it out."""
    names = ("apitoken", "webhookendpoint", "webhookdelivery")
    give(apps, schema_editor, {"Organisers": [f"registration.view_{name}" for name in names]})


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0006_reminders"),
        ("registration", "0150_unanswered"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "All editions"), ("edition", "One edition"), ("webinars", "Chosen webinars")],
                        default="edition",
                        max_length=8,
                        verbose_name="of which webinars",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Which system reads with it, and who looks after that.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=12, unique=True, verbose_name="key")),
                ("digest", models.CharField(editable=False, max_length=64, verbose_name="hash of the secret")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="made at"),
                ),
                ("ends_at", models.DateTimeField(verbose_name="good until")),
                ("last_used_at", models.DateTimeField(editable=False, null=True, verbose_name="last used at")),
                ("revoked_at", models.DateTimeField(editable=False, null=True, verbose_name="revoked at")),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        help_text="It ends when this person is an owner no more.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "webinars",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="conference.webinar", verbose_name="webinars"
                    ),
                ),
            ],
            options={
                "verbose_name": "token of a program",
                "verbose_name_plural": "tokens of programs",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "All editions"), ("edition", "One edition"), ("webinars", "Chosen webinars")],
                        default="edition",
                        max_length=8,
                        verbose_name="of which webinars",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Which system listens, and who looks after it.", max_length=100, verbose_name="name"
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="It begins with https:// and leads to a machine on the internet.",
                        max_length=500,
                        verbose_name="address",
                    ),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("registration.confirmed", "A registration is confirmed"),
                                ("registration.cancelled", "A registration is cancelled"),
                                ("registration.attended", "A person came to the webinar"),
                                ("registration.deleted", "A registration is deleted, with the person's data"),
                            ],
                            max_length=30,
                        ),
                        size=None,
                        verbose_name="events",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Off: nothing is sent, and what happens meanwhile is not sent later.",
                        verbose_name="in use",
                    ),
                ),
                (
                    "secret_version",
                    models.PositiveSmallIntegerField(default=1, editable=False, verbose_name="version of the secret"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="made at"),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        default=0,
                        editable=False,
                        help_text="Since something got through last.",
                        verbose_name="failures in a row",
                    ),
                ),
                ("paused_until", models.DateTimeField(editable=False, null=True, verbose_name="pauses until")),
                (
                    "claimed_until",
                    models.DateTimeField(editable=False, null=True, verbose_name="in a worker's hands until"),
                ),
                ("claim", models.UUIDField(editable=False, null=True, verbose_name="claim of its worker")),
                (
                    "switched_off_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="After too many failures.",
                        null=True,
                        verbose_name="switched off by itself at",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="conference.edition",
                        verbose_name="edition",
                    ),
                ),
                (
                    "webinars",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="conference.webinar", verbose_name="webinars"
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event_id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        help_text="The same in every try: who has it already ignores it.",
                        verbose_name="ID of the event",
                    ),
                ),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("registration.confirmed", "A registration is confirmed"),
                            ("registration.cancelled", "A registration is cancelled"),
                            ("registration.attended", "A person came to the webinar"),
                            ("registration.deleted", "A registration is deleted, with the person's data"),
                            ("test", "Test"),
                        ],
                        max_length=30,
                        verbose_name="event",
                    ),
                ),
                ("registration_code", models.CharField(blank=True, max_length=12, verbose_name="registration code")),
                ("webinar", models.CharField(blank=True, max_length=100, verbose_name="webinar")),
                (
                    "edition",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="year of the edition"),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when it happened")),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("given_up", "Given up")],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("not_before", models.DateTimeField(default=django.utils.timezone.now, verbose_name="next try at")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="written at")),
                ("tried_at", models.DateTimeField(blank=True, null=True, verbose_name="last try at")),
                ("body", models.TextField(blank=True, verbose_name="as sent")),
                ("response_status", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="answer")),
                ("response", models.CharField(blank=True, max_length=500, verbose_name="words of the answer")),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="what went wrong")),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="registration.webhookendpoint",
                        verbose_name="webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["endpoint", "id"], name="webhook_waiting"
                    ),
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["endpoint", "registration_code", "id"],
                        name="webhook_waiting_code",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="webhook_list"),
                ],
                "constraints": [models.UniqueConstraint(fields=("endpoint", "event_id"), name="webhook_event_once")],
            },
        ),
        migrations.RunSQL(QUEUE, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, UNDO),
        migrations.RunPython(let_organisers, migrations.RunPython.noop),
    ]
