import pytest
from django.db import DatabaseError, connection, transaction

from registration import audit
from registration.models import AuditEntry
from tests.factories import ParticipantFactory, UserFactory

pytestmark = pytest.mark.django_db

BLANK = {"actor_name": "", "object_name": "", "details": "", "network": "", "participant_id": None}


@pytest.fixture
def entry(now):
    participant = ParticipantFactory(name="Mama Teti")
    actor = UserFactory(organiser=True)
    return audit.note(AuditEntry.Action.LOOKED_AT, participant, actor=actor, participant=participant, now=now)


@pytest.mark.parametrize(
    "change",
    [{"action": "listed"}, {"actor_name": ""}, {"rows": 1}, {"object_name": "Siti"}, BLANK],
    ids=["action", "name", "rows", "object", "all that may be blanked"],
)
def test_an_entry_can_not_be_changed(entry, change):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(**change)
    assert AuditEntry.objects.filter(pk=entry.pk, object_name="Mama Teti").exists()


def test_an_entry_can_not_be_deleted(entry):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()
    assert AuditEntry.objects.count() == 1


def test_who_blanks_can_blank_and_nothing_else(entry):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL kpt.blanking = 'on'")
    for change in ({**BLANK, "action": "listed"}, {**BLANK, "actor_name": "Bait"}, {"actor_name": ""}):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEntry.objects.filter(pk=entry.pk).update(**change)
    assert AuditEntry.objects.filter(pk=entry.pk).update(**BLANK) == 1


def test_an_entry_outlives_the_account_and_the_person(entry):
    actor, participant = entry.actor, entry.participant_id
    actor.delete()
    left = AuditEntry.objects.select_related("actor").get()
    assert (left.actor, left.actor_name, left.participant_id) == (None, actor.email, participant)
