"""The organisers' own words in mails: what may be saved, what comes out, and what happens when it can't be sent."""

import html
import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone, translation

from registration import alerts, delivery, letters, mailbody, mailpreviews, mailsamples, mailtexts, stencils
from registration.models import MailText, OutgoingMail
from registration.placeholders import VOCABULARIES
from registration.stencils import Own
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.kpt.test_project import mail_of

Kind = OutgoingMail.Kind
KINDS = sorted(VOCABULARIES)
LANGUAGES = ["id", "en"]


def write(kind, body, *, subject="Halo", language="id", **fields):
    """As it stands in the database, unchecked."""
    version = MailText.objects.filter(kind=kind, language=language).count() + 1
    row = MailText.objects.create(kind=kind, language=language, version=version, subject=subject, body=body, **fields)
    mailtexts.forget()
    return row


def save(kind, subject, body, *, language="id", after=0, actor=None):
    actor = actor or UserFactory(organiser=True)
    return mailtexts.save(kind, language, subject, body, after=after, actor=actor, now=timezone.now())


def composed(mail):
    message = letters.compose(mail, now=timezone.now())
    return message.subject, message.body, message.alternatives[0].content


def confirmation(name="Ani", **fields):
    registration = RegistrationFactory(participant__name=name, **fields)
    person = registration.participant
    return OutgoingMailFactory(kind="confirmation", participant=person, registration=registration, language="id")


# ---- The shipped words as something to begin with


def shown_words(markup):
    body = re.sub(r"<(head|style).*?</\1>", " ", markup, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", body)).split()


def links_of(markup):
    return [html.unescape(address) for address in re.findall(r'href="([^"]*)"', markup)]


def both(kind, language, facts):
    """Text and HTML as shipped, and by the starting text."""
    with translation.override(language):
        shipped = stencils.render_all(letters.TEMPLATES[kind], facts)
        own = mailtexts.fill_in(mailtexts.prepared(kind, *mailtexts.starting(kind, language)), facts)
    return shipped, own


def with_people(facts):
    person = ParticipantFactory.build(name="Ani", account=None)
    entry = facts["own"] or facts["entries"][0]
    return {"own": None, "entries": [], "people": [{"name": Own("Ani"), "entry": entry}], "participant": person}


def session_of(facts, **fields):
    return {"session": replace(facts["session"], **fields)}


QUIET = {"on_again": False, "moved": False, "hour_set": False, "hour_open": False, "room": False}
VARIANTS = {
    Kind.CONFIRMATION: [
        lambda facts: {"has_seat": False},
        lambda facts: {"moved_from": WebinarFactory.build(edition=None, title="Yang lama", title_en="The old one")},
    ],
    Kind.GROUP: [lambda facts: {"has_seat": False}],
    Kind.CANCELLATION: [lambda facts: {"reason": ""}],
    Kind.INVITATION: [lambda facts: {"is_reminder": True}],
    Kind.WEBINAR_CANCELLED: [
        lambda facts: {"people": [*facts["people"], (Own("Beti"), Own("https://example.org/b"))]},
        lambda facts: {"others": []},
        lambda facts: {"people": []},
        lambda facts: {"people": [], "others": []},
    ],
    Kind.HANDOVER: [lambda facts: {"carer": ""}],
    Kind.DATA_DELETED: [
        lambda facts: {"is_in_care": True},
        lambda facts: {"is_account_gone": False},
        lambda facts: {"is_recorded": True},
    ],
    Kind.REMINDER: [
        lambda facts: {"name": ""},
        lambda facts: {"day": "today", "is_open": True},
        lambda facts: {"day": ""},
        lambda facts: {"day": "today", "has_begun": True},
        with_people,
    ],
    Kind.WEBINAR_CHANGED: [
        lambda facts: {"name": ""},
        lambda facts: QUIET | {"on_again": True},
        lambda facts: QUIET | {"hour_set": True},
        lambda facts: QUIET | {"hour_open": True} | session_of(facts, hours=[]),
        lambda facts: QUIET | {"room": True},
        lambda facts: {"own": None, "entries": []} | session_of(facts, link=Own("https://example.org/tamu")),
        with_people,
    ],
    Kind.PARTNER_LIST: [lambda facts: {"is_after": True}, lambda facts: {"shared": 1}],
    Kind.ROLE_INVITATION: [lambda facts: {"organisation": ""}],
    Kind.ALERT: [
        lambda facts: {"texts": 2},
        lambda facts: {"waiting": 0, "failed": 0, "codes": 0, "texts": 1},
        lambda facts: {"waiting": 0, "is_still": False},
        lambda facts: {"failed": 0, "codes": 0},
    ],
}


def cases(kind, language):
    facts = mailsamples.facts(kind, language, now=timezone.now())
    with translation.override(language):
        return [facts, *(facts | vary(facts) for vary in VARIANTS.get(kind, []))]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_starting_text_says_word_for_word_what_the_shipped_mail_says(kind, language):
    for facts in cases(kind, language):
        shipped, own = both(kind, language, facts)
        assert own[0] == " ".join(shipped[0].split())
        assert shown_words(own[2]) == shown_words(shipped[2])
        assert links_of(own[2]) == links_of(shipped[2])
        assert [address for address in links_of(own[2]) if address not in own[1]] == []
        for mark in ("{", "}", "](", "**", "\ue002"):
            assert mark not in own[1] + own[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_cases_above_know_each_condition_from_both_sides(kind):
    held = [
        {name: condition.holds(facts) for name, condition in VOCABULARIES[kind].conditions.items()}
        for facts in cases(kind, "id")
    ]
    for name in VOCABULARIES[kind].conditions:
        assert {case[name] for case in held} == {True, False}, name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_starting_text_may_be_saved_as_it_is(kind, language):
    subject, body = mailtexts.starting(kind, language)
    assert not mailtexts.problems(kind, subject, body)
    assert len(body) > 40
    assert mailtexts.starting(kind, "id") != mailtexts.starting(kind, "en")


def test_every_kind_but_the_organisers_own_announcements_has_a_vocabulary_and_a_sample():
    assert set(VOCABULARIES) == set(letters.FACTS) - {Kind.ANNOUNCEMENT} == set(mailsamples.FACTS)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_has_the_facts_of_a_real_mail(kind):
    real = mail_of(kind, language="id")
    if kind not in mailsamples.TO_HER:
        real.participant = real.registration = None
    with translation.override("id"):
        facts = letters.everywhere(real) | letters.FACTS[kind](real, now=timezone.now())
    assert set(mailsamples.facts(kind, "id", now=timezone.now())) == set(facts)


@pytest.mark.parametrize("kind", [Kind.CODE, Kind.UNKNOWN_ACCOUNT, Kind.INVITATION, Kind.DATA_DELETED, Kind.ALERT])
def test_a_sample_shows_no_personal_page_to_whom_the_site_gives_none(kind):
    facts = mailsamples.facts(kind, "id", now=timezone.now())
    assert "tautan/contoh" not in mailpreviews.preview(kind, "id", None, facts).text


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_out_in_the_organisers_words(kind, language, now):
    row = mail_of(kind, language=language)
    shipped = composed(row)
    subject, body = mailtexts.starting(kind, language)
    write(kind, f"{body}\n\nKata kami sendiri.", subject=subject, language=language)
    own = composed(row)
    assert own[0] == shipped[0]
    assert "Kata kami sendiri." in own[1]
    assert "Kata kami sendiri." in own[2]
    assert set(links_of(shipped[2])) == set(links_of(own[2]))
    assert not MailText.objects.exclude(broken_at=None)


# ---- What comes out


@pytest.mark.django_db
def test_own_words_stand_among_what_only_this_mail_knows():
    row = confirmation("Ani Contoh")
    write("confirmation", "Halo **{first_name}**!\n\n{webinars}\n\nSalam,\npanitia", subject="Untuk {first_name}")
    subject, text, markup = composed(row)
    title = row.registration.webinar.title
    assert subject == "Untuk Ani"
    assert text.startswith(f"Halo Ani!\n\nWebinar {row.registration.webinar.number} · ")
    assert "Salam,\npanitia\n" in text
    assert "<strong>Ani</strong>" in markup
    assert f"<strong>{title}</strong>" in markup
    assert links_of(markup)[0] in text


@pytest.mark.django_db
def test_nothing_that_people_have_typed_becomes_a_link_a_tag_or_a_placeholder():
    name = "[klik](https://evil.example.org) <script>alert(1)</script> {personal_page} **x**"
    row = confirmation(name)
    write("confirmation", "Yth. {name},\n\n- {name}\n\n{webinars}", subject="{name}")
    subject, text, markup = composed(row)
    assert subject == name
    assert f"Yth. {name}," in text
    assert "https://evil.example.org" not in " ".join(links_of(markup))
    assert "<script" not in markup
    assert f"Yth. {html.escape(name)}," in markup


@pytest.mark.django_db
def test_a_line_break_in_a_name_makes_no_header(mailbox):
    row = confirmation("Ani\r\nBcc: semua@example.org")
    write("confirmation", "{webinars}", subject="Untuk {name}")
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    assert message["Subject"] == "Untuk Ani Bcc: semua@example.org"
    assert message["Bcc"] is None
    assert message["To"] == row.to


@pytest.mark.django_db
def test_a_long_title_does_not_break_the_log():
    row = confirmation("Ani")
    type(row.registration.webinar).objects.update(title_ind="judul " * 33)
    row = OutgoingMail.objects.get(pk=row.pk)
    write("confirmation", "{webinars}", subject="{titles} " * 2)
    assert len(composed(row)[0]) <= 300


@pytest.mark.parametrize(
    ("source", "markup", "text"),
    [
        ("[Daftar]({sign_up})", "<strong>Daftar</strong></a>", "Daftar:\nhttps://kpt.example.org/"),
        ("Di [sini]({sign_up}).", 'href="https://kpt.example.org/"', "Di sini <https://kpt.example.org/>."),
        ("Di {sign_up}", ">https://kpt.example.org/</a>", "Di https://kpt.example.org/"),
        ("# Judul", "<h2", "Judul"),
        ("1. satu\n2. dua", "<li>dua</li>", "1. satu\n2. dua"),
        ("> kata\n> orang", "<blockquote", "> kata\n> orang"),
        ("baris satu\nbaris dua", "baris satu<br />", "baris satu\nbaris dua"),
        ("<b>bukan</b> & {site}", "&lt;b&gt;bukan&lt;/b&gt; &amp; ", "<b>bukan</b> & https://kpt.example.org"),
        ("    menjorok", ">menjorok<", "menjorok"),
        ("![gambar](https://x.example.org/a.png)", "!<a ", "!gambar <https://x.example.org/a.png>"),
        (
            "https://x.example.org/a_b?c=1&d",
            'href="https://x.example.org/a_b?c=1&amp;d"',
            "https://x.example.org/a_b?c=1&d",
        ),
        ("(https://x.example.org/a).", "(<a ", "(https://x.example.org/a)."),
        ("https://x.example.org/a, kata", ">https://x.example.org/a</a>, kata", "https://x.example.org/a, kata"),
        (
            "https://x.example.org/?s={site}",
            ">https://x.example.org/?s=",
            "https://x.example.org/?s=https://kpt.example.org",
        ),
    ],
)
def test_markdown_as_html_and_as_text(source, markup, text):
    [piece] = mailbody.read(source, VOCABULARIES[Kind.UNKNOWN_ACCOUNT].words)
    values = {"sign_up": "https://kpt.example.org/", "site": "https://kpt.example.org"}
    assert markup in mailbody.html_of(piece, values)
    assert mailbody.text_of(piece, values) == text


# ---- What may be saved


BAD = [
    ("confirmation", "Halo", "Halo {fist_name}\n\n{webinars}", "{first_name}"),
    ("confirmation", "Halo", "Halo {nama_ibu_kandung}\n\n{webinars}", "{nama_ibu_kandung}"),
    ("confirmation", "Halo", "Halo {name}", "{webinars}"),
    ("confirmation", "Halo", "{if_seat} Ini: {name}\n\nLihat {webinars} ini", "{webinars}"),
    ("confirmation", "Halo", "Kata {if_seat} kata\n\n{webinars}", "{if_seat}"),
    ("confirmation", "Halo", "{if_seat}\n{webinars}", "{if_seat}"),
    ("confirmation", "Halo", "{if_sun} cerah\n\n{webinars}", "{if_sun}"),
    ("confirmation", "Halo", "{{ participant.phone }}\n\n{webinars}", "participant.phone"),
    ("confirmation", "Halo", "{% load i18n %}\n\n{webinars}", "% load i18n %"),
    ("confirmation", "Halo", "} Halo {\n\n{webinars}", ""),
    ("confirmation", "Halo", "[x](javascript:alert(1))\n\n{webinars}", "javascript:alert(1)"),
    ("confirmation", "Halo", "[x](/daftar/)\n\n{webinars}", "/daftar/"),
    ("confirmation", "Halo", "[x]()\n\n{webinars}", "[words](https://…)"),
    ("confirmation", "Halo", "[x](https://example.org/a b)\n\n{webinars}", "https://example.org/a b"),
    ("confirmation", "Halo", "[x] (https://example.org/)\n\n{webinars}", "[x] ("),
    ("confirmation", "Halo", "[x](https://evil.example.org/?who={name})\n\n{webinars}", "evil.example.org"),
    ("confirmation", "Halo", "[x]({name})\n\n{webinars}", "{name}"),
    ("confirmation", "Halo", "gelap \u202e terang\n\n{webinars}", ""),
    ("confirmation", "Halo", "{usual_subject}\n\n{webinars}", "{usual_subject}"),
    ("confirmation", "Halo", "x" * 20_001, "20000"),
    ("confirmation", "Halo", "", ""),
    ("confirmation", "", "{webinars}", ""),
    ("confirmation", "Halo\nBcc: semua@example.org", "{webinars}", ""),
    ("confirmation", "Halo\r\n\r\nisi", "{webinars}", ""),
    ("confirmation", "Halo\u2028Bcc: x", "{webinars}", ""),
    ("confirmation", "Halo {webinars}", "{webinars}", "{webinars}"),
    ("confirmation", "Halo {personal_page}", "{webinars}", "{personal_page}"),
    ("confirmation", "Halo {if_seat}", "{webinars}", "{if_seat}"),
    ("confirmation", "Halo {}", "{webinars}", "{}"),
    ("confirmation", "x" * 201, "{webinars}", "200"),
    ("code", "Kode", "Kodenya ada di tempat lain.", "{code}"),
    ("code", "Kode", "{if_seat} {code}", "{if_seat}"),
    ("handover", "Halo", "{if_carer} [Ambil]({link})", "{link}"),
    ("promoted", "Halo", "Kode {code}\n\n{webinars}", "{code}"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "subject", "body", "named"), BAD)
def test_what_can_not_be_sent_is_said_in_words_and_not_saved(kind, subject, body, named, language):
    with translation.override(language):
        found = mailtexts.problems(kind, subject, body)
    said = found.subject + found.body
    assert said
    assert named in " ".join(said) or named == "[words](https://…)"
    assert all(sentence[-1] in ".?…" or ":" in sentence for sentence in said)


@pytest.mark.django_db
def test_saving_checks_once_more():
    with pytest.raises(mailtexts.Broken):
        save("code", "Kode", "Tanpa kode")
    with pytest.raises(mailtexts.Broken):
        save("code", "Kode\nBcc: x@example.org", "{code}")
    assert not MailText.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "{webinars}",
        "Halo {name}.\n{webinars}\nSalam",
        "{if_seat}\nAda kursi.\n\n{webinars}",
        "[Situs]({site}) atau <https://example.org/a?b=1&c=2> atau mailto: [tulis](mailto:panitia@example.org)\n\n{webinars}",
        "Apa kabar (lihat [ini](https://example.org/a_(b)))?\n\n{webinars}",
        "[catatan kurung siku] tanpa tautan\n\n{webinars}",
        "Terima kasih \U0001f469\u200d\U0001f33e\t—\n\n{webinars}",
    ],
)
def test_what_can_be_sent_may_be_saved(body):
    assert not mailtexts.problems("confirmation", "Halo {name}: {usual_subject}", body)


# ---- Versions


@pytest.mark.django_db
def test_the_newest_version_counts_and_an_empty_one_brings_the_shipped_text_back(django_capture_on_commit_callbacks):
    row, organiser = confirmation(), UserFactory(organiser=True)
    shipped = composed(row)
    with django_capture_on_commit_callbacks(execute=True):
        first = save("confirmation", "Satu", "Pertama.\n\n{webinars}", actor=organiser)
    assert composed(row)[0] == "Satu"
    with django_capture_on_commit_callbacks(execute=True):
        save("confirmation", "Dua", "Kedua.\r\n\r\n{webinars}\r\n", after=1)
    assert composed(row)[0] == "Dua"
    with django_capture_on_commit_callbacks(execute=True):
        mailtexts.back_to_shipped("confirmation", "id", after=2, actor=organiser, now=timezone.now())
    assert composed(row) == shipped
    with django_capture_on_commit_callbacks(execute=True):
        back = mailtexts.restore(first, actor=organiser, now=timezone.now())
    assert composed(row)[0] == "Satu"
    assert (back.version, back.created_by, back.body) == (4, organiser, first.body)
    assert MailText.objects.get(version=2).body == "Kedua.\n\n{webinars}"


@pytest.mark.django_db
def test_the_other_language_and_the_other_kinds_stay_as_they_are():
    write("confirmation", "Hanya ini.\n\n{webinars}", subject="Umpan")
    row = confirmation()
    row.language = "en"
    assert "Umpan" not in composed(row)[0]
    assert "Umpan" not in composed(mail_of(Kind.PROMOTED, language="id"))[0]


@pytest.mark.django_db
def test_of_two_who_write_at_once_the_second_is_told():
    save("code", "Kode", "{code}")
    with pytest.raises(mailtexts.Outrun):
        save("code", "Kode lain", "{code}", after=0)
    assert MailText.objects.get().subject == "Kode"


def test_a_difference_is_told_word_for_word():
    before = "Halo {name},\n\nkami tunggu Anda besok.\n"
    after = "Halo {name},\n\nkami tunggu Anda lusa.\n\nSalam\n"
    parts = mailtexts.difference(before, after)
    assert "".join(words for what, words in parts if what != "insert") == before
    assert "".join(words for what, words in parts if what != "delete") == after
    assert ("delete", "besok.") in parts
    assert ("equal", "Halo {name},\n\n") in parts


# ---- A text that can't be sent after all


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["{gone_since}\n\n{webinars}", "{% broken", "[x](javascript:1)\n\n{webinars}"])
def test_a_broken_text_gives_way_to_the_shipped_one_and_tells_staff_once(body, mailbox, caplog):
    webinar = WebinarFactory()
    first, second = confirmation("Ani", webinar=webinar), confirmation("Beti", webinar=webinar)
    text = write("confirmation", body, subject="Rusak")
    with caplog.at_level(logging.ERROR):
        assert delivery.deliver_due() == 2
    assert {message["Subject"] for message in mailbox.messages} == {"Webinar dan tautan pribadi Anda"}
    assert {message["To"] for message in mailbox.messages} == {first.to, second.to}
    text.refresh_from_db()
    assert text.broken_at is not None
    assert text.fault
    assert len([record for record in caplog.records if record.name == "registration.mailtexts"]) == 1
    assert mailtexts.broken_ones() == [text]
    assert alerts.trouble(now=timezone.now()).texts == 1
    assert alerts.trouble(now=timezone.now() + timedelta(hours=2)).texts == 0
    write("confirmation", "{webinars}", subject="Utuh")
    assert mailtexts.broken_ones() == []


@pytest.mark.django_db
def test_a_database_that_goes_away_is_not_the_texts_fault(monkeypatch):
    def away(*_facts):
        raise OperationalError("away")

    row, text = confirmation(), write("confirmation", "{webinars}")
    monkeypatch.setattr(mailtexts, "fill_in", away)
    with pytest.raises(OperationalError):
        composed(row)
    text.refresh_from_db()
    assert text.broken_at is None


@pytest.mark.django_db
def test_an_address_that_is_missing_breaks_the_text_and_not_the_mail(monkeypatch):
    row = mail_of(Kind.HANDOVER, language="id")
    text = write("handover", "Buka {link}", subject="Serah terima")
    monkeypatch.setitem(
        letters.FACTS, Kind.HANDOVER, lambda mail, now: {"link": "", "first_name": "A", "carer": "", "until": ""}
    )
    assert composed(row)[0] != "Serah terima"
    text.refresh_from_db()
    assert text.fault == "{link} has no address."


# ---- Speed


@pytest.mark.django_db
def test_own_texts_cost_one_query_for_many_mails(django_assert_num_queries):
    write("code", "{code}", subject="Kode {code}")
    rows = [OutgoingMailFactory(kind="code", context={"code": "123456"}, participant=None) for _ in range(3)]
    with django_assert_num_queries(1):
        composed(rows[0])
    mailtexts.forget()
    with django_assert_num_queries(1):
        for row in rows:
            assert composed(row)[0] == "Kode 123456"


def test_what_is_read_anew_is_seen_after_some_seconds():
    assert mailtexts.KEPT_FOR <= 10


# ---- Looking at it


@pytest.mark.django_db
def test_a_real_person_is_found_by_address_or_code_and_her_code_is_never_shown():
    row = confirmation("Ani")
    person, now = row.participant, timezone.now()
    assert mailpreviews.find(f" {person.email.upper()} ") == person
    assert mailpreviews.find(row.registration.code.lower()) == person
    assert mailpreviews.find("umpan@example.org") is None
    assert mailpreviews.find("") is None
    facts = mailpreviews.facts_about(person, "confirmation", "id", now=now)
    assert "Ani" in mailpreviews.preview("confirmation", "id", None, facts).text
    OutgoingMailFactory(kind="code", participant=person, context={"code": "987654"})
    assert mailpreviews.facts_about(person, "code", "id", now=now) is None
    for kind in (Kind.CANCELLATION, Kind.WEBINAR_CHANGED, Kind.HANDOVER, Kind.DIGEST):
        assert mailpreviews.facts_about(person, kind, "id", now=now) is None


@pytest.mark.django_db
def test_a_reminder_is_looked_at_with_a_real_person_before_its_hour(now):
    seat = RegistrationFactory(participant__name="Ani", webinar__title="Bersama")
    facts = mailpreviews.facts_about(seat.participant, Kind.REMINDER, "id", now=now)
    shown = mailpreviews.preview(Kind.REMINDER, "id", None, facts)
    assert "Ani" in shown.text
    assert "Bersama" in shown.subject
    for fact in (
        {"starts_at": None, "ends_at": None},
        {"starts_at": now - timedelta(hours=3), "ends_at": now - timedelta(hours=1)},
    ):
        type(seat.webinar).objects.update(**fact)
        assert mailpreviews.facts_about(seat.participant, Kind.REMINDER, "id", now=now) is None


@pytest.mark.django_db
def test_what_she_was_sent_is_looked_at_with_the_facts_of_that_mail():
    row = mail_of(Kind.WEBINAR_CHANGED, language="id")
    facts = mailpreviews.facts_about(row.participant, Kind.WEBINAR_CHANGED, "en", now=timezone.now())
    assert "New time" in mailpreviews.preview(Kind.WEBINAR_CHANGED, "en", None, facts).subject


@pytest.mark.django_db
def test_a_test_goes_to_the_organiser_about_nobody_real(mailbox):
    RegistrationFactory(participant__name="Umpan")
    mailpreviews.send_test(
        "confirmation", "id", ("Halo {name}", "{webinars}"), to="panitia@example.org", now=timezone.now()
    )
    [message] = mailbox.messages
    assert message["To"] == "panitia@example.org"
    assert message["Subject"].endswith("Halo Maria Contoh")
    assert message["Subject"].startswith("[")
    assert "Umpan" not in message.get_body(("plain",)).get_content()
    assert not OutgoingMail.objects.exists()


def test_samples_are_about_tomorrow():
    now = timezone.now()
    [entry] = mailsamples.facts("promoted", "id", now=now)["entries"]
    assert now < entry.registration.webinar.starts_at < now + timedelta(days=2)
