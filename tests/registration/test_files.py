"""Long lists: written by a worker, fetched by whoever asked and by nobody else, gone after a day."""

import io
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import openpyxl
import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from registration import consents, erasure, exports, files, letters, rights, tasks, workbooks
from registration.cards import Obsolete
from registration.choices import Choice
from registration.models import (
    AuditEntry,
    Download,
    OutgoingMail,
    PreparedBlock,
    PreparedFile,
    Registration,
    Withdrawal,
)
from tests.factories import (
    ConsentFactory,
    OrganisationFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
from tests.servers import wait_until

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Status = PreparedFile.Status


@pytest.fixture
def bakti():
    return OrganisationFactory(name="BaKTI", slug="bakti")


@pytest.fixture
def webinar(bakti):
    return WebinarFactory(slug="gerak-bersama", title="Gerak Bersama", hosts=[bakti])


@pytest.fixture
def alice(bakti):
    return PartnerMemberFactory(organisation=bakti).user


def attend(webinar, partner, name="Maria Contoh"):
    registration = RegistrationFactory(webinar=webinar, participant__name=name)
    ConsentFactory(participant=registration.participant, partner=partner)
    return registration


@pytest.fixture
def ask(alice, bakti, webinar):
    def ask(format="xlsx", **choice):
        now = timezone.now()
        return files.ask(alice, bakti, webinar, Choice(**choice), format, language="id", now=now)

    return ask


def made(file):
    files.make_due()
    file.refresh_from_db()
    return file


def names_in(file):
    book = openpyxl.load_workbook(io.BytesIO(b"".join(files.content(file))))
    return [row[2] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]


# ---- Written


def test_a_file_is_what_was_chosen_and_ends_after_a_day(ask, bakti, webinar, alice, now):
    attend(webinar, bakti, "Maria")
    attend(webinar, bakti, "Yosefa")
    file = made(ask(search="mar"))
    assert (file.status, file.rows_done, file.rows_total) == ("ready", 1, 1)
    assert (file.ready_at, file.ends_at) == (now, now + timedelta(hours=24))
    assert names_in(file) == ["Maria"]
    assert files.name(file) == "peserta-gerak-bersama-bakti-2027-06-01.xlsx"
    mail = OutgoingMail.objects.get(kind="file_ready")
    assert (mail.to, mail.participant) == (alice.email, None)
    assert f"/berkas/{file.token}/" in letters.compose(mail, now=now).body


def test_csv_comes_with_its_terms(ask, bakti, webinar, now):
    attend(webinar, bakti)
    file = made(ask("csv", columns=("registration_code", "name")))
    with zipfile.ZipFile(io.BytesIO(b"".join(files.content(file)))) as folder:
        assert len(folder.namelist()) == 2
        assert folder.read("peserta-gerak-bersama-bakti-2027-06-01.csv").startswith(
            b"\xef\xbb\xbfregistration_code,name\r\n"
        )
    assert files.name(file).endswith(".zip")
    assert files.size(file) == len(b"".join(files.content(file)))


def test_a_large_file_lies_in_pieces(ask, bakti, webinar, monkeypatch):
    monkeypatch.setattr(files, "PIECE", 1000)
    attend(webinar, bakti)
    file = made(ask())
    assert file.blocks.count() == -(-files.size(file) // 1000) > 3
    assert names_in(file) == ["Maria Contoh"]


def test_the_same_list_that_is_coming_is_asked_for_once(ask):
    assert ask() == ask()
    assert ask("csv") != ask()
    assert AuditEntry.objects.filter(action="acted", object_type="registration.preparedfile").count() == 2


def test_nobody_has_more_than_a_few_written_at_once(ask, monkeypatch):
    monkeypatch.setattr(files, "MOST", 1)
    ask()
    with pytest.raises(files.Refused):
        ask(search="x")


def test_two_workers_take_two_files(ask, now):
    first, second = ask(), ask("csv")
    assert [files.claim(now=now).pk, files.claim(now=now).pk, files.claim(now=now)] == [first.pk, second.pk, None]


# ---- When it does not go well


def test_a_dead_workers_file_is_taken_up_again_and_its_ghost_writes_nothing(ask, bakti, webinar, now, time_machine):
    attend(webinar, bakti)
    file = ask()
    ghost = files.claim(now=now)
    files.mind(now=now + timedelta(minutes=1))
    assert files.claim(now=now) is None
    files.mind(now=now + timedelta(minutes=3))
    files.make(ghost)
    file.refresh_from_db()
    assert (file.status, file.blocks.count()) == ("queued", 0)
    later = files.claim(now=now)
    files.make(ghost)
    file.refresh_from_db()
    assert (file.status, file.blocks.count()) == ("working", 0)
    files.make(later)
    file.refresh_from_db()
    assert (file.status, file.attempts) == ("ready", 2)


def test_what_fails_three_times_is_said_to_have_failed_and_may_be_asked_for_again(ask, now, monkeypatch):
    def broken(*_args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setitem(workbooks.WRITERS, "xlsx", broken)
        file = made(ask())
    assert (file.status, file.attempts, file.error) == ("failed", 3, "OSError")
    assert files.again(file, now=now)
    assert not files.again(file, now=now)
    assert made(file).is_ready


def test_worker_that_dies_each_time_is_given_up(ask, now):
    file = ask()
    for minutes in (0, 3, 6):
        files.claim(now=now + timedelta(minutes=minutes))
        files.mind(now=now + timedelta(minutes=minutes + 3))
    file.refresh_from_db()
    assert file.status == "failed"


def test_a_database_that_is_away_is_no_end(ask, monkeypatch):
    calls = []

    def away_once(*args):
        calls.append(1)
        if len(calls) == 1:
            raise DatabaseError("gone")
        return workbooks.write_xlsx(*args)

    monkeypatch.setitem(workbooks.WRITERS, "xlsx", away_once)
    assert made(ask()).is_ready


def test_files_go_at_their_end_and_with_the_membership(ask, alice, bakti, webinar, now):
    attend(webinar, bakti)
    file = made(ask())
    files.mind(now=now + timedelta(hours=23))
    assert PreparedFile.objects.filter(pk=file.pk).exists()
    files.mind(now=now + timedelta(hours=24))
    assert not PreparedFile.objects.exists()
    assert not PreparedBlock.objects.exists()

    made(ask())
    alice.partner_memberships.all().delete()
    files.mind(now=now)
    assert not PreparedFile.objects.exists()


# ---- Fetched


def test_a_fetch_is_recorded_like_each_other_download(ask, alice, bakti, webinar, now):
    attend(webinar, bakti)
    file = made(ask(columns=("registration_code", "name")))
    assert not Download.objects.exists()
    assert files.fetch(file, alice, now=now + HOUR)
    record = Download.objects.get()
    assert (record.user, record.organisation, record.webinar, record.format) == (alice, bakti, webinar, "xlsx")
    assert (record.rows, record.columns, record.downloaded_at) == (1, "registration_code, name", now + HOUR)
    entry = AuditEntry.objects.get(action="downloaded")
    assert (entry.actor, entry.organisation, entry.webinar_id, entry.rows) == (alice, bakti, webinar.pk, 1)


@pytest.mark.parametrize("leave", ["withdraw", "restrict", "cancel", "erase"])
def test_who_leaves_before_it_is_fetched_is_not_handed_out(ask, alice, bakti, webinar, now, leave):
    attend(webinar, bakti, "Stays")
    gone = attend(webinar, bakti, "Gone")
    file = made(ask())
    consent = gone.participant.consents.get()
    match leave:
        case "withdraw":
            consents.withdraw(consent, now=now)
        case "restrict":
            rights.restrict(gone.participant, now=now)
        case "cancel":
            Registration.objects.filter(pk=gone.pk).update(status="CANCELLED", cancelled_at=now)
        case "erase":
            assert erasure.erase(gone.participant, now=now)
    assert not files.fetch(file, alice, now=now + HOUR)
    assert not Download.objects.exists()
    file.refresh_from_db()
    assert (file.status, file.blocks.count()) == ("queued", 0)
    assert names_in(made(file)) == ["Stays"]
    assert files.fetch(file, alice, now=now + HOUR)
    assert Download.objects.get().rows == 1


@pytest.mark.parametrize("end", [consents.withdraw, lambda consent, now: erasure.erase(consent.participant, now=now)])
def test_her_data_leaves_the_waiting_file_at_once(ask, bakti, webinar, now, end):
    gone = attend(webinar, bakti, "Gone")
    file = made(ask())
    assert file.blocks.exists()
    end(gone.participant.consents.get(), now=now)
    assert not file.blocks.exists()


def test_consent_given_anew_to_another_text_is_read_anew(ask, alice, bakti, webinar, now, time_machine):
    her = attend(webinar, bakti).participant
    file = made(ask())
    her.consents.update(withdrawn_at=now)
    ConsentFactory(participant=her, partner=bakti, granted_at=now + HOUR)
    assert not files.fetch(file, alice, now=now + 2 * HOUR)


def test_withdrawal_after_the_fetch_is_told(ask, alice, bakti, webinar, now):
    her = attend(webinar, bakti)
    her.participant.consents.update(granted_at=now - HOUR)
    Registration.objects.filter(pk=her.pk).update(created_at=now - HOUR)
    files.fetch(made(ask()), alice, now=now)
    consents.withdraw(her.participant.consents.get(), now=now + HOUR)
    assert Withdrawal.objects.get().registration_code == her.code


@pytest.mark.django_db(transaction=True)
def test_who_takes_back_while_it_is_fetched_is_not_forgotten(ask, alice, bakti, webinar, now, monkeypatch):
    her = attend(webinar, bakti)
    file, consent = made(ask()), her.participant.consents.get()
    is_checked, may_end = threading.Event(), threading.Event()
    whole = files.is_whole

    def slowly(file):
        answer = whole(file)
        is_checked.set()
        may_end.wait(10)
        return answer

    monkeypatch.setattr(files, "is_whole", slowly)
    with ThreadPoolExecutor() as threads:
        fetched = threads.submit(closing(files.fetch), file, alice, now=now + HOUR)
        assert is_checked.wait(10)
        withdrawn = threads.submit(closing(consents.withdraw), consent, now=now + HOUR)
        wait_until(lambda: locks_waited_for() == 1, 10)
        may_end.set()
        assert fetched.result(10)
        assert withdrawn.result(10)
    assert list(Withdrawal.objects.values_list("registration_code", flat=True)) == [her.code]


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


# ---- Its page


@pytest.fixture
def ready(ask, bakti, webinar):
    attend(webinar, bakti)
    return made(ask())


def test_page_shows_how_far_it_is_then_the_file(signed_in_client, ask, alice, bakti, webinar, now):
    attend(webinar, bakti)
    file, client = ask(), signed_in_client(alice)
    page = client.get(f"/en/berkas/{file.token}/").content.decode()
    assert "0 of 1 people" in page
    assert 'http-equiv="refresh"' in page
    assert f'data-watch="/en/berkas/{file.token}/keadaan/"' in page
    assert "Your file for Excel · KPT" in page
    assert client.post(f"/berkas/{file.token}/unduh/").status_code == 302
    made(file)
    assert "data-watch" not in client.get(f"/berkas/{file.token}/keadaan/").content.decode()
    response = client.post(f"/berkas/{file.token}/unduh/")
    assert response["Content-Disposition"] == 'attachment; filename="peserta-gerak-bersama-bakti-2027-06-01.xlsx"'
    content = response.getvalue()
    assert int(response["Content-Length"]) == len(content)
    assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames[0] == "attendees"


PAGES = [("get", ""), ("get", "keadaan/"), ("post", "unduh/"), ("post", "lagi/")]


@pytest.mark.parametrize("whose", ["colleague", "stranger", "organiser"])
def test_a_guessed_or_passed_on_link_is_nobodys(signed_in_client, ready, bakti, whose):
    user = {
        "colleague": lambda: PartnerMemberFactory(organisation=bakti).user,
        "stranger": UserFactory,
        "organiser": lambda: UserFactory(organiser=True),
    }[whose]()
    client = signed_in_client(user)
    for method, path in PAGES:
        assert getattr(client, method)(f"/berkas/{ready.token}/{path}").status_code == 404
    assert not Download.objects.exists()
    assert AuditEntry.objects.filter(action="refused", actor=user).exists()


def test_who_has_left_the_organisation_gets_nothing_in_her_open_session(signed_in_client, ready, alice):
    client = signed_in_client(alice)
    assert client.get(f"/berkas/{ready.token}/").status_code == 200
    alice.partner_memberships.all().delete()
    for method, path in PAGES:
        assert getattr(client, method)(f"/berkas/{ready.token}/{path}").status_code == 404
    assert not Download.objects.exists()
    with pytest.raises(Obsolete):
        letters.compose(OutgoingMail.objects.get(kind="file_ready"), now=timezone.now())


def test_without_a_second_factor_there_is_no_file(signed_in_client, ready, alice):
    alice.authenticator_set.all().delete()
    client = signed_in_client(alice)
    for method, path in PAGES:
        assert getattr(client, method)(f"/berkas/{ready.token}/{path}")["Location"] == "/akun/2fa/"
    assert not Download.objects.exists()


def test_after_its_end_the_link_leads_nowhere(signed_in_client, ready, alice):
    PreparedFile.objects.update(ends_at=timezone.now())
    assert signed_in_client(alice).get(f"/berkas/{ready.token}/").status_code == 404


def test_visitor_is_led_to_sign_in(client, ready):
    assert client.get(f"/berkas/{ready.token}/").status_code == 302


def test_failed_file_says_so_and_is_tried_again(signed_in_client, ready, alice):
    PreparedFile.objects.update(status="failed")
    client = signed_in_client(alice)
    page = client.get(f"/en/berkas/{ready.token}/").content.decode()
    assert "could not be written" in page
    client.post(f"/en/berkas/{ready.token}/lagi/")
    ready.refresh_from_db()
    assert ready.status == "queued"


def test_failed_file_that_is_fetched_tells_of_nobody_who_left(signed_in_client, ready, alice):
    PreparedFile.objects.update(status="failed")
    answer = signed_in_client(alice).post(f"/en/berkas/{ready.token}/unduh/", follow=True)
    page = answer.content.decode()
    assert "could not be written" in page
    assert "has left the list" not in page


# ---- The organisers' own


def test_organisers_export_exactly_what_the_list_has_found(signed_in_client, webinar, now):
    organiser = UserFactory(organiser=True)
    wanted = [RegistrationFactory(webinar=webinar, waitlisted=True, participant__name=f"W{n}") for n in range(2)]
    RegistrationFactory(webinar=webinar)
    restricted = RegistrationFactory(webinar=webinar, waitlisted=True)
    rights.restrict(restricted.participant, now=now)
    client = signed_in_client(organiser)
    facts = {"action": "export_xlsx", "_selected_action": wanted[0].pk, "select_across": "1"}
    response = client.post("/admin/registration/registration/?status__exact=WAITLISTED", facts)
    file = PreparedFile.objects.get()
    assert response["Location"] == f"/berkas/{file.token}/"
    assert (file.organisation, file.requested_by) == (None, organiser)
    made(file)
    assert sorted(names_in(file)) == ["W0", "W1"]
    content = client.post(f"/berkas/{file.token}/unduh/").getvalue()
    assert content.startswith(b"PK")
    assert not Download.objects.exists()
    entry = AuditEntry.objects.get(action="downloaded")
    assert (entry.actor, entry.rows, entry.object_type) == (organiser, 2, "registration.preparedfile")
    assert "status__exact" in entry.details
    assert not {"seeing", "access_needs"} & set(exports.COLUMNS)


def test_erased_person_is_not_in_the_organisers_file(signed_in_client, webinar, now):
    organiser = UserFactory(organiser=True)
    stays, gone = RegistrationFactory(webinar=webinar), RegistrationFactory(webinar=webinar)
    file = files.ask_as_organiser(organiser, [stays.pk, gone.pk], {}, "xlsx", language="id", now=now)
    made(file)
    erasure.erase(gone.participant, now=now)
    assert not files.fetch(file, organiser, now=now)
    assert names_in(made(file)) == [stays.participant.name]


def test_a_right_that_was_taken_away_ends_the_organisers_file(signed_in_client, now):
    organiser = UserFactory(organiser=True)
    file = made(files.ask_as_organiser(organiser, [RegistrationFactory().pk], {}, "xlsx", language="id", now=now))
    client = signed_in_client(organiser)
    organiser.is_superuser = False
    organiser.save()
    assert client.get(f"/berkas/{file.token}/").status_code == 404


def test_tasks_do_it_all(ask, bakti, webinar):
    attend(webinar, bakti)
    file = ask()
    tasks.mind_files()
    tasks.make_files()
    file.refresh_from_db()
    assert file.is_ready
