"""What is agreed to, with which words; and who must be told when it ends."""

import re
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import translation

from registration import consents, exports, letters, partners, rights, withdrawals, workbooks
from registration.choices import Choice
from registration.models import (
    AuditEntry,
    Consent,
    ConsentText,
    Download,
    Event,
    OutgoingMail,
    Participant,
    Registration,
    SensitiveAnswers,
    Withdrawal,
)
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    WebinarFactory,
)
from tests.servers import wait_until

pytestmark = pytest.mark.django_db

Purpose = Consent.Purpose
HOUR = timedelta(hours=1)


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def member(bakti):
    return PartnerMemberFactory(organisation=bakti).user


@pytest.fixture
def webinar(now, bakti):
    return WebinarFactory(hosts=[bakti])


def shared(webinar, organisation, since):
    """A person with a seat since an hour, who has agreed since then."""
    registration = RegistrationFactory(webinar=webinar, created_at=since, confirmed_at=since)
    consent = ConsentFactory(participant=registration.participant, partner=organisation, granted_at=since)
    return registration, consent


def take(member, organisation, webinar, at, tmp_path):
    with (tmp_path / "list.zip").open("wb") as file:
        return partners.take_file(file, member, organisation, webinar, "csv", Choice(), now=at)


# ---- The wording


def test_a_partners_text_names_it_and_every_column_in_words(bakti):
    assert list(exports.WORDS) == list(exports.COLUMNS)
    for language, word in (("id", "nama, email"), ("en", "name, email")):
        text = consents.text_of(Purpose.PARTNER, language, bakti)
        with translation.override(language):
            assert bakti.name in text.splitlines()[0]
            assert ", ".join(str(word) for word in exports.WORDS.values()) in text
        assert word in text


def test_each_consent_keeps_the_very_text_that_was_shown(bakti, now):
    maria, rosa = ParticipantFactory(), ParticipantFactory()
    consents.grant(maria, Purpose.PARTNER, language="id", now=now, organisation=bakti)
    consents.grant(rosa, Purpose.PARTNER, language="id", now=now + HOUR, organisation=bakti)
    consents.grant(rosa, Purpose.NEWS, language="en", now=now + HOUR)
    text = ConsentText.objects.get(purpose="partner")
    assert text.text == consents.text_of(Purpose.PARTNER, "id", bakti)
    assert (text.language, text.first_shown_at) == ("id", now)
    assert {consent.text for consent in Consent.objects.filter(purpose="partner")} == {text}
    news = rosa.consents.get(purpose="news")
    assert (news.text.language, news.version) == ("en", consents.version_of(consents.text_of(Purpose.NEWS, "en")))


def test_another_wording_is_another_version_by_itself(bakti, now, monkeypatch):
    maria, rosa = ParticipantFactory(), ParticipantFactory()
    consents.grant(maria, Purpose.NEWS, language="id", now=now)
    monkeypatch.setitem(consents.STATEMENTS, Purpose.NEWS, "Kirimi saya kabar.")
    consents.grant(rosa, Purpose.NEWS, language="id", now=now)
    first, second = maria.consents.get(), rosa.consents.get()
    assert first.version != second.version
    assert second.text.text.startswith("Kirimi saya kabar.")
    assert ConsentText.objects.count() == 2


def test_granting_again_changes_nothing(bakti, now):
    maria = ParticipantFactory()
    assert consents.grant(maria, Purpose.PARTNER, language="id", now=now, organisation=bakti)
    assert not consents.grant(maria, Purpose.PARTNER, language="en", now=now + HOUR, organisation=bakti)
    assert list(maria.consents.values_list("language", "granted_at")) == [("id", now)]


def test_who_stands_twice_in_a_list_gives_each_consent_once(bakti, now):
    maria = ParticipantFactory()
    asked = [(Purpose.PARTNER, bakti)]
    people = [(maria, asked), (Participant.objects.get(pk=maria.pk), asked)]
    assert len(consents.grant_to_all(people, language="id", now=now, actor=maria.account)) == 1
    assert maria.consents.count() == 1
    assert maria.events.filter(kind="consented").count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_consents_for_three_organisations_cost_what_one_costs(now, count, django_assert_num_queries):
    hosts = OrganisationFactory.create_batch(count)
    consents.grant_for_sign_up(ParticipantFactory(), hosts, with_guardian=False, language="id", now=now)
    maria = ParticipantFactory()
    # in force, texts, consents, withdrawals that lapse
    with django_assert_num_queries(4):
        consents.grant_for_sign_up(maria, hosts, with_guardian=False, language="id", now=now)
    assert maria.consents.count() == count + 1


# ---- Taking back


def test_an_organisation_that_downloaded_her_is_told(bakti, member, webinar, now, tmp_path):
    colleague = PartnerMemberFactory(organisation=bakti, user__language="en").user
    PartnerMemberFactory()  # of another organisation
    registration, consent = shared(webinar, bakti, now)
    take(member, bakti, webinar, now + HOUR, tmp_path)
    assert consents.withdraw(consent, now=now + 2 * HOUR, actor=registration.participant.account)

    row = Withdrawal.objects.get()
    assert (row.organisation, row.webinar, row.registration_code) == (bakti, webinar, registration.code)
    assert (row.withdrawn_at, row.done_at) == (now + 2 * HOUR, None)
    mails = OutgoingMail.objects.filter(kind="withdrawal").order_by("pk")
    assert [(mail.to, mail.language) for mail in mails] == [(member.email, "id"), (colleague.email, "en")]
    assert {mail.participant for mail in mails} == {None}
    assert mails[0].context == {"organisation": bakti.pk, "codes": [registration.code]}


def test_nobody_is_told_of_lists_she_was_not_in(bakti, member, webinar, now, tmp_path):
    other_host = OrganisationFactory()
    webinar.hosts.add(other_host)
    elsewhere = WebinarFactory(hosts=[bakti])
    take(member, bakti, webinar, now - HOUR, tmp_path)  # before she agreed
    registration, consent = shared(webinar, bakti, now)
    RegistrationFactory(participant=registration.participant, webinar=elsewhere, waitlisted=True, created_at=now)
    take(member, other_host, webinar, now + HOUR, tmp_path)  # another organisation
    take(member, bakti, elsewhere, now + HOUR, tmp_path)  # she only waits there
    consents.withdraw(consent, now=now + 2 * HOUR)
    take(member, bakti, webinar, now + 3 * HOUR, tmp_path)  # after she took it back
    assert not Withdrawal.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_whoever_agrees_again_needs_not_be_removed(bakti, member, webinar, now, tmp_path):
    registration, consent = shared(webinar, bakti, now)
    bait, others = shared(webinar, bakti, now)
    take(member, bakti, webinar, now + HOUR, tmp_path)
    consents.withdraw(consent, now=now + 2 * HOUR)
    consents.withdraw(others, now=now + 2 * HOUR)
    consents.grant(registration.participant, Purpose.PARTNER, language="id", now=now + 3 * HOUR, organisation=bakti)
    assert list(Withdrawal.objects.filter(done_at=None).values_list("registration_code", flat=True)) == [bait.code]


def test_taking_back_twice_tells_once(bakti, member, webinar, now, tmp_path):
    _registration, consent = shared(webinar, bakti, now)
    take(member, bakti, webinar, now, tmp_path)
    assert consents.withdraw(consent, now=now + HOUR)
    assert not consents.withdraw(consent, now=now + 2 * HOUR)
    assert OutgoingMail.objects.count() == Withdrawal.objects.count() == 1
    assert Event.objects.filter(kind="withdrawn").count() == 1


def test_agreeing_and_taking_back_once_more_keeps_one_open_line(bakti, member, webinar, now, tmp_path):
    registration, consent = shared(webinar, bakti, now)
    take(member, bakti, webinar, now, tmp_path)
    consents.withdraw(consent, now=now + HOUR)
    again = ConsentFactory(participant=registration.participant, partner=bakti, granted_at=now + 2 * HOUR)
    take(member, bakti, webinar, now + 2 * HOUR, tmp_path)
    consents.withdraw(again, now=now + 3 * HOUR)
    assert list(Withdrawal.objects.values_list("withdrawn_at", "done_at")) == [(now + 3 * HOUR, None)]
    assert OutgoingMail.objects.count() == 2


def test_restricted_and_withdrawn_people_are_in_no_list(bakti, member, webinar, now, tmp_path):
    stays, _consent = shared(webinar, bakti, now)
    restricted, _consent = shared(webinar, bakti, now)
    withdrawn, consent = shared(webinar, bakti, now)
    rights.restrict(restricted.participant, now=now)
    consents.withdraw(consent, now=now)
    assert set(Registration.objects.shared_with(bakti)) == {stays}
    assert [row.shared for row in partners.webinars_of(bakti)] == [1]
    assert take(member, bakti, webinar, now + HOUR, tmp_path).rows == 1
    with zipfile.ZipFile(tmp_path / "list.zip") as folder:
        text = folder.read(folder.namelist()[0]).decode()
    assert stays.code in text
    assert restricted.code not in text
    assert withdrawn.code not in text
    rights.lift(restricted.participant, now=now)
    assert set(Registration.objects.shared_with(bakti)) == {stays, restricted}


def test_answers_go_with_the_consent_they_stand_on(now):
    answers = SensitiveAnswers.objects.create(participant=ParticipantFactory(), seeing="some", delete_on=now.date())
    bait = SensitiveAnswers.objects.create(participant=ParticipantFactory(), seeing="some", delete_on=now.date())
    consents.grant(answers.participant, Purpose.SENSITIVE, language="id", now=now)
    consents.withdraw(answers.participant.consents.get(), now=now)
    assert list(SensitiveAnswers.objects.all()) == [bait]


def test_who_takes_back_a_needed_consent_leaves_and_shares_with_nobody(bakti, member, webinar, now, tmp_path):
    seat, _consent = shared(webinar, bakti, now)
    maria, waiting = seat.participant, RegistrationFactory(webinar=webinar, waitlisted=True)
    over = RegistrationFactory(participant=maria, webinar=WebinarFactory(over=True))
    processing = ConsentFactory(participant=maria)
    webinar.capacity = 1
    webinar.save()
    take(member, bakti, webinar, now, tmp_path)
    assert rights.take_back(processing, actor=maria.account, now=now + HOUR)
    for row in (seat, waiting, over):
        row.refresh_from_db()
    assert (seat.status, waiting.status, over.status) == ("CANCELLED", "CONFIRMED", "CONFIRMED")
    assert not maria.consents.in_force().exists()
    assert Withdrawal.objects.get().registration_code == seat.code
    assert not rights.take_back(processing, actor=maria.account, now=now + HOUR)


def test_a_member_settles_what_is_her_organisations_once(bakti, member, webinar, now):
    row = Withdrawal.objects.create(organisation=bakti, webinar=webinar, registration_code="A", withdrawn_at=now)
    foreign = PartnerMemberFactory().user
    assert not withdrawals.settle(row.pk, foreign, now=now)
    assert withdrawals.settle(row.pk, member, now=now)
    assert not withdrawals.settle(row.pk, member, now=now + HOUR)
    row.refresh_from_db()
    assert (row.done_by, row.done_at) == (member, now)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.organisation, entry.object_id) == ("acted", member, bakti, str(row.pk))


# ---- The mail to the organisation, and its room


@pytest.mark.parametrize(("language", "word"), [("id", "Hapuslah"), ("en", "Please delete")])
def test_the_mail_names_codes_and_no_person(bakti, webinar, now, language, word, tmp_path):
    user = PartnerMemberFactory(organisation=bakti, user__language=language).user
    registration, consent = shared(webinar, bakti, now)
    take(user, bakti, webinar, now, tmp_path)
    consents.withdraw(consent, now=now + HOUR)
    message = letters.compose(OutgoingMail.objects.get(), now=now)
    assert registration.code in message.body
    assert "/ruang-mitra/" in message.body
    assert word in message.body
    for part in (message.subject, message.body, message.alternatives[0].content):
        assert registration.participant.name not in part
        assert registration.participant.email not in part


def test_the_mail_is_of_no_use_once_removed_or_to_who_has_left(bakti, member, webinar, now, tmp_path):
    _registration, consent = shared(webinar, bakti, now)
    take(member, bakti, webinar, now, tmp_path)
    consents.withdraw(consent, now=now)
    mail = OutgoingMail.objects.get()
    letters.compose(mail, now=now)
    member.partner_memberships.all().delete()
    with pytest.raises(letters.Obsolete):
        letters.compose(mail, now=now)


def test_room_lists_who_is_to_be_removed_until_it_is_said(signed_in_client, bakti, member, webinar, now):
    row = Withdrawal.objects.create(organisation=bakti, webinar=webinar, registration_code="MINE", withdrawn_at=now)
    elsewhere = Withdrawal.objects.create(
        organisation=OrganisationFactory(), webinar=webinar, registration_code="THEIRS", withdrawn_at=now
    )
    client = signed_in_client(member)
    page = client.get("/ruang-mitra/").content.decode()
    assert "MINE" in page
    assert "THEIRS" not in page
    action = f"/ruang-mitra/dihapus/{row.pk}/"
    assert f'action="{action}"' in page
    assert client.get(action).status_code == 405
    assert client.post(f"/ruang-mitra/dihapus/{elsewhere.pk}/").status_code == 404
    assert client.post(action)["Location"] == "/ruang-mitra/"
    assert "MINE" not in re.sub(r"<title>.*?</title>", "", client.get("/ruang-mitra/").content.decode())
    row.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (row.done_at, row.done_by, elsewhere.done_at) == (now, member, None)


def test_removing_needs_the_second_factor_too(signed_in_client, bakti, webinar, now):
    user = PartnerMemberFactory(organisation=bakti, user__second_factor=False).user
    row = Withdrawal.objects.create(organisation=bakti, webinar=webinar, registration_code="A", withdrawn_at=now)
    assert signed_in_client(user).post(f"/ruang-mitra/dihapus/{row.pk}/")["Location"] == "/akun/2fa/"
    row.refresh_from_db()
    assert row.done_at is None


# ---- Both at once


@pytest.mark.django_db(transaction=True)
def test_who_takes_back_while_a_list_is_written_is_not_forgotten(bakti, member, webinar, now, tmp_path, monkeypatch):
    registration, consent = shared(webinar, bakti, now)
    is_read, may_end = threading.Event(), threading.Event()

    def slowly(file, found, terms):
        is_read.set()
        may_end.wait(10)
        return len(found)

    monkeypatch.setitem(workbooks.WRITERS, Download.Format.CSV, slowly)
    with ThreadPoolExecutor() as threads:
        download = threads.submit(closing(take), member, bakti, webinar, now + HOUR, tmp_path)
        assert is_read.wait(10)
        withdrawal = threads.submit(closing(consents.withdraw), consent, now=now + HOUR)
        wait_until(lambda: locks_waited_for() == 1, 10)
        may_end.set()
        assert download.result(10).rows == 1
        assert withdrawal.result(10)
    assert list(Withdrawal.objects.values_list("registration_code", flat=True)) == [registration.code]


def closing(work):
    def run(*args, **kwargs):
        try:
            return work(*args, **kwargs)
        finally:
            connection.close()

    return run


def locks_waited_for():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone()[0]
