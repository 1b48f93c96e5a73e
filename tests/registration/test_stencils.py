"""Letters drawn once and filled in for many: the same words as drawn for each, and the same mail in fewer steps."""

from email import message_from_bytes, policy

import pytest
from django.template.loader import render_to_string
from icalendar import Calendar

from conference.calendars import calendar_file
from registration import calendars, letters, links, mailcalendar, mime, stencils
from registration.models import Participant
from registration.stencils import Own
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, WebinarFactory

NAMES = ("mail/promoted.subject.txt", "mail/promoted.txt", "mail/promoted.html")


@pytest.fixture(autouse=True)
def nothing_kept():
    stencils.kept.clear()
    mailcalendar.kept.clear()


def facts(name):
    person = Participant(name=name)
    return {
        "participant": person,
        "entries": [],
        "site_url": "https://kpt.example.org",
        "mine": Own("https://x/?a=1&b"),
    }


def test_the_second_person_gets_what_a_drawing_of_her_own_would_say():
    for name in ("Maria", "Yosefa <b>& Co</b>", "\ue0000\ue001", "{{ name }}", "100 %(name)s"):
        drawn = [render_to_string(template, facts(name)) for template in NAMES]
        assert stencils.render_all(NAMES, facts(name)) == drawn
    assert len(stencils.kept) == 1


def test_everything_that_is_not_her_own_makes_another_stencil():
    said = [stencils.render_all(NAMES, facts("Maria") | {"site_url": url})[1] for url in ("https://a", "https://b")]
    assert ["https://a" in said[0], "https://b" in said[1]] == [True, True]
    without = facts("Maria")
    del without["mine"]
    assert "https://x/" not in stencils.render_all(NAMES, without)[1]


def test_a_template_that_reads_more_than_the_stencil_knows_is_drawn_for_each(monkeypatch):
    monkeypatch.setitem(stencils.readers, Participant, lambda person: {})
    assert "Maria" in stencils.render_all(NAMES, facts("Maria"))[1]
    assert stencils.kept == {}


def test_the_kept_stencils_stay_few(monkeypatch):
    monkeypatch.setattr(stencils, "MOST", 3)
    for number in range(10):
        stencils.render_all(NAMES, facts("Maria") | {"site_url": f"https://{number}"})
    assert len(stencils.kept) <= 3


@pytest.mark.django_db
@pytest.mark.parametrize("title", ["Webinar, satu; dua \\ tiga", "Perempuan “Timur” – é" * 9])
def test_the_calendar_of_a_mail_is_the_one_that_the_calendar_writer_writes(now, title):
    webinar = WebinarFactory(title=title)
    for person in (ParticipantFactory(province="91"), ParticipantFactory(province="91")):
        registration = RegistrationFactory(webinar=webinar, participant=person)
        url = links.join(registration, signed_at=registration.changed_at)
        written = mailcalendar.file_of([(registration, url)])
        assert Calendar.from_ical(written) == Calendar.from_ical(calendar_file([calendars.entry_of(registration)]))
        assert max(map(len, written.split(b"\r\n"))) <= 75
    assert len(mailcalendar.kept) == 1


def parts(written):
    message = message_from_bytes(written, policy=policy.default)
    heads = {name: value for name, value in message.items() if name not in ("Date", "Content-Type")}
    leaves = [
        (part.get_content_type(), part.get_filename(), part.get_content().splitlines())
        for part in message.walk()
        if not part.is_multipart()
    ]
    return heads, leaves, [part.get_content_type() for part in message.walk()]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_letters_bytes_mean_what_the_generator_would_write(now, language):
    registration = RegistrationFactory(webinar=WebinarFactory(title="Perempuan – Timur"))
    mail = OutgoingMailFactory(participant=registration.participant, language=language)
    letter = letters.compose(mail, now=now)
    assert letter.written()
    assert parts(letter.to_bytes()) == parts(letter.message().as_bytes(linesep="\r\n"))


def test_what_only_the_generator_can_write_is_left_to_it():
    letter = mime.Letter("Subjek", "x" * 2000, "a@example.org", ["b@example.org"], headers={"Message-ID": "<1@x>"})
    letter.attach_alternative("<p>y</p>", "text/html")
    message = message_from_bytes(letter.to_bytes(), policy=policy.default)
    assert message.get_body(("plain",)).get_content().strip() == "x" * 2000
    assert max(map(len, letter.to_bytes().split(b"\r\n"))) < 998


@pytest.mark.parametrize("address", ["a@example.org\nBcc: c@example.org", "a@example.org\r\nX: y"])
def test_a_line_break_in_an_address_is_refused(address):
    letter = mime.Letter("Subjek", "x", "a@example.org", [address])
    letter.attach_alternative("y", "text/html")
    with pytest.raises(ValueError, match="line break"):
        letter.to_bytes()


def test_a_line_break_in_a_header_is_left_to_the_generator_which_refuses_it():
    letter = mime.Letter("Subjek", "x", "a@example.org", ["b@example.org"], headers={"X-A": "1\r\nBcc: c@example.org"})
    letter.attach_alternative("y", "text/html")
    with pytest.raises(ValueError, match="newlines"):
        letter.to_bytes()
