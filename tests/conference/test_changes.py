from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Event, Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation

from conference import changes
from conference.models import AgendaItem, Appearance, ProgrammeChange, ProgrammeState, Speaker, Webinar
from registration import tasks
from tests.factories import AgendaItemFactory, AppearanceFactory, EditionFactory, UserFactory, WebinarFactory
from tests.servers import wait_until

pytestmark = pytest.mark.django_db

Kind = ProgrammeChange.Kind
STARTS = datetime(2027, 6, 8, 1, 0, tzinfo=UTC)


@pytest.fixture
def edition(now):
    edition = EditionFactory()
    satu = WebinarFactory(edition=edition, number=1, title="Satu", title_en="One", starts_at=STARTS)
    WebinarFactory(
        edition=edition, number=2, title="Dua", title_en="Two", unknown_hour=True, date=date(2027, 6, 8), slug="dua"
    )
    AppearanceFactory(webinar=satu, speaker__name="Ibu Contoh")
    AgendaItemFactory(webinar=satu, title="Bagian")
    AgendaItemFactory(webinar=None, edition=edition, title="Pembukaan", order=1)
    changes.record(edition, now=now)
    return edition


@pytest.fixture
def told(edition, now):
    """What a record tells, in Indonesian; a minute later each time."""

    def record():
        rows = changes.record(edition, now=now + timedelta(minutes=1))
        return [(row.kind, changes.sentence(row)) for row in rows]

    return record


def test_the_first_look_and_one_without_a_change_tell_nothing(edition, told):
    assert ProgrammeChange.objects.count() == 0
    assert (told(), told()) == ([], [])
    assert ProgrammeState.objects.get().edition == edition


def test_a_change_is_told_once(edition, told, now):
    edition.webinars.filter(number=1).update(status="cancelled")
    assert told() == [(Kind.CANCELLED, "“Satu” dibatalkan")]
    assert told() == []
    row = ProgrammeChange.objects.get()
    assert (row.webinar.title, row.edition, row.at) == ("Satu", edition, now + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("number", "fields", "kind", "sentence"),
    [
        (2, {"starts_at": STARTS}, Kind.HOUR_SET, "Jam “Dua” sudah pasti: Selasa, 8 Juni 2027, 09.00 WITA, 08.00 WIB, 10.00 WIT"),
        (1, {"starts_at": STARTS + timedelta(hours=1)}, Kind.HOUR_MOVED, "“Satu” pindah jam: Selasa, 8 Juni 2027, 10.00–12.00 WITA, 09.00–11.00 WIB, 11.00–13.00 WIT"),
        (1, {"starts_at": None, "ends_at": None}, Kind.HOUR_OPEN, "Jam “Satu” kembali menyusul"),
        (2, {"date": date(2027, 6, 9)}, Kind.DAY_MOVED, "“Dua” pindah ke Rabu, 9 Juni 2027"),
        (1, {"title_ind": "Pertama", "title_en": "First"}, Kind.RENAMED, "“Satu” kini berjudul “Pertama”"),
        (1, {"status": "draft"}, Kind.WITHDRAWN, "“Satu” tidak ada lagi dalam acara"),
    ],
)  # fmt: skip
def test_each_kind_has_its_sentence(edition, told, number, fields, kind, sentence):
    edition.webinars.filter(number=number).update(**fields)
    assert told() == [(kind, sentence)]


def test_a_move_tells_in_english_too_and_what_held_before(edition, told):
    edition.webinars.filter(number=1).update(starts_at=STARTS + timedelta(hours=1))
    told()
    with translation.override("en"):
        row = ProgrammeChange.objects.get()
        assert changes.sentence(row) == (
            "“One” has a new hour: Tuesday, 8 June 2027, 10:00–12:00 WITA, 09:00–11:00 WIB, 11:00–13:00 WIT"
        )
        assert changes.earlier_hour(row).startswith("Before: Tuesday, 8 June 2027, 09:00–12:00 WITA")


def test_only_the_other_languages_title_is_said_to_differ_where_ones_own_does_not(edition, told):
    edition.webinars.filter(number=1).update(title_ind="Pertama")
    told()
    with translation.override("en"):
        assert changes.sentence(ProgrammeChange.objects.get()) == "“One” has a new title in the other language"


def test_a_new_webinar_comes_with_its_people_and_parts_in_one_line(edition, told):
    webinar = WebinarFactory(edition=edition, title="Tiga", unknown_hour=True, date=date(2027, 6, 9))
    AppearanceFactory(webinar=webinar)
    AgendaItemFactory(webinar=webinar)
    assert told() == [(Kind.PUBLISHED, "“Tiga” kini masuk dalam acara, pada Rabu, 9 Juni 2027")]


def test_a_draft_tells_nothing_until_it_is_published(edition, told):
    webinar = WebinarFactory(edition=edition, draft=True)
    AppearanceFactory(webinar=webinar)
    AppearanceFactory(webinar=None, agenda_item=AgendaItemFactory(webinar=webinar))
    assert told() == []
    Webinar.objects.filter(pk=webinar.pk).update(status="published")
    assert [kind for kind, _sentence in told()] == [Kind.PUBLISHED]


def test_a_cancelled_webinar_that_takes_place_after_all(edition, told):
    edition.webinars.filter(number=1).update(status="cancelled", starts_at=STARTS + timedelta(hours=1))
    assert [kind for kind, _sentence in told()] == [Kind.CANCELLED]
    edition.webinars.filter(number=1).update(status="published")
    assert [kind for kind, _sentence in told()] == [Kind.REINSTATED]


def test_a_translation_or_a_text_is_no_news_but_reaches_calendars(edition, told):
    edition.webinars.filter(number=1).update(title_en="The first", summary_ind="Lain")
    assert told() == []
    assert edition.webinars.get(number=1).revision == 1
    assert edition.webinars.get(number=2).revision == 0


def test_people_come_go_and_are_renamed_without_touching_calendars(edition, told):
    AppearanceFactory(webinar=edition.webinars.get(number=2), speaker__name="Ibu Baru")
    assert told() == [(Kind.SPEAKER_ADDED, "Ibu Baru ikut mengisi “Dua”")]
    Speaker.objects.filter(name="Ibu Baru").update(name="Ibu Baru, M.Si.")
    assert told() == [(Kind.SPEAKER_RENAMED, "Nama seorang narasumber diperbaiki: Ibu Baru, M.Si.")]
    Appearance.objects.filter(speaker__name="Ibu Contoh").delete()
    assert told() == [(Kind.SPEAKER_REMOVED, "Ibu Contoh batal mengisi “Satu”")]
    assert set(Webinar.objects.values_list("revision", flat=True)) == {0}


def test_a_speaker_in_a_part_is_one_of_the_webinar(edition, told):
    appearance = Appearance.objects.get()
    part = AgendaItem.objects.get(title_ind="Bagian")
    Appearance.objects.filter(pk=appearance.pk).update(webinar=None, agenda_item=part)
    assert told() == []


def test_a_guest_of_the_conference_who_gets_a_session(edition, told):
    guest = AppearanceFactory(webinar=None, edition=edition, speaker__name="Ibu Tamu")
    assert told() == [(Kind.GUEST_ADDED, "Ibu Tamu ikut mengisi konferensi")]
    Appearance.objects.filter(pk=guest.pk).update(webinar=edition.webinars.get(number=2))
    assert told() == [(Kind.SPEAKER_ADDED, "Ibu Tamu ikut mengisi “Dua”")]


def test_parts_change_in_one_line_and_not_beside_a_moved_hour(edition, told):
    AgendaItemFactory(webinar=edition.webinars.get(number=1))
    assert told() == [(Kind.PARTS, "Susunan acara “Satu” berubah")]
    later = STARTS + timedelta(hours=1)
    edition.webinars.filter(number=1).update(starts_at=later)
    AgendaItem.objects.filter(webinar__number=1).update(starts_at=later, ends_at=None)
    assert [kind for kind, _sentence in told()] == [Kind.HOUR_MOVED]


def test_an_item_that_gets_anothers_row_is_known_by_its_title(edition, told):
    """As loading a file does when something is put in front."""
    AgendaItem.objects.filter(title_ind="Pembukaan").update(title_ind="Konferensi pers", kind="press")
    AgendaItemFactory(webinar=None, edition=edition, title="Pembukaan", order=2)
    assert [sentence.partition("”")[0] for _kind, sentence in told()] == ["“Konferensi pers"]


def test_what_comes_back_outdoes_its_old_copy(edition, told):
    for status in ("draft", "published"):
        edition.webinars.filter(number=1).update(status=status)
        told()
    assert edition.webinars.get(number=1).revision == 1
    assert list(ProgrammeChange.objects.order_by("pk").values_list("kind", flat=True)) == ["withdrawn", "published"]


def test_a_deleted_webinar_is_told_without_its_row(edition, told):
    edition.webinars.get(number=2).delete()
    assert told() == [(Kind.WITHDRAWN, "“Dua” tidak ada lagi dalam acara")]
    assert ProgrammeChange.objects.get().webinar is None


def test_a_rehearsals_moved_dates_are_no_news_but_reach_calendars(edition, told):
    edition.webinars.filter(number=1).update(starts_at=STARTS + timedelta(hours=1))
    edition.is_rehearsal = True
    edition.save()
    assert told() == []
    assert edition.webinars.get(number=1).revision == 1


# ---- Who calls it


def test_the_tick_records_every_edition(edition, now):
    other = EditionFactory(earlier=True)
    tasks.record_changes()
    WebinarFactory(edition=other)
    edition.webinars.filter(number=1).update(status="cancelled")
    tasks.record_changes()
    tasks.record_changes()
    assert set(ProgrammeChange.objects.values_list("edition", "kind")) == {
        (other.pk, "published"),
        (edition.pk, "cancelled"),
    }


def test_loading_an_edition_records(now, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        call_command("load_edition", "kpt2020")
    assert (ProgrammeState.objects.count(), ProgrammeChange.objects.count()) == (1, 0)
    Webinar.objects.filter(number=1).update(title_ind="Lain")
    tasks.record_changes()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("load_edition", "kpt2020")
    assert list(ProgrammeChange.objects.values_list("kind", flat=True)) == ["renamed", "renamed"]


def test_saving_and_deleting_in_the_admin_record(edition, signed_in_client, django_capture_on_commit_callbacks):
    owner = signed_in_client(UserFactory(organiser=True))
    speaker = Speaker.objects.get()
    address = reverse("admin:conference_speaker_change", args=[speaker.pk])
    data = {"name": "Ibu Lain", "slug": speaker.slug, "appearances-TOTAL_FORMS": 0, "appearances-INITIAL_FORMS": 0}
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(address, data).status_code == 302
    webinar = edition.webinars.get(number=2)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(reverse("admin:conference_webinar_delete", args=[webinar.pk]), {"post": "yes"})
    kinds = ProgrammeChange.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["speaker_renamed", "withdrawn"]
    page = owner.get(reverse("admin:conference_programmechange_changelist")).content.decode()
    assert "Nama seorang narasumber diperbaiki: Ibu Lain" in page
    assert owner.get(reverse("admin:conference_programmechange_add")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_a_change_is_still_told_once(now):
    edition = EditionFactory()
    webinar = WebinarFactory(edition=edition)
    changes.record(edition, now=now)
    Webinar.objects.filter(pk=webinar.pk).update(status="cancelled")
    barrier = Barrier(4)

    def record():
        barrier.wait()
        changes.record(edition, now=now)
        connection.close()

    threads = [Thread(target=record) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    webinar.refresh_from_db()
    assert (ProgrammeChange.objects.count(), webinar.revision) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [WebinarFactory, AgendaItemFactory])
def test_a_save_that_overlaps_a_tick_takes_no_number_back(make, now):
    """A form reads the row, a tick raises its revision, the form writes back all that it read."""
    edition = EditionFactory()
    row = make(edition=edition) if make is WebinarFactory else make(edition=edition, webinar=None)
    changes.record(edition, now=now)
    type(row).objects.filter(pk=row.pk).update(title_ind="Lebih awal")
    read, ticked = Event(), Event()

    def save_a_form():
        with transaction.atomic():
            form = type(row).objects.get(pk=row.pk)
            read.set()
            ticked.wait(10)
            form.title_ind = "Dari formulir"
            form.save()
        connection.close()

    thread = Thread(target=save_a_form)
    thread.start()
    assert read.wait(10)
    changes.record(edition, now=now + timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.title_ind, row.revision) == ("Lebih awal", 1)
    ticked.set()
    thread.join()
    row.refresh_from_db()
    assert (row.title_ind, row.revision, row.revised_at) == ("Dari formulir", 1, now + timedelta(minutes=1))
    changes.record(edition, now=now + timedelta(minutes=2))
    row.refresh_from_db()
    assert (row.revision, row.revised_at) == (2, now + timedelta(minutes=2))


@pytest.mark.django_db(transaction=True)
def test_a_save_that_waits_for_a_tick_takes_no_number_back(now):
    """The tick holds the row while the form, which read it before, already wants to write."""
    edition = EditionFactory()
    webinar = WebinarFactory(edition=edition)
    changes.record(edition, now=now)
    form = Webinar.objects.get(pk=webinar.pk)

    def save_the_form():
        form.title_ind = "Dari formulir"
        form.save()
        connection.close()

    thread = Thread(target=save_the_form)
    with transaction.atomic():
        Webinar.objects.filter(pk=webinar.pk).update(date=webinar.date + timedelta(days=1))
        changes.record(edition, now=now)
        thread.start()
        wait_until(lambda: waiting_for_a_lock() == 1, 10)
    thread.join()
    webinar.refresh_from_db()
    assert (webinar.title_ind, webinar.revision) == ("Dari formulir", 1)
    changes.record(edition, now=now)
    webinar.refresh_from_db()
    assert webinar.revision == 2


def waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]
