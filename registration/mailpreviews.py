"""A mail before it is sent: with a made-up or a real person, on the screen or in the organiser's own mailbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from registration import addresses, letters, mailsamples, mailtexts, stencils, webinarletters
from registration.cards import Obsolete
from registration.models import OutgoingMail, Participant
from registration.vocabulary import Facts

Kind = OutgoingMail.Kind
# Of her registrations, so many are tried for one that the mail could be about.
MOST = 10


@dataclass(frozen=True)
class Preview:
    subject: str
    text: str
    html: str


def preview(kind: str, language: str, words: tuple[str, str] | None, facts: Facts) -> Preview:
    """With the organisers' words, or with the shipped ones. Raises Broken."""
    with translation.override(language):
        if words:
            subject, text, html = mailtexts.fill_in(mailtexts.prepared(kind, *words), facts)
        else:
            subject, text, html = stencils.render_all(letters.TEMPLATES[kind], facts)
    return Preview(" ".join(subject.split()), text.strip() + "\n", html)


def find(words: str) -> Participant | None:
    """By her address or by the code of one of her registrations."""
    words = words.strip()
    if not words:
        return None
    hers = Q(registrations__code__iexact=words)
    if "@" in words:
        hers = Q(email_key=addresses.key(words))
    return Participant.objects.select_related("account").filter(hers).first()


def facts_about(person: Participant, kind: str, language: str, *, now: datetime) -> Facts | None:
    """What the mail would say to her now; None if there is nothing of this kind to tell her."""
    if kind == Kind.CODE:
        return None  # whoever reads it could sign in as her
    with translation.override(language):
        for mail in conceivable(person, kind, language, now=now):
            try:
                return letters.everywhere(mail) | letters.FACTS[kind](mail, now=now)
            except (Obsolete, LookupError):
                continue
    return None


def conceivable(person: Participant, kind: str, language: str, *, now: datetime) -> Iterator[OutgoingMail]:
    """The last that she was sent, then what could be sent about each of her registrations."""
    sent = OutgoingMail.objects.filter(participant=person, kind=kind).order_by("-pk").first()
    if sent:
        sent.language = language
        yield sent
    for registration in person.registrations.select_related("webinar__edition").order_by("-pk")[:MOST]:
        registration.participant = person
        mail = OutgoingMail(
            kind=kind, to=person.address, language=language, participant=person, registration=registration
        )
        webinar = registration.webinar
        if kind == Kind.REMINDER and webinar.starts_at and not webinar.is_over(now):
            webinarletters.imagine(mail, webinar, starts_at=webinar.starts_at)
        yield mail


def sample(kind: str, language: str, *, now: datetime) -> Facts:
    return mailsamples.facts(kind, language, now=now)


def send_test(kind: str, language: str, words: tuple[str, str] | None, *, to: str, now: datetime) -> None:
    """Always about a made-up person: nobody's links leave for another mailbox. Raises Broken, and OSError."""
    shown = preview(kind, language, words, sample(kind, language, now=now))
    subject = _("[Test] %(subject)s") % {"subject": shown.subject}
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": language}
    message = EmailMultiAlternatives(subject, shown.text, to=[to], headers=headers)
    message.attach_alternative(shown.html, "text/html")
    message.send()
