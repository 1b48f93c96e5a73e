import copy
import itertools
import textwrap
import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from conference import editionfile, loading, rehearsal
from conference.models import AgendaItem, Appearance, Edition, Organisation, Page, Partnership, Speaker, Webinar
from conference.timezones import WIT, WITA
from tests.factories import EditionFactory, MaterialFactory, RegistrationFactory, WebinarFactory

MODELS = (Edition, Organisation, Partnership, Webinar, AgendaItem, Speaker, Appearance, Page)
NAMES = ("kpt2016", "kpt2017", "kpt2018", "kpt2020")
SMALL = """\
sources:
  S1: {publisher: Koran, date: 2030-01-01, url: "https://koran.example.org/1"}
edition:
  number: 9
  year: 2030
  slug: kpt2030
  name: {id: Konferensi Contoh, en: Example Conference}
  starts_on: 2030-05-01
  ends_on: 2030-05-02
organisations:
  - {slug: lembaga, name: {id: Lembaga Contoh}, kind: cso, role: organiser, source: [S1]}
webinars:
  - number: 1
    slug: satu
    title: {id: Satu, en: One}
    date: 2030-05-01
    starts_at: null
    ends_at: null
    status: published
    hosts: [lembaga]
  - number: 2
    slug: dua
    title: {id: Dua}
    date: 2030-05-02
    starts_at: null
agenda:
  - {slug: buka, kind: opening, title: {id: Buka}, date: 2030-05-01, note: {id: Salam}}
speakers:
  - {slug: ani, name: Ani, organisation: lembaga}
appearances:
  - {speaker: ani, session: buka, role: opening}
pages:
  - {slug: contoh, title: {id: Contoh}, body: {id: Isi}}
"""


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


@pytest.fixture
def write(tmp_path):
    """`write(text)` or `write(old, new, ...)`: a file with the text, or with SMALL changed; its path."""
    numbers = itertools.count()

    def write_file(*words):
        text = words[0] if len(words) == 1 else SMALL
        for old, new in zip(words[::2], words[1::2], strict=False):
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / f"edisi{next(numbers)}.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_file


def load(file, **options):
    call_command("load_edition", file, **options)


def refusals(file, **options):
    """The lines of the answer, as (line, reason)."""
    with pytest.raises(CommandError) as refused:
        load(file, **options)
    found = []
    for line in str(refused.value).splitlines():
        assert line.startswith(f"{file}:")
        number, _colon, reason = line.removeprefix(f"{file}:").partition(": ")
        found.append((int(number), reason))
    return found


def rows():
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in MODELS}


def local(moment):
    return moment.astimezone(WITA.info).strftime("%Y-%m-%d %H:%M")


def starts():
    return [local(webinar.starts_at) for webinar in Webinar.objects.in_order()]


# ---- The editions of the site


def test_the_editions_of_the_site_load(db):
    for name in NAMES:
        load(name)
    assert list(Edition.objects.newest_first().values_list("year", "slug", "is_current")) == [
        (2020, "kpt2020", True),
        (2018, "kpt2018", False),
        (2017, "kpt2017", False),
        (2016, "kpt2016", False),
    ]
    current = Edition.objects.current()
    assert (current.name_ind, current.name_en) == (
        "Konferensi Perempuan Timur IV",
        "Eastern Indonesia Women's Conference",
    )
    assert (current.starts_on, current.ends_on) == (date(2020, 8, 26), date(2020, 8, 27))
    assert current.registration_opens_at is None
    assert not current.is_rehearsal
    assert list(Webinar.objects.in_order().values_list("slug", "title_ind", "starts_at", "status")) == [
        ("akhiri-kekerasan", "Gerak Bersama Multi Pihak Akhiri Kekerasan Pada Perempuan", None, "published"),
        (
            "perempuan-akar-rumput",
            "Kiprah Perempuan Akar Rumput Memimpin Perubahan di Komunitas",
            None,
            "published",
        ),
        (
            "kebijakan-yang-mengubah",
            "Kebijakan yang Mengubah Kondisi Perempuan dan Kelompok Rentan Menjadi Lebih Baik",
            None,
            "published",
        ),
        ("perempuan-mengelola-sumber-daya", "Perempuan Mengelola Sumber Daya untuk Berdaya", None, "published"),
    ]


def test_three_organisers_host_and_the_supporter_does_not(db):
    load("kpt2020")
    roles = Partnership.objects.order_by("order").values_list("organisation__slug", "role")
    assert list(roles) == [
        ("bakti", "organiser"),
        ("fpl", "organiser"),
        ("komnas-perempuan", "organiser"),
        ("mampu", "supporter"),
    ]
    for webinar in Webinar.objects.all():
        assert {host.slug for host in webinar.hosts.all()} == {"bakti", "fpl", "komnas-perempuan"}


def test_a_speaker_without_a_session_is_kept(db):
    load("kpt2020")
    appearance = Appearance.objects.get(speaker__slug="maria-filiana-tahu")
    assert (appearance.webinar, appearance.agenda_item) == (None, None)


def test_no_hour_is_invented():
    for name in NAMES:
        data = editionfile.read(name).data
        for session in [*data.get("webinars", []), *data.get("agenda", [])]:
            assert (session["starts_at"], session["ends_at"]) == (None, None)


def test_the_pages_are_in_both_languages(db):
    load("kpt2020")
    pages = Page.objects.filter(slug__in=["tentang", "cara-ikut", "tanya-jawab", "bantuan", "privasi", "aksesibilitas"])
    assert len(pages) == 6
    assert all(page.body_ind and page.body_en and page.menu_order for page in pages)


def test_the_editions_agree_on_what_an_organisation_is(db):
    for name in NAMES:
        load(name)
    before = rows()
    for name in NAMES:
        load(name)
    assert rows() == before


def test_every_entry_names_known_sources_and_every_source_is_used():
    for name in NAMES:
        tree = yaml.safe_load((editionfile.FOLDER / f"{name}.yaml").read_text("utf-8"))
        used = set(tree["edition"]["source"])
        for entries in tree.values():
            for entry in entries if isinstance(entries, list) else []:
                used |= set(entry.get("source", []))
        assert used == set(tree["sources"])


def test_a_load_takes_less_than_two_seconds(db):
    began = time.monotonic()
    load("kpt2020", rehearsal=True)
    assert time.monotonic() - began < 2


# ---- Again, and with changes


def test_a_second_load_writes_nothing(db, capsys, write):
    for file in ("kpt2020", write(SMALL)):
        load(file)
        before = rows()
        with CaptureQueriesContext(connection) as queries:
            load(file)
        assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        assert rows() == before
        assert capsys.readouterr().out.splitlines()[-1] == "0 created, 0 updated, 0 removed."


def test_a_changed_file_updates(db, write, capsys):
    load(write(SMALL))
    ids = {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS}
    load(write("{id: Satu, en: One}", "{id: Pertama, en: First}", "note: {id: Salam}", "note: {id: Sambutan}"))
    webinar = Webinar.objects.get(slug="satu")
    assert (webinar.title_ind, webinar.title_en) == ("Pertama", "First")
    assert list(Webinar.objects.filter(slug="satu").values_list("title_ind", flat=True)) == ["Pertama"]
    assert AgendaItem.objects.get().note_ind == "Sambutan"
    assert {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS} == ids
    assert capsys.readouterr().out.splitlines()[-1] == "0 created, 2 updated, 0 removed."


def test_the_untranslated_column_follows_the_indonesian_text(db, write):
    load(write(SMALL))
    load(write("id: Satu,", "id: Pertama,"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT title, title_ind FROM conference_webinar WHERE slug = 'satu'")
        assert cursor.fetchone() == ("Pertama", "Pertama")


def test_what_the_file_leaves_out_stays(db, write):
    load(write(SMALL))
    Webinar.objects.filter(slug="satu").update(zoom_url="https://zoom.us/j/1", capacity=40, join_opens_minutes=15)
    Edition.objects.update(registration_opens_at=datetime(2030, 1, 1, tzinfo=UTC))
    load(write("id: Satu,", "id: Pertama,"))
    webinar = Webinar.objects.get(slug="satu")
    assert (webinar.zoom_url, webinar.capacity, webinar.join_opens_minutes) == ("https://zoom.us/j/1", 40, 15)
    assert webinar.edition.registration_opens_at == datetime(2030, 1, 1, tzinfo=UTC)


def test_reminders_are_set_for_each_webinar(db, write, capsys):
    minutes = "    slug: satu\n    reminder_minutes: [60, 2880, 10]"
    load(write(SMALL))
    assert Webinar.objects.get(slug="satu").reminder_minutes == [1440, 60, 10]
    load(write("    slug: satu", minutes))
    assert Webinar.objects.get(slug="satu").reminder_minutes == [2880, 60, 10]
    load(write("    slug: satu", minutes))
    assert capsys.readouterr().out.splitlines()[-1] == "0 created, 0 updated, 0 removed."
    load(write(SMALL))
    assert Webinar.objects.get(slug="satu").reminder_minutes == [2880, 60, 10]
    load(write("    slug: satu", "    slug: satu\n    reminder_minutes: []"))
    assert Webinar.objects.get(slug="satu").reminder_minutes == []


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("soon", "“reminder_minutes” must be a list."),
        ("[1h]", "“reminder_minutes” must be a whole number."),
        ("[-5]", "“reminder_minutes” must be at least 0."),
        ("[43201]", "“reminder_minutes” must be at most 43200."),
        ("[60, 60]", "“reminder_minutes” names the same thing twice."),
        ("[1, 2, 3, 4, 5, 6, 7]", "“reminder_minutes” names more than 6."),
    ],
)
def test_reminders_that_can_not_be_are_told(written, reason, db, write):
    found = refusals(write("    slug: satu", f"    slug: satu\n    reminder_minutes: {written}"))
    assert [words for _line, words in found] == [reason]


def test_a_section_left_out_stays(db, write):
    load(write(SMALL))
    load(write(SMALL[: SMALL.index("organisations:")]))
    assert (Webinar.objects.count(), AgendaItem.objects.count(), Partnership.objects.count()) == (2, 1, 1)


def test_what_left_the_file_is_removed(db, write, capsys):
    load(write(SMALL))
    second = SMALL[SMALL.index("  - number: 2") : SMALL.index("agenda:")]
    load(write(second, "", "  - {speaker: ani, session: buka, role: opening}\n", "  []\n", ", role: organiser", ""))
    assert list(Webinar.objects.values_list("slug", flat=True)) == ["satu"]
    assert not Appearance.objects.exists()
    assert not Partnership.objects.exists()
    assert Speaker.objects.filter(slug="ani").exists()
    assert capsys.readouterr().out.splitlines()[-1] == "0 created, 0 updated, 3 removed."


def test_a_speaker_who_left_goes_with_her_last_appearance(db, write):
    load(write(SMALL))
    elsewhere = Speaker.objects.create(slug="budi", name="Budi")
    load(write("slug: ani, name: Ani", "slug: ani-baru, name: Ani", "speaker: ani", "speaker: ani-baru"))
    assert set(Speaker.objects.values_list("slug", flat=True)) == {"ani-baru", elsewhere.slug}


def test_webinars_may_swap_their_numbers(db, write):
    load(write(SMALL))
    load(write("number: 1\n", "number: 3\n", "number: 2\n", "number: 1\n", "number: 3\n", "number: 2\n"))
    assert dict(Webinar.objects.values_list("slug", "number")) == {"satu": 2, "dua": 1}


def test_a_webinar_with_registrations_cannot_vanish(db, write):
    load(write(SMALL))
    for _person in range(2):
        RegistrationFactory(webinar=Webinar.objects.get(slug="satu"))
    before = rows()
    file = write("slug: satu", "slug: pertama", "id: Dua", "id: Kedua")
    assert refusals(file) == [
        (
            12,
            "The webinar “satu” is no longer in the file, but it is still needed (registrations: 2). Nothing was "
            "changed. Put it back, or cancel it with “status: cancelled”.",
        )
    ]
    assert rows() == before


def test_a_webinar_with_a_recording_cannot_vanish(db, write):
    load(write(SMALL))
    MaterialFactory(webinar=Webinar.objects.get(slug="dua"))
    [(line, reason)] = refusals(write("slug: dua", "slug: kedua"))
    assert line == 12
    assert "(materials: 1)" in reason


def test_only_one_edition_is_current(db, write):
    load("kpt2020")
    load(write("  ends_on: 2030-05-02", "  ends_on: 2030-05-02\n  is_current: true"))
    assert Edition.objects.current().slug == "kpt2030"
    assert Edition.objects.filter(is_current=True).count() == 1


def test_a_year_of_another_edition_is_refused(db, write):
    EditionFactory(year=2030, number=50, slug="lain", is_current=False)
    assert refusals(write(SMALL)) == [(5, "The edition “lain” already has the year 2030.")]


def test_a_number_of_another_edition_is_refused(db, write):
    EditionFactory(year=2031, number=9, slug="lain", is_current=False)
    assert refusals(write(SMALL)) == [(4, "The edition “lain” already has the number 9.")]


def test_a_webinar_of_another_edition_is_refused(db, write):
    WebinarFactory(slug="dua", edition=EditionFactory(slug="lain", year=2031))
    assert refusals(write(SMALL)) == [(22, "The edition “lain” already has a webinar “dua”.")]


# ---- Files that are wrong

UNKNOWN = "“%s” is not known here. Did you mean “%s”?"
NO_SUCH = "There is no %s “%s” in this file."
NO_HOUR = "“%s” is no hour. Write day, hour and offset as 2020-08-26T09:00+08:00."


@pytest.mark.parametrize(
    ("changes", "line", "reason"),
    [
        (("  year: 2030", "  year: 2030\n  year: 2031"), 6, "“year” stands here twice; the first is in line 5."),
        (("  year: 2030", "\tyear: 2030"), 5, "No text may begin with this sign or with a tab. Use quotes or spaces."),
        (("id: Satu, en", "id: &a Satu, en"), 15, "Anchors (&) and aliases (*) are not used here. Put the text in quotes."),
        (("id: Satu, en", "id: *a, en"), 15, "Anchors (&) and aliases (*) are not used here. Put the text in quotes."),
        (("id: Satu, en", "id: !!python/none x, en"), 15, "Tags (!) are not used here. Put a text that begins with “!” in quotes."),
        (("  year: 2030", "  year: a: b"), 5, "A colon stands where none may. Put a text with “: ” in quotes."),
        (("  year: 2030", "  year"), 5, "A key has no colon after it, or a line is not indented enough."),
        (("  year: 2030", "   year: 2030"), 5, "A colon stands where none may. Put a text with “: ” in quotes."),
        (("name: Ani,", "name: 'Ani,"), 29, "A quotation mark is opened but not closed."),
        (("{publisher: Koran,", "{publisher: [Koran,"), 2, "A bracket is opened but not closed, or a comma is missing."),
        (("agenda:", "---\nagenda:"), 26, "A second document begins here (---). One file holds one edition."),
        (("  year: 2030", "  ? [a]\n  : b\n  year: 2030"), 5, "A list or a mapping cannot be a key."),
        (("name: Ani,", "name: \"A\\0ni\","), 29, "A character stands here that no text may hold."),
        (("name: Ani,", "name: \"A\\uD800ni\","), 29, "A character stands here that no text may hold."),
        (("name: Ani,", "name: A\x07ni,"), 29, "A character stands here that no text may hold."),
        (("id: Isi", "id: " + "[" * 50 + "]" * 50), 33, "This is nested too deeply."),
        (("  year: 2030\n", ""), 3, "“year” is missing here."),
        (("    slug: satu", "    slugg: satu\n    slug: satu"), 14, UNKNOWN % ("slugg", "slug")),
        (("pages:", "halaman:"), 32, "“halaman” is not known here. Known are: sources, edition, organisations, webinars, agenda, speakers, appearances, pages."),
        (("  year: 2030", "  year: no"), 5, "“year” must be a whole number."),
        (("  year: 2030", "  year: 12:30"), 5, "“year” must be a whole number."),
        (("  year: 2030", "  year: 3030"), 5, "“year” must be at most 2200."),
        (("  number: 9", "  number: 0"), 4, "“number” must be at least 1."),
        (("name: Ani,", "name: 2030,"), 29, "“name” must be a text. Put it in quotes."),
        (("name: Ani,", "name: null,"), 29, "“name” is empty."),
        (("name: Ani,", "name: '',"), 29, "“name” is empty."),
        (("{id: Satu, en: One}", "Satu"), 15, "“title” must hold the texts of the languages: “id” and, if there is one, “en”."),
        (("{id: Satu, en: One}", "{en: One}"), 15, "“id” is missing here."),
        (("{id: Satu, en: One}", "{id: ' ', en: One}"), 15, "“title.id” is empty."),
        (("id: Satu,", f"id: {'x' * 201},"), 15, "“title.id” has 201 characters; 200 are the most."),
        (("hosts: [lembaga]", "hosts: lembaga"), 20, "“hosts” must be a list."),
        (("hosts: [lembaga]", "hosts: [lembaga, lembaga]"), 20, "“hosts” names the same thing twice."),
        (("status: published", "status: open"), 19, "“open” is not known for “status”. Known are: draft, published, cancelled."),
        (("status: published", "status: published\n    languages: [Indonesia]"), 20, "“Indonesia” is no language. Write its code, such as id or en."),
        (("status: published", "status: published\n    has_captions: yes"), 20, "“has_captions” must be true or false."),
        (("status: published", "status: published\n    capacity: 0"), 20, "“capacity” must be at least 1."),
        (("status: published", "status: published\n    zoom_url: zoom.us"), 20, "“zoom.us” is no web address. It begins with https://."),
        (("slug: ani", "slug: Ibu Ani", "speaker: ani", "speaker: Ibu Ani"), 29, "“Ibu Ani” will not do: small letters and digits with hyphens between them."),
        (("  S1: {", "  1!: {", "[S1]", "['1!']"), 2, "“1!” will not do: small letters and digits with hyphens between them."),
        (("  starts_on: 2030-05-01", "  starts_on: 2030-02-30"), 8, "“2030-02-30” is no day. Write a day as 2020-08-26."),
        (("  starts_on: 2030-05-01", "  starts_on: 1 Mei 2030"), 8, "“1 Mei 2030” is no day. Write a day as 2020-08-26."),
        (("starts_at: null", "starts_at: 09.00 WITA"), 17, NO_HOUR % "09.00 WITA"),
        (("starts_at: null", "starts_at: 2030-05-01T09:00"), 17, NO_HOUR % "2030-05-01T09:00"),
        (("starts_at: null", "starts_at: 2030-05-01T24:10+08:00"), 17, NO_HOUR % "2030-05-01T24:10+08:00"),
        (("  ends_on: 2030-05-02", "  ends_on: 2030-04-02"), 9, "The edition ends before it begins."),
        (("date: 2030-05-02\n    starts_at: null", "date: 2030-05-03"), 24, "2030-05-03 is outside the edition, 2030-05-01 to 2030-05-02."),
        (("Buka}, date: 2030-05-01", "Buka}, date: 2030-04-30"), 27, "2030-04-30 is outside the edition, 2030-05-01 to 2030-05-02."),
        (("Buka}, date: 2030-05-01,", "Buka},"), 27, "“date” is missing here."),
        (("ends_at: null", "ends_at: 2030-05-01T09:00+08:00"), 18, "An end without a beginning: “starts_at” is missing or null."),
        (("starts_at: null\n    ends_at: null", "starts_at: 2030-05-01T10:00+08:00\n    ends_at: 2030-05-01T10:00+09:00"), 18, "It ends before it begins."),
        (("starts_at: null", "starts_at: 2030-05-01T00:30+09:00"), 17, "In WITA this hour is on 2030-04-30, but the date is 2030-05-01."),
        (("  ends_on: 2030-05-02", "  ends_on: 2030-05-02\n  registration_opens_at: 2030-04-02T09:00+08:00\n  registration_closes_at: 2030-04-01T09:00+08:00"), 11, "Registration closes before it opens."),
        (("status: published", "status: published\n    registration_opens_at: 2030-04-02T09:00+08:00\n    registration_closes_at: 2030-04-01T09:00+08:00"), 21, "Registration closes before it opens."),
        (("slug: dua", "slug: satu"), 22, "“satu” is used twice."),
        (("number: 2", "number: 1"), 21, "“1” is used twice."),
        (("slug: buka", "slug: dua", "session: buka", "session: dua"), 27, "“dua” is used twice."),
        (("source: [S1]", "source: [S2]"), 11, "There is no source “S2”."),
        (("hosts: [lembaga]", "hosts: [yayasan]"), 20, NO_SUCH % ("organisation", "yayasan")),
        (("organisation: lembaga", "organisation: yayasan"), 29, NO_SUCH % ("organisation", "yayasan")),
        (("kind: opening,", "kind: talk, webinar: tiga,"), 27, NO_SUCH % ("webinar", "tiga")),
        (("speaker: ani", "speaker: ana"), 31, NO_SUCH % ("speaker", "ana")),
        (("session: buka", "session: tutup"), 31, NO_SUCH % ("webinar or agenda item", "tutup")),
        (("role: opening}\n", "role: opening}\n  - {speaker: ani, session: buka, role: opening}\n"), 32, "This speaker has this role in this session twice."),
    ],
)  # fmt: skip
def test_a_wrong_file_is_answered_with_the_line_and_the_reason(write, changes, line, reason):
    assert refusals(write(*changes)) == [(line, reason)]


def test_all_problems_are_told_at_once_in_the_order_of_their_lines(write):
    file = write("role: opening}", "role: chair}", "year: 2030", "year: soon", "hosts: [lembaga]", "hosts: [yayasan]")
    assert refusals(file) == [
        (5, "“year” must be a whole number."),
        (20, "There is no organisation “yayasan” in this file."),
        (
            31,
            "“chair” is not known for “role”. Known are: opening, keynote, speaker, moderator, responder, performer, guest.",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "The file is empty."),
        ("# nothing\n", 1, "The file is empty."),
        ("halo\n", 1, "“edition” must hold keys with values."),
        ("- a\n", 1, "“edition” must hold keys with values."),
        ("sources: {}\n", 1, "“edition” is missing here."),
        ("edition: 3\n", 1, "“edition” must hold keys with values."),
        (b"edition:\n  slug: caf\xe9\n", 2, "This is not UTF-8. Save the file as UTF-8."),
        ("#" * 500_001, 1, "The file is larger than 500 kB. That is no edition."),
    ],
)
def test_what_is_no_edition_is_refused(write, text, line, reason):
    assert refusals(write(text)) == [(line, reason)]


def paths_in(tree, path=()):
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths_in(child, (*path, key))


@pytest.mark.parametrize("wrong", [None, [], {}, 3, True, "", "x", [[]], [{}], [None], {"a": 1}, {"id": [1]}])
def test_a_wrong_kind_anywhere_never_ends_in_a_traceback(write, wrong):
    small = yaml.load(SMALL, editionfile.Loader)
    for path in paths_in(small):
        tree = copy.deepcopy(small)
        holder = tree
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = wrong
        assert all(isinstance(reason, str) for _where, reason in editionfile.find_problems(tree))


def test_a_file_that_is_not_there_is_named(tmp_path):
    for file in ("kpt1999", str(tmp_path), "x" * 5000, "a\0b", "../kpt2020"):
        with pytest.raises(CommandError) as refused:
            load(file)
        known = "The site comes with: kpt2016, kpt2017, kpt2018, kpt2020."
        assert str(refused.value) == f"{file}:1: There is no such file. {known}"


def test_a_database_that_refuses_is_answered_in_a_sentence(db, monkeypatch):
    def refuse(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM no_such_table")

    monkeypatch.setattr(loading, "write", refuse)
    with pytest.raises(CommandError, match=r"^Nothing was changed, for the database refused: relation"):
        load("kpt2020")


# ---- Rehearsal


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (None, "2027-06-08 09:00"),
        ("+10m", "2027-06-01 09:10"),
        ("+2h", "2027-06-01 11:00"),
        ("+7d", "2027-06-08 09:00"),
        ("2027-07-01T10:00+09:00", "2027-07-01 09:00"),
        ("2027-07-01T01:00:00Z", "2027-07-01 09:00"),
    ],
)
def test_the_first_webinar_begins_when_it_is_told(db, now, when, expected):
    load("kpt2020", rehearsal=True, starts=when)
    assert starts()[0] == expected


@pytest.mark.parametrize("when", ["", "soon", "+7", "+7w", "7d", "2027-07-01", "2027-07-01T09:00", "2027-13-01T09:00Z"])
def test_a_wrong_start_is_refused(now, when):
    with pytest.raises(CommandError) as refused:
        load("kpt2020", rehearsal=True, starts=when)
    examples = "2026-12-01T09:00+08:00, +10m, +2h, +7d"
    assert str(refused.value) == f"“{when}” is no start. Write a time with its offset, or a distance: {examples}."


@pytest.mark.parametrize("when", ["+9999d", "+999999999d", "2099-01-01T00:00Z", "0001-01-01T00:00+14:00"])
def test_a_start_out_of_reach_is_refused(now, when):
    with pytest.raises(CommandError, match=r"is no start|more than ten years away"):
        load("kpt2020", rehearsal=True, starts=when)


def test_a_start_without_a_rehearsal_is_refused():
    with pytest.raises(CommandError, match=r"^--starts needs --rehearsal: it says when the rehearsal begins\.$"):
        load("kpt2020", starts="+7d")


def test_a_rehearsal_needs_a_webinar():
    with pytest.raises(
        CommandError, match=r"^kpt2016\.yaml:1: A rehearsal needs a webinar, and this edition has none\.$"
    ):
        load("kpt2016", rehearsal=True)


def test_sessions_without_an_hour_get_one_after_another(db, now):
    load("kpt2020", rehearsal=True)
    spans = [(local(w.starts_at), local(w.ends_at), str(w.date)) for w in Webinar.objects.in_order()]
    assert spans == [
        ("2027-06-08 09:00", "2027-06-08 11:00", "2027-06-08"),
        ("2027-06-08 11:30", "2027-06-08 13:30", "2027-06-08"),
        ("2027-06-09 09:00", "2027-06-09 11:00", "2027-06-09"),
        ("2027-06-09 11:30", "2027-06-09 13:30", "2027-06-09"),
    ]
    items = AgendaItem.objects.order_by("order")
    assert [(i.kind, local(i.starts_at), local(i.ends_at), str(i.date)) for i in items] == [
        ("press", "2027-06-07 09:00", "2027-06-07 10:00", "2027-06-07"),
        ("opening", "2027-06-08 08:00", "2027-06-08 09:00", "2027-06-08"),
        ("closing", "2027-06-09 14:00", "2027-06-09 15:00", "2027-06-09"),
    ]


def test_a_rehearsal_is_marked_open_and_has_example_addresses(db, now):
    load("kpt2020", rehearsal=True)
    edition = Edition.objects.get()
    assert edition.is_rehearsal
    assert edition.registration_opens_at == now
    assert edition.is_registration_open(now)
    assert (edition.starts_on, edition.ends_on) == (date(2027, 6, 8), date(2027, 6, 9))
    assert list(Webinar.objects.in_order().values_list("zoom_url", flat=True)) == [
        f"https://example.zoom.us/j/9990000000{number}" for number in (1, 2, 3, 4)
    ]


def test_a_rehearsal_across_midnight_has_the_days_of_wita(db, now):
    load("kpt2020", rehearsal=True, starts="2027-07-01T23:30+09:00")
    assert starts() == ["2027-07-01 22:30", "2027-07-02 01:00", "2027-07-02 22:30", "2027-07-03 01:00"]
    assert [str(w.date) for w in Webinar.objects.in_order()] == ["2027-07-01", "2027-07-02", "2027-07-02", "2027-07-03"]
    edition = Edition.objects.get()
    assert (edition.starts_on, edition.ends_on) == (date(2027, 7, 1), date(2027, 7, 3))


def test_after_midnight_in_the_east_it_is_still_yesterday_in_wita(db, now):
    load("kpt2020", rehearsal=True, starts="2027-07-02T00:30+09:00")
    first = Webinar.objects.in_order().first()
    assert first.starts_at.astimezone(WIT.info).date() == date(2027, 7, 2)
    assert first.date == date(2027, 7, 1)
    opening = AgendaItem.objects.get(kind="opening")
    assert (local(opening.starts_at), opening.date) == ("2027-07-01 22:30", date(2027, 7, 1))


def test_an_opening_before_midnight_belongs_to_the_day_before(db, now):
    load("kpt2020", rehearsal=True, starts="2027-07-02T00:30+08:00")
    assert AgendaItem.objects.get(kind="opening").date == date(2027, 7, 1)
    assert Edition.objects.get().starts_on == date(2027, 7, 1)


def test_known_hours_keep_their_distance(db, now, write):
    file = write(
        "starts_at: null\n    ends_at: null",
        "starts_at: 2030-05-01T13:00+08:00\n    ends_at: 2030-05-01T14:00+08:00",
        "starts_at: null\n",
        "starts_at: 2030-05-02T08:00+08:00\n",
    )
    load(file, rehearsal=True, starts="2027-07-01T09:00+08:00")
    assert starts() == ["2027-07-01 09:00", "2027-07-02 04:00"]
    first, second = Webinar.objects.in_order()
    assert first.ends_at - first.starts_at == timedelta(hours=1)
    assert second.ends_at is None


def test_an_unknown_hour_follows_a_known_one(db, now, write):
    file = write(
        "starts_at: null\n    ends_at: null",
        "starts_at: 2030-05-01T13:00+08:00\n    ends_at: 2030-05-01T14:00+08:00",
        "date: 2030-05-02",
        "date: 2030-05-01",
    )
    load(file, rehearsal=True, starts="2027-07-01T09:00+08:00")
    assert starts() == ["2027-07-01 09:00", "2027-07-01 10:30"]


def test_parts_of_a_webinar_move_with_it(db, now, write):
    part = "agenda:\n  - {slug: bagian, kind: talk, webinar: dua, title: {id: Bagian}}\n"
    load(write("agenda:\n", part), rehearsal=True, starts="2027-07-01T09:00+08:00")
    item = AgendaItem.objects.get(webinar__slug="dua")
    assert (item.date, item.starts_at) == (date(2027, 7, 2), None)


def test_a_real_address_and_a_capacity_survive_a_rehearsal(db, now):
    load("kpt2020")
    Webinar.objects.filter(number=1).update(zoom_url="https://zoom.us/j/123", capacity=7)
    load("kpt2020", rehearsal=True)
    load("kpt2020")
    webinar = Webinar.objects.get(number=1)
    assert (webinar.zoom_url, webinar.capacity) == ("https://zoom.us/j/123", 7)


def test_a_plain_load_restores_everything(db, now):
    load("kpt2020")
    before = rows()
    load("kpt2020", rehearsal=True, starts="+10m")
    assert rows() != before
    load("kpt2020")
    assert rows() == before


def test_a_plain_load_restores_where_the_file_is_silent(db, now, write):
    file = write("    starts_at: null\n    ends_at: null\n", "")
    load(file)
    before = rows()
    load(file, rehearsal=True)
    load(file)
    assert rows() == before


def test_the_same_rehearsal_again_writes_nothing(db, now, time_machine, capsys):
    load("kpt2020", rehearsal=True, starts="2027-07-01T09:00+08:00")
    before = rows()
    time_machine.move_to(now + timedelta(hours=3))
    load("kpt2020", rehearsal=True, starts="2027-07-01T09:00+08:00")
    assert rows() == before
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "0 created, 0 updated, 0 removed.",
        "Rehearsal: the first webinar begins on 1 July 2027 09.00 WITA.",
    ]


def test_an_offset_of_the_start_does_not_matter():
    data = editionfile.read("kpt2020").data
    moment = datetime(2027, 7, 1, 9, tzinfo=WITA.info)
    west = moment.astimezone(timezone(timedelta(hours=-11)))
    assert rehearsal.moved(data, moment) == rehearsal.moved(data, west)


def test_the_file_in_memory_is_not_moved():
    data = editionfile.read("kpt2020").data
    rehearsal.moved(data, datetime(2027, 7, 1, 9, tzinfo=WITA.info))
    assert data == editionfile.read("kpt2020").data


def test_the_example_of_the_manual_loads(db, tmp_path):
    manual = (editionfile.FOLDER.parents[1] / "docs" / "content.md").read_text("utf-8")
    example = textwrap.dedent(manual.partition("```yaml\n")[2].partition("```")[0])
    file = tmp_path / "kpt.yaml"
    file.write_text(example, "utf-8")
    load(str(file))
    assert Webinar.objects.exists()
