"""How a mail looks: on a light and a dark ground, without its style sheet, on a narrow phone, and how much it weighs."""

import html
import re
from html.parser import HTMLParser

import pytest
from django.utils import timezone

from conference.models import Organisation, Webinar
from registration import letters, mailtexts
from registration.models import MailText, OutgoingMail, Participant, User
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, WebinarFactory
from tests.kpt.test_project import mail_of

Kind = OutgoingMail.Kind
KINDS = sorted(letters.FACTS)
LANGUAGES = ["id", "en"]
# Gmail shows no more of a mail.
CLIPPED_AT = 102_000
VOID = {"br", "hr", "meta", "img", "link"}
SHEET = re.compile(r"<style>(.*?)</style>", re.S)
DARK = re.compile(r"@media \(prefers-color-scheme:dark\)\{(.*?\})\s*\}", re.S)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
LONG_WORD = "Pertanggungjawaban" * 6


def markup_of(mail):
    return letters.compose(mail, now=timezone.now()).alternatives[0].content


# ---- Colours


def declarations(style):
    found = (part.partition(":") for part in style.replace("!important", "").split(";") if ":" in part)
    return {name.strip(): value.strip() for name, _colon, value in found}


def dark_rules(markup):
    """Tag or .class -> what it is given on a dark ground."""
    [rules] = DARK.findall(markup)
    found = {}
    for selectors, style in RULE.findall(rules):
        for selector in selectors.split(","):
            found.setdefault(selector.strip(), {}).update(declarations(style))
    return found


class Reader(HTMLParser):
    """Each visible text with its ink and ground, as a mail program without the sheet shows it, or a dark one with it."""

    def __init__(self, rules):
        super().__init__()
        self.rules, self.open, self.seen, self.half, self.sizes = rules, [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        own = declarations(attrs.get("style") or "")
        if ("background" in own) and ("color" not in own):
            self.half.append(tag)
        if size := own.get("font-size"):
            self.sizes.append(int(size.removesuffix("px")))
        names = [tag, *(f".{name}" for name in (attrs.get("class") or "").split())]
        for name in names:
            own |= self.rules.get(name, {})
        inherited = self.open[-1][1] if self.open else {"hidden": False}
        is_hidden = own.get("display") == "none" or "aria-hidden" in attrs or tag in ("head", "style", "title")
        look = inherited | {name: own[name] for name in ("color", "background") if name in own}
        look["hidden"] = inherited["hidden"] or is_hidden
        if tag not in VOID:
            self.open.append((tag, look))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        look = self.open[-1][1] if self.open else {"hidden": True}
        if data.strip() and not look["hidden"]:
            self.seen.append((data.strip(), look.get("color"), look.get("background")))


def read(markup, rules=None):
    reader = Reader(rules or {})
    reader.feed(markup)
    return reader


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(ink, ground):
    dark, light = sorted([luminance(ink), luminance(ground)])
    return (light + 0.05) / (dark + 0.05)


def pale(reader):
    """Texts that can't be read: too little contrast, or a ground that is left to the mail program."""
    return [text for text, ink, ground in reader.seen if not (ink and ground) or contrast(ink, ground) < 4.5]


def test_the_reader_finds_what_can_not_be_read():
    markup = (
        '<td style="background:#fbf6ec;color:#221a17">a<i style="color:#e2a52b">b</i><i class="x">c</i></td><p>d</p>'
    )
    assert pale(read(markup)) == ["b", "d"]
    assert pale(read(markup, {".x": {"color": "#fbf6ec"}})) == ["b", "c", "d"]
    assert read('<p style="background:#ffffff">a</p>').half == ["p"]
    assert contrast("#000000", "#ffffff") == 21


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_ink_and_ground_are_far_apart_with_and_without_the_sheet_and_in_the_dark(kind):
    markup = markup_of(mail_of(kind, language="id"))
    light, dark = read(markup), read(markup, dark_rules(markup))
    assert len(light.seen) > 4
    assert pale(light) == []
    assert pale(dark) == []
    assert light.half == []
    grounds = {ground for _text, _ink, ground in light.seen} & {ground for _text, _ink, ground in dark.seen}
    assert grounds == set()  # nothing stays light among the dark


@pytest.mark.django_db
def test_a_mail_in_the_organisers_words_is_as_easy_to_read():
    body = "# Halo\n\n> Kutipan\n\n- satu [tautan](https://example.org)\n\n[Tombol](https://example.org)\n\n{webinars}"
    MailText.objects.create(kind="confirmation", language="id", version=1, subject="Halo <b> & Co", body=body)
    mailtexts.forget()
    markup = markup_of(mail_of(Kind.CONFIRMATION, language="id"))
    light, dark = read(markup), read(markup, dark_rules(markup))
    assert {"Halo", "Kutipan", "tautan", "Tombol"} <= {text for text, _ink, _ground in light.seen}
    assert pale(light) + pale(dark) == []
    button = next(row for row in dark.seen if row[0] == "Tombol")
    assert button[1:] == ("#17120f", "#f2917c")
    assert "<title>Halo &lt;b&gt; &amp; Co</title>" in markup


# ---- The frame


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_frame_says_what_a_mail_program_needs_to_know(kind, language):
    message = letters.compose(mail_of(kind, language=language), now=timezone.now())
    markup = message.alternatives[0].content
    assert markup.startswith(f'<!DOCTYPE html>\n<html lang="{language}">')
    assert '<meta name="viewport" content="width=device-width,initial-scale=1">' in markup
    for name in ("color-scheme", "supported-color-schemes"):
        assert f'<meta name="{name}" content="light dark">' in markup
    [title] = re.findall(r"<title>(.*?)</title>", markup, re.S)
    assert html.unescape(title).split() == message.subject.split()
    assert min(read(markup).sizes) >= 16
    for loaded in ("<img", "<script", "<link", "src=", "url(", "@import"):
        assert loaded not in markup
    [preheader] = re.findall(r'<div style="display:none[^>]*>(.*?)</div>', markup, re.S)
    assert preheader.strip()
    assert "<" not in preheader


@pytest.mark.django_db
def test_the_list_of_mails_shows_day_and_hour_but_no_title():
    mail = mail_of(Kind.CONFIRMATION, language="id")
    [preheader] = re.findall(r'<div style="display:none[^>]*>(.*?)</div>', markup_of(mail), re.S)
    assert re.fullmatch(r"\w+, \d+ \w+ \d{4}, \d\d\.\d\d–\d\d\.\d\d WITA", preheader.strip())
    assert mail.registration.webinar.title not in preheader


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_every_link_of_a_mail_stands_in_its_plain_text_too(kind):
    message = letters.compose(mail_of(kind, language="id"), now=timezone.now())
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*)"', message.alternatives[0].content)]
    assert [link for link in links if link not in message.body] == []
    assert not re.search(r"</?[a-z]+[ >]|&[a-z]+;|\n{4}", message.body)


# ---- On a narrow phone


def lengthen():
    """What people type, as long as it gets."""
    title = f"Kepemimpinan perempuan {LONG_WORD}"
    Webinar.objects.update(title_ind=title, title_en=title)
    Organisation.objects.update(name_ind=LONG_WORD, name_en=LONG_WORD)
    Participant.objects.update(name=LONG_WORD)
    User.objects.update(name=LONG_WORD)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_no_mail_is_wider_than_a_narrow_phone(new_page):
    markups = {}
    for language in LANGUAGES:
        for kind in KINDS:
            mail = mail_of(kind, language=language)
            lengthen()
            markups[kind, language] = markup_of(OutgoingMail.objects.get(pk=mail.pk))
    assert sum(LONG_WORD in markup for markup in markups.values()) >= 20
    page = new_page(viewport={"width": 320, "height": 600}, java_script_enabled=True)
    wide = []
    for name, markup in markups.items():
        for version in (markup, SHEET.sub("", markup)):
            page.set_content(version)
            if page.evaluate("document.documentElement.scrollWidth") > 320:
                wide.append(name)
    assert wide == []


# ---- Weight


def links_to(name, markup):
    return re.findall(rf'href="([^"]*/{name}/[^"]*)"', markup)


@pytest.mark.django_db
def test_a_confirmation_of_four_webinars_is_light():
    person = ParticipantFactory()
    for _one in range(4):
        RegistrationFactory(participant=person, webinar=WebinarFactory(title="Judul yang panjang " * 8))
    message = letters.compose(OutgoingMailFactory(participant=person, language="id"), now=timezone.now())
    assert len(links_to("gabung", message.alternatives[0].content)) == 8
    assert len(message.alternatives[0].content.encode()) < 10_000
    assert len(message.to_bytes()) < 20_000


def people_of(carer, number, **fields):
    """In two webinars each, but for the first, who waits for one of them."""
    webinars = [WebinarFactory(), WebinarFactory()]
    people = [ParticipantFactory(email="", account=carer.account) for _one in range(number)]
    for person in people:
        for webinar in webinars:
            is_waiting = person == people[0] and webinar == webinars[0]
            RegistrationFactory(participant=person, webinar=webinar, waitlisted=is_waiting)
    return people


def group_mail(number):
    carer = ParticipantFactory()
    people = people_of(carer, number)
    context = {"carer": carer.account_id, "people": [one.pk for one in people]}
    mail = OutgoingMailFactory(kind=Kind.GROUP, to=carer.email, participant=carer, context=context, language="id")
    return people, letters.compose(mail, now=timezone.now())


@pytest.mark.django_db
def test_ten_people_of_a_group_have_their_links_in_the_mail():
    _people, message = group_mail(10)
    for part in (message.body, message.alternatives[0].content):
        assert len(set(re.findall(r"/gabung/[\w.-]+/", part))) == 19


@pytest.mark.django_db
@pytest.mark.parametrize("number", [11, 200])
def test_a_larger_group_is_named_and_has_one_link_to_all_of_theirs(number):
    people, message = group_mail(number)
    markup = message.alternatives[0].content
    for part in (message.body, markup):
        assert "/gabung/" not in part
        assert len(set(re.findall(r"/tautan/[\w.-]+/", part))) == 1
        assert all(person.name in part for person in people)
        assert part.count("(daftar tunggu)") == 1
    assert len(message.to_bytes()) < 30_000


def in_one_mail(kind, number):
    """To a carer, about the seats of all in her care in one webinar."""
    mail = mail_of(kind, language="id")
    carer = mail.registration.participant
    people = [ParticipantFactory(email="", account=carer.account) for _one in range(number)]
    for person in people:
        RegistrationFactory(participant=person, webinar=mail.registration.webinar)
    OutgoingMail.objects.update(context=mail.context | {"carer": carer.account_id})
    return letters.compose(OutgoingMail.objects.get(pk=mail.pk), now=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.WEBINAR_CHANGED, Kind.WEBINAR_CANCELLED])
@pytest.mark.parametrize(("number", "has_links"), [(9, True), (10, False), (199, False)])
def test_a_mail_about_many_in_her_care_is_short_too(kind, number, has_links):
    message = in_one_mail(kind, number)
    for part in (message.body, message.alternatives[0].content):
        assert ("/gabung/" in part) == has_links
        assert "/tautan/" in part
    assert len(message.to_bytes()) < 50_000 < CLIPPED_AT
