from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registration import retention
from registration.models import (
    Attendance,
    Certificate,
    Download,
    Event,
    KeptCount,
    OutgoingMail,
    Participant,
    Registration,
    RetentionPeriod,
    RetentionRun,
    SensitiveAnswers,
    User,
    Withdrawal,
)
from tests import factories

pytestmark = pytest.mark.django_db

Kind = RetentionPeriod.Kind
# Counted by hand, without a rule of ours.
TRUTH = """
SELECT w.edition_id, p.gender, p.province, count(DISTINCT p.id),
    count(DISTINCT p.id) FILTER (WHERE EXISTS (SELECT FROM registration_attendance a WHERE a.registration_id = r.id))
FROM registration_participant p
JOIN registration_registration r ON r.participant_id = p.id
JOIN conference_webinar w ON w.id = r.webinar_id
WHERE r.status = 'CONFIRMED' GROUP BY 1, 2, 3
"""
KEPT = """
SELECT edition_id, gender, province, sum(registered)::bigint, sum(attended)::bigint
FROM registration_keptcount WHERE webinar_id IS NULL AND NOT answers_only GROUP BY 1, 2, 3
"""


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return sorted(cursor.fetchall())


def conference(year, ends_on):
    return factories.EditionFactory(year=year, earlier=True, starts_on=ends_on - timedelta(days=1), ends_on=ends_on)


@pytest.fixture
def old(now):
    """Ended three years ago."""
    return conference(2024, now.date() - timedelta(days=3 * 365))


def seat(edition, participant=None, **fields):
    webinar = edition.webinars.first() or factories.WebinarFactory(
        edition=edition, starts_at=None, ends_at=None, date=edition.ends_on
    )
    return factories.RegistrationFactory(
        webinar=webinar, participant=participant or factories.ParticipantFactory(), **fields
    )


def run_now(now, time_machine):
    """Announces, waits the week, carries out."""
    retention.apply_all(now=now)
    later = now + timedelta(days=7, minutes=1)
    time_machine.move_to(later)
    return retention.apply_all(now=later)


# ---- Announced first


def test_nothing_goes_before_the_week_is_over(now, old, time_machine):
    seat(old)
    retention.apply_all(now=now)
    run = RetentionRun.objects.get(kind=Kind.PERSON)
    assert (run.planned, run.due_at, run.is_open) == (1, now + timedelta(days=7), True)
    retention.apply_all(now=now + timedelta(days=6, hours=23))
    assert Participant.objects.count() == 1
    retention.apply_all(now=now + timedelta(days=7))
    run.refresh_from_db()
    assert (Participant.objects.count(), run.removed, run.ran_at) == (0, 1, now + timedelta(days=7))


def test_announcing_twice_is_one_run_and_where_nothing_is_due_there_is_none(now, old):
    seat(old)
    retention.announce_all(now=now)
    retention.announce_all(now=now)
    assert [run.kind for run in RetentionRun.objects.all()] == [Kind.PERSON]


def test_what_is_stopped_stays_and_is_not_announced_again_for_a_month(now, old):
    seat(old)
    [run] = retention.announce_all(now=now)
    assert retention.stop(run, now=now) is True
    assert retention.stop(run, now=now) is False
    retention.apply_all(now=now + timedelta(days=29))
    assert (Participant.objects.count(), RetentionRun.objects.count()) == (1, 1)
    retention.apply_all(now=now + timedelta(days=31))
    assert RetentionRun.objects.open().count() == 1


def test_a_stop_between_two_batches_holds_and_the_record_is_true(now, old, monkeypatch):
    for _person in range(3):
        seat(old)
    [run] = retention.announce_all(now=now)
    monkeypatch.setattr(retention, "BATCH", 1)
    later = now + timedelta(days=8)
    remove = retention.PARTS[Kind.PERSON].remove

    def remove_then_stop(up_to):
        number = remove(up_to)
        retention.stop(run, now=later)
        return number

    monkeypatch.setitem(retention.PARTS, Kind.PERSON, retention.Part(retention.count_people, remove_then_stop))
    assert retention.carry_out(run, now=later) is False
    run.refresh_from_db()
    assert Participant.objects.count() == 2
    assert (run.removed, run.stopped_at, run.ran_at) == (1, later, None)


@pytest.mark.parametrize(("days", "left"), [(3650, 1), (1, 1)])
def test_a_period_changed_after_the_announcement_never_takes_more(now, old, days, left):
    """Longer by now: nobody goes. Shorter: the younger conference was not announced and stays."""
    seat(old)
    younger = seat(conference(2027, now.date() - timedelta(days=30)))
    retention.announce_all(now=now)
    RetentionPeriod.objects.filter(kind=Kind.PERSON).update(days=days)
    retention.apply_all(now=now + timedelta(days=8))
    assert Registration.objects.filter(pk=younger.pk).exists()
    assert Participant.objects.count() == (2 if days == 3650 else left)


# ---- People


def test_numbers_stay_as_plain_sql_counts_them(now, old, time_machine):
    other = conference(2023, now.date() - timedelta(days=4 * 365))
    for number in range(7):
        person = factories.ParticipantFactory(
            gender=["female", "male"][number % 2], province=["81", "73", "53"][number % 3]
        )
        first = seat(old, person)
        if number % 2:
            Attendance.objects.create(registration=first, source="link", joined_at=now)
        second = factories.WebinarFactory(edition=old, starts_at=None, ends_at=None, date=old.ends_on)
        factories.RegistrationFactory(participant=person, webinar=second)
        if number > 3:
            seat(other, person)
    seat(old, cancelled=True)
    truth = rows(TRUTH)
    run_now(now, time_machine)
    assert Participant.objects.count() == 0
    assert rows(KEPT) == truth
    assert {count.webinar is None for count in KeptCount.objects.all()} == {True, False}


def test_made_up_and_restricted_people_are_in_no_count(now, old, time_machine):
    seat(old, factories.ParticipantFactory(is_made_up=True))
    seat(old, factories.ParticipantFactory(restricted_at=now))
    run_now(now, time_machine)
    assert (Participant.objects.count(), KeptCount.objects.count()) == (0, 0)


def test_who_attends_a_later_conference_or_wants_news_stays_without_what_is_old(now, old, time_machine):
    later = factories.ParticipantFactory()
    newer = seat(conference(2027, now.date() - timedelta(days=30)), later)
    old_seats = [seat(old, later), seat(old)]
    factories.ConsentFactory(participant=old_seats[1].participant, purpose="news")
    withdrew = seat(old)
    factories.ConsentFactory(participant=withdrew.participant, purpose="news", withdrawn=True)
    [run] = run_now(now, time_machine)
    assert set(Participant.objects.all()) == {later, old_seats[1].participant}
    assert list(Registration.objects.all()) == [newer]
    run.refresh_from_db()
    assert (run.planned, run.removed) == (3, 3)
    assert sum(KeptCount.objects.filter(webinar=None).values_list("registered", flat=True)) == 3


def test_accounts_go_with_the_last_person_that_hangs_on_them(now, old, time_machine):
    alone = seat(old).participant.account
    carer = factories.ParticipantFactory()
    seat(old, carer)
    seat(conference(2027, now.date()), factories.ParticipantFactory(account=carer.account, email=""))
    organiser = factories.UserFactory(organiser=True)
    seat(old, factories.ParticipantFactory(account=organiser, email=organiser.email))
    bait = factories.UserFactory()
    run_now(now, time_machine)
    assert set(User.objects.all()) == {carer.account, organiser, bait}
    assert not User.objects.filter(pk=alone.pk).exists()


def test_who_is_in_no_book_counts_from_the_day_she_was_entered(now, time_machine):
    factories.ParticipantFactory(created_at=now - timedelta(days=800))
    fresh = factories.ParticipantFactory(created_at=now - timedelta(days=100))
    run_now(now, time_machine)
    assert list(Participant.objects.all()) == [fresh]


def test_a_batch_costs_the_same_for_one_person_and_for_three(now, old):
    def cost(number):
        for _person in range(number):
            Certificate.objects.create(registration=(row := seat(old)), code=row.code, name="Nama")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert retention.remove_people(now.date() - timedelta(days=730)) == number
        return len(queries)

    assert cost(1) == cost(3)


# ---- Answers, texts, histories, downloads


def test_answers_go_on_the_promised_day_and_their_number_stays(now, time_machine):
    edition = conference(2027, now.date() - timedelta(days=53))
    people = [seat(edition).participant for _person in range(3)]
    for person, seeing in zip(people, ["a_lot", "none", "undisclosed"], strict=True):
        SensitiveAnswers.objects.create(participant=person, seeing=seeing, delete_on=now.date() + timedelta(days=300))
        factories.ConsentFactory(participant=person, purpose="sensitive")
    early = seat(factories.EditionFactory(year=2028)).participant
    SensitiveAnswers.objects.create(participant=early, delete_on=now.date() + timedelta(days=7))
    bait = SensitiveAnswers.objects.create(
        participant=seat(early.registrations.get().webinar.edition).participant,
        delete_on=now.date() + timedelta(days=9),
    )
    run_now(now, time_machine)
    assert list(SensitiveAnswers.objects.all()) == [bait]
    assert Participant.objects.count() == 5
    numbers = KeptCount.objects.filter(webinar=None).values_list("edition", "difficulty", "registered", "answers_only")
    assert sorted(numbers) == [(edition.pk, answer, 1, True) for answer in ("no", "refused", "yes")]


def test_texts_of_mails_are_blanked_and_a_row_without_a_person_goes(now, time_machine):
    long_ago = now - timedelta(days=100)
    fields = {"sent": True, "sent_at": long_ago, "subject": "S", "text": "T", "html": "H"}
    old_mail = factories.OutgoingMailFactory(**fields, context={"a": 1})
    factories.OutgoingMailFactory(participant=None, **fields)
    young = factories.OutgoingMailFactory(**{**fields, "sent_at": now - timedelta(days=80)})
    waiting = factories.OutgoingMailFactory(created_at=long_ago, context={"code": "1"})
    run_now(now, time_machine)
    assert set(OutgoingMail.objects.all()) == {old_mail, young, waiting}
    old_mail.refresh_from_db()
    assert (old_mail.subject, old_mail.text, old_mail.html, old_mail.context) == ("", "", "", {})
    young.refresh_from_db()
    waiting.refresh_from_db()
    assert (young.text, waiting.context) == ("T", {"code": "1"})
    assert old_mail.to


def test_histories_and_downloads_go_with_their_conference(now, time_machine):
    edition, newer = conference(2023, now.date() - timedelta(days=1200)), conference(2027, now.date())
    stays = factories.ParticipantFactory()
    rows_of = {}
    for of in (edition, newer):
        row = seat(of, stays)
        host = factories.OrganisationFactory()
        download = Download.objects.create(organisation=host, webinar=row.webinar, format="csv", rows=1, columns="name")
        Withdrawal.objects.create(organisation=host, webinar=row.webinar, registration_code=row.code, withdrawn_at=now)
        rows_of[of] = (Event.objects.create(participant=stays, registration=row, kind="confirmed", at=now), download)
    run_now(now, time_machine)
    assert list(Event.objects.all()) == [rows_of[newer][0]]
    assert list(Download.objects.all()) == [rows_of[newer][1]]
    assert Withdrawal.objects.count() == 1


# ---- By hand


def test_a_dry_run_writes_nothing(now, old):
    seat(old)
    out = StringIO()
    call_command("apply_retention", "--dry-run", stdout=out)
    assert "person (730 days): 1 past their time, 1 in a week" in out.getvalue()
    assert (RetentionRun.objects.count(), Participant.objects.count()) == (0, 1)


def test_by_hand_it_announces_as_the_beat_does(now, old):
    seat(old)
    out = StringIO()
    call_command("apply_retention", stdout=out)
    assert out.getvalue() == "person: 1 announced for 2027-06-08\n"
    assert Participant.objects.count() == 1
