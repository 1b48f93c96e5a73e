from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from registration import consents, delivery, erasure, history, maillog, sessions
from registration.models import (
    Attendance,
    Certificate,
    Consent,
    Download,
    Event,
    Feedback,
    Handover,
    Invitation,
    KeptCount,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    Session,
    User,
    Withdrawal,
)
from tests import factories
from tests.journeys.steps import say

pytestmark = pytest.mark.django_db


def entry_of_everything(participant, webinar, now):
    """A row in each table that knows of a person."""
    seat = factories.RegistrationFactory(participant=participant, webinar=webinar)
    Attendance.objects.create(registration=seat, source="link", joined_at=now)
    Certificate.objects.create(registration=seat, code=f"KPT-{seat.pk}", name=participant.name)
    Feedback.objects.create(registration=seat, rating=4, text="Bagus")
    SensitiveAnswers.objects.create(participant=participant, seeing="a_lot", delete_on=now.date())
    factories.ConsentFactory(participant=participant)
    history.note(Event.Kind.SIGNED_UP, participant, now=now, registration=seat)
    factories.OutgoingMailFactory(participant=participant, registration=seat, sent=True, text="Halo")
    address = participant.email or participant.contact_email
    factories.OutgoingMailFactory(participant=None, to=address, kind="code")
    Invitation.objects.create(webinar=webinar, name=participant.name, email=address, expires_at=now)
    LogEntry.objects.create(
        user=factories.UserFactory(),
        content_type=ContentType.objects.get_for_model(Participant),
        object_id=str(participant.pk),
        object_repr=participant.name,
        action_flag=2,
    )
    return seat


def places_that_name(*words):
    """Every table and text column of the database that holds one of the words: nothing is left to trust."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('character varying', 'text', 'jsonb', 'ARRAY') AND is_generated = 'NEVER'"
        )
        for table, column in cursor.fetchall():
            for word in words:
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{word}%"])
                if cursor.fetchone()[0]:
                    found.add((table, column))
    return found


@pytest.fixture
def webinar(now):
    return factories.WebinarFactory(capacity=1)


def test_nothing_in_the_database_names_her_any_more_and_another_person_stays_whole(now, mailbox):
    webinar = factories.WebinarFactory()
    her = factories.ParticipantFactory(
        name="Yosefina Hilang", email="yosefina.hilang@example.org", phone="+62811777777"
    )
    other = factories.ParticipantFactory(name="Siti Tinggal", email="siti.tinggal@example.org")
    entry_of_everything(her, webinar, now)
    kept = entry_of_everything(other, factories.WebinarFactory(edition=webinar.edition), now)
    before = places_that_name("Siti Tinggal", "siti.tinggal")
    account = her.account_id

    assert erasure.erase(her, now=now) is True
    delivery.deliver_due()

    assert places_that_name("Yosefina", "yosefina.hilang", "62811777777") == set()
    assert not User.objects.filter(pk=account).exists()
    assert places_that_name("Siti Tinggal", "siti.tinggal") == before
    assert Registration.objects.get() == kept
    assert [model.objects.count() for model in (Attendance, Certificate, Feedback, SensitiveAnswers, Event)] == [1] * 5
    assert [row["To"] for row in mailbox.messages if row["Subject"] == say("id", "The data is deleted")] == [
        "yosefina.hilang@example.org"
    ]


def test_the_row_of_the_last_mail_forgets_the_address_when_it_fails_too(now, webinar, mailbox):
    her = factories.ParticipantFactory(email="hilang@example.org")
    mailbox.refuse("550 5.1.1 <hilang@example.org> unknown")
    erasure.erase(her, now=now)
    delivery.deliver_due()
    row = OutgoingMail.objects.get()
    assert (row.status, row.to, row.text, row.context, row.error) == ("FAILED", "", "", {}, "550")
    assert maillog.retry(OutgoingMail.objects.all(), now=now) == 0


def test_a_mail_on_its_way_while_she_is_deleted_is_not_sent_and_stops_nobody(now, mailbox):
    hers = factories.OutgoingMailFactory(participant=factories.RegistrationFactory().participant)
    factories.OutgoingMailFactory(participant=factories.RegistrationFactory().participant)
    batch = delivery.Batch(delivery.claim(now=now))
    erasure.erase(hers.participant, now=now)
    batch.run()
    assert batch.sent == 1
    assert hers.participant.email not in [message["To"] for message in mailbox.messages]


def test_her_seat_passes_on_with_a_mail(now, webinar):
    her = factories.RegistrationFactory(webinar=webinar).participant
    next_one = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    erasure.erase(her, now=now)
    next_one.refresh_from_db()
    assert next_one.status == "CONFIRMED"
    assert next_one.mails.get().kind == "promoted"


def test_a_seat_kept_for_her_by_an_invitation_passes_on(now, webinar):
    her = factories.ParticipantFactory()
    Invitation.objects.create(webinar=webinar, name=her.name, email=her.email, expires_at=now + timedelta(days=1))
    next_one = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    erasure.erase(her, now=now)
    next_one.refresh_from_db()
    assert next_one.status == "CONFIRMED"


def test_a_partner_that_has_downloaded_her_is_told_and_one_that_has_not_is_not(now, webinar, time_machine):
    host, other = factories.OrganisationFactory(), factories.OrganisationFactory()
    member = factories.PartnerMemberFactory(organisation=host)
    factories.PartnerMemberFactory(organisation=other)
    seat = factories.RegistrationFactory(webinar=webinar)
    for organisation in (host, other):
        consents.grant(seat.participant, Consent.Purpose.PARTNER, language="id", now=now, organisation=organisation)
    time_machine.shift(60)
    later = now + timedelta(seconds=60)
    Download.objects.create(
        user=member.user, organisation=host, webinar=webinar, format="csv", rows=1, columns="name", downloaded_at=later
    )
    erasure.erase(seat.participant, now=later + timedelta(seconds=60))
    assert Withdrawal.objects.get().registration_code == seat.code
    assert [row.to for row in OutgoingMail.objects.filter(kind="withdrawal")] == [member.user.email]


def test_twice_is_harmless(now, webinar):
    her = factories.RegistrationFactory(webinar=webinar).participant
    again = Participant.objects.get(pk=her.pk)
    assert erasure.erase(her, now=now) is True
    assert erasure.erase(again, now=now) is False
    assert OutgoingMail.objects.filter(kind="data_deleted").count() == 1
    assert KeptCount.objects.count() == 0  # a seat that is given back is nobody's participation


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_deletion(now):
    her = factories.RegistrationFactory().participant

    def click(_number):
        try:
            return erasure.erase(Participant.objects.get(pk=her.pk), now=now)
        except Participant.DoesNotExist:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, range(8)))
    assert sorted(answers) == [False] * 7 + [True]
    assert OutgoingMail.objects.filter(kind="data_deleted").count() == 1


def test_after_a_restore_those_whom_the_log_names_are_deleted_again(now, caplog):
    her, bait = factories.ParticipantFactory(), factories.ParticipantFactory()
    with caplog.at_level("INFO"):
        call_command("erase_participants", str(her.pk), "999999", stdout=StringIO())
    assert list(Participant.objects.all()) == [bait]
    assert f"Everything about participant {her.pk} is deleted" in caplog.text


def test_who_was_handed_over_meanwhile_is_not_the_former_carers_to_delete(now):
    person = factories.ParticipantFactory(email="")
    as_the_carer_saw_her = Participant.objects.get(pk=person.pk)
    Participant.objects.filter(pk=person.pk).update(account=factories.UserFactory())
    assert erasure.erase(as_the_carer_saw_her, now=now) is False


@pytest.mark.parametrize("reason", ["staff", "partner", "carer"])
def test_an_account_on_which_something_hangs_stays(now, reason):
    her = factories.ParticipantFactory()
    if reason == "staff":
        User.objects.filter(pk=her.account_id).update(is_staff=True)
    if reason == "partner":
        factories.PartnerMemberFactory(user=her.account)
    if reason == "carer":
        factories.ParticipantFactory(account=her.account, email="")
    erasure.erase(her, now=now)
    assert User.objects.filter(pk=her.account_id).exists()
    assert not Participant.objects.filter(pk=her.pk).exists()
    assert OutgoingMail.objects.get().context["is_account_gone"] is False


def test_the_carer_deletes_a_person_in_her_care_and_stays_herself(now, webinar, mailbox):
    carer = factories.ParticipantFactory(email="pengurus@example.org")
    inside = factories.ParticipantFactory(
        account=carer.account, email="", contact_email="anak@example.org", name="Ina Asuh"
    )
    factories.RegistrationFactory(participant=inside, webinar=webinar)
    group = factories.OutgoingMailFactory(participant=None, to=carer.email, kind="group", sent=True, text="Ina Asuh")
    erasure.erase(inside, now=now, actor=carer.account)
    delivery.deliver_due()
    assert places_that_name("Ina Asuh", "anak@example.org") == set()
    assert list(Participant.objects.all()) == [carer]
    assert OutgoingMail.objects.get(pk=group.pk).status == "SENT"
    [message] = mailbox.messages
    assert (message["To"], "Ina Asuh" in message.get_body(("plain",)).get_content()) == ("pengurus@example.org", True)


def test_a_carers_account_stays_when_nobody_is_left_in_her_care(now):
    carer = factories.UserFactory()
    erasure.erase(factories.ParticipantFactory(account=carer, email=""), now=now, actor=carer)
    assert list(User.objects.all()) == [carer]


def test_handovers_to_her_address_go(now):
    her = factories.ParticipantFactory()
    bait = Handover.objects.create(participant=factories.ParticipantFactory(email=""), email="lain@example.org")
    Handover.objects.create(participant=factories.ParticipantFactory(email=""), email=her.email)
    erasure.erase(her, now=now)
    assert Handover.objects.get() == bait


def test_sessions_of_a_gone_account_are_removed_and_others_stay(now, client, signed_in_client):
    her = factories.ParticipantFactory()
    signed_in_client(her.account)
    signed_in_client(factories.UserFactory())
    assert Session.objects.count() == 2
    erasure.erase(her, now=now)
    assert sessions.end_dead() == 1
    assert Session.objects.count() == 1


def test_numbers_of_what_is_over_stay(now, django_assert_max_num_queries):
    past = factories.WebinarFactory(over=True)
    to_come = factories.WebinarFactory(edition=past.edition)
    her = factories.ParticipantFactory(province="81", gender="female")
    was_there = factories.RegistrationFactory(participant=her, webinar=past)
    Attendance.objects.create(registration=was_there, source="link", joined_at=now)
    factories.RegistrationFactory(participant=her, webinar=to_come)
    SensitiveAnswers.objects.create(participant=her, hearing="cannot", delete_on=now.date())
    factories.ConsentFactory(participant=her, purpose="sensitive")
    with django_assert_max_num_queries(100):
        erasure.erase(her, now=now)
    numbers = KeptCount.objects.values_list(
        "webinar", "difficulty", "registered", "attended", "province", "answers_only"
    )
    assert set(numbers) == {(past.pk, "yes", 1, 1, "81", False), (None, "yes", 1, 1, "81", False)}


def test_deleting_costs_the_same_for_one_registration_and_for_three(now, django_assert_num_queries):
    def cost(number):
        her = factories.ParticipantFactory()
        for _row in range(number):
            factories.RegistrationFactory(participant=her, webinar=factories.WebinarFactory())
        with connection.execute_wrapper(count := Counter()):
            erasure.erase(her, now=now)
        return count.number

    cost(1)
    one, three = cost(1), cost(3)
    assert three - one <= 2 * PER_WEBINAR


PER_WEBINAR = 2  # the seats that are left, and those who wait


class Counter:
    number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)


def test_a_group_of_organisers_exists():
    assert Group.objects.filter(name="Organisers", permissions__codename="view_breach").exists()
