"""The organisers' own words in place of a shipped mail: checked when saved, filled in when sent.

A text that can't be sent after all gives way to the shipped one: no mail waits for it.
"""

import difflib
import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registration import mailbody, stencils
from registration.mailbody import NAME, Piece
from registration.models import MailText, OutgoingMail, User
from registration.placeholders import VOCABULARIES
from registration.stencils import Own
from registration.vocabulary import USUAL_SUBJECT, Facts, Vocabulary

logger = logging.getLogger(__name__)

SUBJECT_LENGTH = MailText._meta.get_field("subject").max_length or 200
BODY_LENGTH = 20_000
# What a log keeps of a subject; titles may make it long.
SENT_SUBJECT_LENGTH = OutgoingMail._meta.get_field("subject").max_length or 300
# So long may a worker go on with the version before.
KEPT_FOR = 5
FRAMES = ("mail/own.txt", "mail/own.html")
# Where the text goes in its frame.
HERE = "\ue002"
BRACES = re.compile(r"\{([^{}\n]*)\}")
# A link that Markdown has not read as one.
TORN_LINK = re.compile(r"\]\s?\(|\[[^\]]*\]\s+\(?https?:")


class Broken(Exception):
    """The text can't be sent as it stands."""


class Outrun(Exception):
    """Somebody else has saved a version meanwhile."""


# ---- At sending time


@dataclass(frozen=True)
class Text:
    """One version, read and ready to be filled in."""

    kind: str
    subject: str
    pieces: Sequence[Piece]

    @property
    def names(self) -> set[str]:
        found = set(NAME.findall(self.subject))
        for piece in self.pieces:
            found |= {*piece.html[1::2], *piece.text[1::2]}
        return found

    @property
    def blocks(self) -> list[str]:
        return sorted({piece.block for piece in self.pieces if piece.block})


def words(kind: str, language: str, facts: Facts) -> list[str] | None:
    """Subject, text and HTML in the organisers' words; None if the shipped ones count."""
    row = shelf(int(time.monotonic() / KEPT_FOR)).get((kind, language))
    if row is None:
        return None
    try:
        return fill_in(prepared(kind, row.subject, row.body), facts)
    except DatabaseError:  # that is not the text's fault
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, the mail must go
        give_way(row, error)
        return None


@lru_cache(maxsize=1)
def shelf(moment: int) -> dict[tuple[str, str], MailText]:
    """What counts now of each kind and language, read anew every few seconds and not for each mail."""
    return {(row.kind, row.language): row for row in MailText.objects.newest() if row.body}


def forget() -> None:
    """This process reads the texts anew."""
    shelf.cache_clear()


@lru_cache(maxsize=200)
def prepared(kind: str, subject: str, body: str) -> Text:
    with translation.override(settings.LANGUAGE_CODE):  # organisers read it, not the mail's recipient
        found = problems(kind, subject, body)
    if found:
        raise Broken(" ".join(found.subject + found.body))
    return Text(kind, subject, mailbody.read(body, VOCABULARIES[kind].words))


def fill_in(text: Text, facts: Facts) -> list[str]:
    """By the same stencils as the shipped mails, with the text's paragraphs between the blocks."""
    vocabulary = VOCABULARIES[text.kind]
    values = {name: value_of(vocabulary, name, text.kind, facts) for name in text.names}
    templates = (*FRAMES, *block_templates(vocabulary, text.blocks))
    subject = mailbody.line_of(text.subject, values)[:SENT_SUBJECT_LENGTH]
    around = facts | {"content": HERE, "subject": Own(subject)}
    plain_frame, frame, *drawn = stencils.render_all(templates, around)
    blocks = {name: (drawn[2 * place], drawn[2 * place + 1]) for place, name in enumerate(text.blocks)}
    shown = [p for p in text.pieces if not p.condition or vocabulary.conditions[p.condition].holds(facts)]
    plain = [blocks[p.block][0] if p.block else mailbody.text_of(p, values) for p in shown]
    html = [blocks[p.block][1] if p.block else mailbody.html_of(p, values) for p in shown]
    return [
        subject,
        plain_frame.replace(HERE, "\n\n".join([part.strip("\n") for part in plain if part.strip()])),
        frame.replace(HERE, "".join(html)),
    ]


def block_templates(vocabulary: Vocabulary, blocks: Sequence[str]) -> Iterator[str]:
    for name in blocks:
        block = vocabulary.placeholders[name].block
        yield from (f"mail/{block}.txt", f"mail/{block}.html")


def value_of(vocabulary: Vocabulary, name: str, kind: str, facts: Facts) -> str:
    if name == USUAL_SUBJECT:
        return stencils.render_all((f"mail/{kind}.subject.txt",), facts)[0].strip()
    placeholder = vocabulary.placeholders[name]
    value = " ".join(str(placeholder.value(facts)).split()) if placeholder.value else ""
    if placeholder.is_link and not value.startswith(("https://", "http://")):
        raise Broken(f"{{{name}}} has no address.")
    return value


def give_way(row: MailText, error: Exception) -> None:
    """Said once a version: by a line in the log, and on the organisers' start page until there is another one."""
    if row.broken_at:
        return
    row.broken_at = timezone.now()
    row.fault = str(error) if isinstance(error, Broken) else type(error).__name__
    logger.error("Mail text %s can't be used, the shipped one is sent: %s", row, row.fault, exc_info=error)
    MailText.objects.filter(pk=row.pk).update(broken_at=row.broken_at, fault=row.fault)


# ---- What can't be saved


@dataclass(frozen=True)
class Problems:
    """In the language of whoever writes."""

    subject: list[str]
    body: list[str]

    def __bool__(self) -> bool:
        return bool(self.subject or self.body)


def problems(kind: str, subject: str, body: str) -> Problems:
    vocabulary = VOCABULARIES[kind]
    return Problems(list(subject_problems(vocabulary, subject)), list(body_problems(vocabulary, body)))


def subject_problems(vocabulary: Vocabulary, subject: str) -> Iterator[str]:
    if not subject.strip():
        yield _("Write a subject.")
    if mailbody.has_control_characters(subject):
        yield _("A subject is one line, without line breaks and invisible characters.")
    if len(subject) > SUBJECT_LENGTH:
        yield too_long(SUBJECT_LENGTH)
    known = vocabulary.in_subject
    elsewhere = {*vocabulary.placeholders, *vocabulary.conditions}
    for name in dict.fromkeys(BRACES.findall(subject)):
        if name in known:
            continue
        yield (
            _("%(name)s can't stand in a subject, only in the text.") % {"name": braced(name)}
            if name in elsewhere
            else unknown(name, known)
        )
    yield from loose_braces(subject)


def body_problems(vocabulary: Vocabulary, body: str) -> Iterator[str]:
    if not body.strip():
        yield _("Write a text.")
        return
    if len(body) > BODY_LENGTH:
        yield too_long(BODY_LENGTH)
        return
    if mailbody.has_control_characters(body.replace("\r\n", "\n").replace("\n", "").replace("\t", "")):
        yield _("The text has invisible characters that don't belong into a mail. Type the line anew.")
    known = {*vocabulary.placeholders, *vocabulary.conditions}
    for name in dict.fromkeys(BRACES.findall(body)):
        if name == USUAL_SUBJECT:
            yield _("%(name)s stands only in a subject.") % {"name": braced(name)}
        elif name not in known:
            yield unknown(name, known)
    yield from loose_braces(body)
    yield from misplaced(vocabulary, body)
    yield from link_problems(vocabulary, body)


def misplaced(vocabulary: Vocabulary, body: str) -> Iterator[str]:
    """Blocks among words, conditions in the middle, and what has to be there in each mail."""
    pieces = mailbody.read(body, vocabulary.words)
    said: set[str] = set()
    for piece in pieces:
        for name in piece.text[1::2]:
            entry = vocabulary.placeholders.get(name)
            if name in vocabulary.conditions:
                said.add(_("%(name)s stands at the beginning of a paragraph.") % {"name": braced(name)})
            elif entry and entry.value is None:
                said.add(_("%(name)s stands on a line of its own.") % {"name": braced(name)})
        if piece.condition in vocabulary.conditions and not (piece.block or "".join(piece.text).strip()):
            said.add(_("After %(name)s there is no text.") % {"name": braced(piece.condition)})
    yield from sorted(said)
    always = {name for piece in pieces if not piece.condition for name in (piece.block, *piece.html[1::2])}
    for name in sorted(vocabulary.required - always):
        yield _("%(name)s is missing: without it this mail is of no use. It must not depend on a condition.") % {
            "name": braced(name)
        }


def link_problems(vocabulary: Vocabulary, body: str) -> Iterator[str]:
    tokens = mailbody.parse(body, vocabulary.words)
    for address in dict.fromkeys(mailbody.addresses(tokens)):
        if not address:
            yield _("A link has no address: write [words](https://…).")
        elif not NAME.fullmatch(address) and re.search(r"[{}]|%7B|%7D", address, re.IGNORECASE):
            yield _("A placeholder can't be a part of an address: %(address)s") % {"address": address}
        elif not mailbody.is_safe_link(address, vocabulary.words):
            yield _(
                "“%(address)s” is no address for a link: it begins with https://, http://, mailto: or tel:, or is a "
                "placeholder for an address."
            ) % {"address": address}
    for spoken in mailbody.loose_words(tokens):
        if TORN_LINK.search(spoken):
            yield _("This link is not complete: “%(words)s”. Write [words](https://…) without blanks in between.") % {
                "words": spoken
            }


def loose_braces(text: str) -> Iterator[str]:
    if re.search(r"[{}]", BRACES.sub("", text)):
        yield _("Curly brackets are for placeholders only: one on each side of a name.")


def unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name.strip().lower(), sorted(known), n=1, cutoff=0.6)
    if near:
        return _("There is no %(name)s in this mail. Do you mean %(near)s?") % {
            "name": braced(name),
            "near": braced(near[0]),
        }
    return _("There is no %(name)s in this mail.") % {"name": braced(name)}


def too_long(most: int) -> str:
    return ngettext("At most %d character, please.", "At most %d characters, please.", most) % most


def braced(name: str) -> str:
    return f"{{{name}}}"


# ---- Versions


def newest(kind: str, language: str) -> MailText | None:
    """The last version, an emptied one too."""
    return MailText.objects.filter(kind=kind, language=language).newest().first()


def save(kind: str, language: str, subject: str, body: str, *, after: int, actor: User, now: datetime) -> MailText:
    """A new version, after the one that its writer had before her. An empty body brings the shipped text back.

    Raises Broken, and Outrun if somebody else was faster.
    """
    body = body.replace("\r\n", "\n").strip()
    found = problems(kind, subject, body)
    if body and found:
        raise Broken(" ".join(found.subject + found.body))
    last = newest(kind, language)
    if (last.version if last else 0) != after:
        raise Outrun
    row = MailText(kind=kind, language=language, version=after + 1, body=body, created_by=actor, created_at=now)
    row.subject = subject.strip() if body else ""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Outrun from error
    transaction.on_commit(forget)
    return row


def restore(version: MailText, *, actor: User, now: datetime) -> MailText:
    """An earlier version's words as the newest version."""
    last = newest(version.kind, version.language)
    after = last.version if last else 0
    return save(version.kind, version.language, version.subject, version.body, after=after, actor=actor, now=now)


def back_to_shipped(kind: str, language: str, *, after: int, actor: User, now: datetime) -> MailText:
    return save(kind, language, "", "", after=after, actor=actor, now=now)


class Many(int):
    """Several, for the grammar of a sentence, but written as the placeholder for their number."""

    def __new__(cls, name: str) -> "Many":
        self = super().__new__(cls, 1000)
        self.name = name
        return self

    name: str

    def __str__(self) -> str:
        return self.name


def starting(kind: str, language: str) -> tuple[str, str]:
    """Subject and text of the shipped mail, with placeholders, as something to begin with."""
    with translation.override(language):
        body = render_to_string(f"mail/start/{kind}.md", {"minutes": Many("{minutes}"), "number": Many("{number}")})
        facts = VOCABULARIES[kind].subject
        subject = render_to_string(f"mail/{kind}.subject.txt", facts) if facts is not None else braced(USUAL_SUBJECT)
    return " ".join(subject.split()), body.strip()


def shown(row: MailText | None, kind: str, language: str) -> tuple[str, str]:
    """The words that a version stands for."""
    return (row.subject, row.body) if row and row.body else starting(kind, language)


def broken_ones() -> list[MailText]:
    """Texts that count and have given way to the shipped ones."""
    return [row for row in MailText.objects.newest() if row.body and row.broken_at]


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """What stays, goes and comes ("equal", "delete", "insert"), word for word where a line has changed."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    changes: list[tuple[str, str]] = []
    for what, *(a, b, c, d) in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "replace":
            changes += word_changes("".join(old[a:b]), "".join(new[c:d]))
        else:
            changes.append((what, "".join(new[c:d] if what == "insert" else old[a:b])))
    return changes


def word_changes(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    if difflib.SequenceMatcher(None, before.split(), after.split(), autojunk=False).ratio() < 0.5:
        yield from [("delete", before), ("insert", after)]  # a patchwork would be harder to read
        return
    for what, *(a, b, c, d) in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            yield what, "".join(old[a:b])
            continue
        if a < b:
            yield "delete", "".join(old[a:b])
        if c < d:
            yield "insert", "".join(new[c:d])
