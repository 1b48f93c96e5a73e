"""What became different in the programme, recorded for calendars and for the feed of changes.

`record` compares what visitors can see of an edition with what they saw the last time, and writes down what differs.
Whoever writes content calls it afterwards, and so does a tick every minute: nothing is missed and nothing told twice.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from modeltranslation.utils import build_localized_fieldname

from conference.agenda import Slot, edition_items, in_order, webinars_with_people
from conference.models import AgendaItem, Edition, ProgrammeChange, ProgrammeState, Webinar
from conference.sharing import day_in_words, hours_in_words

LANGUAGES = ("id", "en")
Kind = ProgrammeChange.Kind
HOUR = ("date", "starts_at", "ends_at")
# What a calendar shows of a session: people and parts are not in it.
IN_CALENDARS = (*HOUR, "title", "status", "slug", "text")

Facts = dict[str, Any]
News = tuple[Kind, str | None, Facts]  # of the session with this key, or of the edition


def record_soon() -> None:
    """After the commit: a transaction that has written content holds locks that others take in another order."""
    transaction.on_commit(lambda: record_everywhere(now=timezone.now()), robust=True)


def record_everywhere(*, now: datetime) -> None:
    """Of an edition that nobody sees yet there is no news: its first look comes when it is published."""
    for edition in Edition.objects.published().order_by("pk"):
        record(edition, now=now)


def record(edition: Edition, *, now: datetime) -> list[ProgrammeChange]:
    """What is new since the last time. The first look at an edition has nothing to compare with."""
    with transaction.atomic():
        locked = Edition.objects.select_for_update(no_key=True).filter(pk=edition.pk).first()
        if locked is None:
            return []
        after = snapshot(locked)
        first = {"snapshot": after, "recorded_at": now}
        state, is_first = ProgrammeState.objects.get_or_create(edition=locked, defaults=first)
        before = state.snapshot
        if is_first or before == after:
            return []
        revise(before["sessions"], after["sessions"], now=now)
        state.snapshot, state.recorded_at = after, now
        state.save()
        # That a rehearsal's dates are moved is no news of the conference.
        is_news = before["is_rehearsal"] == after["is_rehearsal"]
        rows = [row_of(locked, one, now) for one in news(before, after)] if is_news else []
        return ProgrammeChange.objects.bulk_create(rows)


def row_of(edition: Edition, one: News, now: datetime) -> ProgrammeChange:
    kind, key, facts = one
    row = ProgrammeChange(edition=edition, kind=kind, at=now, facts=facts)
    if key and kind != Kind.WITHDRAWN:  # its row may be gone
        name, _dash, pk = key.partition("-")
        setattr(row, "webinar_id" if name == "webinar" else "agenda_item_id", int(pk))
    return row


# ---- What visitors see


def snapshot(edition: Edition) -> Facts:
    sessions: list[Webinar | AgendaItem] = [*webinars_with_people(edition), *edition_items(edition)]
    guests = in_order().filter(edition=edition, webinar=None, agenda_item=None)
    return {
        "is_rehearsal": edition.is_rehearsal,
        "sessions": {key_of(session): facts_of(session) for session in sessions},
        "guests": {str(guest.speaker_id): guest.speaker.name for guest in guests},
    }


def key_of(session: Webinar | AgendaItem) -> str:
    return f"{'webinar' if isinstance(session, Webinar) else 'item'}-{session.pk}"


def facts_of(session: Webinar | AgendaItem) -> Facts:
    # A part's translation is no news.
    parts = [[*hour_of(part).values(), both(part, "title")["id"]] for part in Slot(session).parts]
    return {
        **hour_of(session),
        "title": both(session, "title"),
        "status": Webinar.Status.PUBLISHED.value,
        "slug": "",
        **own_facts(session),
        "parts": digest(parts),
        "people": {str(one.speaker_id): one.speaker.name for one in Slot(session).people},
    }


def own_facts(session: Webinar | AgendaItem) -> Facts:
    if isinstance(session, Webinar):
        texts = [both(session, "summary"), both(session, "description")]
        return {"status": session.status, "slug": session.slug, "text": digest(texts)}
    return {"text": digest([both(session, "note")])}


def both(row: models.Model, name: str) -> dict[str, str]:
    return {code: getattr(row, build_localized_fieldname(name, code)) or "" for code in LANGUAGES}


def hour_of(session: Webinar | AgendaItem) -> dict[str, str | None]:
    moments = {"starts_at": session.starts_at, "ends_at": session.ends_at}
    at = {name: moment.astimezone(UTC).isoformat() if moment else None for name, moment in moments.items()}
    return {"date": session.date.isoformat(), **at}


def digest(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


# ---- What differs


def revise(before: Facts, after: Facts, *, now: datetime) -> None:
    """A calendar takes the copy with the higher revision. What comes back into the programme must outdo its old copy."""
    changed = [key for key, facts in after.items() if key not in before or differs(before[key], facts, IN_CALENDARS)]
    for model, name in ((Webinar, "webinar"), (AgendaItem, "item")):
        pks = [int(key.partition("-")[2]) for key in changed if key.startswith(name)]
        rows = model._default_manager.filter(pk__in=pks)
        list(rows.select_for_update(no_key=True).order_by("pk"))  # in id order, as sign-ups lock them
        rows.update(revision=F("revision") + 1, revised_at=now)


def differs(old: Facts, new: Facts, names: tuple[str, ...]) -> bool:
    return any(old[name] != new[name] for name in names)


def news(before: Facts, after: Facts) -> Iterator[News]:
    old, new = before["sessions"], after["sessions"]
    pairs = pair(old, new)
    for key, facts in new.items():
        if key in pairs:
            yield from news_of(key, old[pairs[key]], facts)
        else:
            kind = Kind.CANCELLED if is_cancelled(facts) else Kind.PUBLISHED
            yield kind, key, about(facts)
    for key in sorted(old.keys() - pairs.values()):
        yield Kind.WITHDRAWN, key, about(old[key])
    yield from news_of_people(before, after)


def pair(old: Facts, new: Facts) -> dict[str, str]:
    """Who was who. An edition's file may give one agenda item the row of another: its title tells more than its row."""
    by_title = {facts["title"]["id"]: key for key, facts in old.items() if key.startswith("item")}
    pairs = {}
    for key, facts in new.items():
        if key.startswith("item") and facts["title"]["id"] in by_title:
            pairs[key] = by_title.pop(facts["title"]["id"])
    taken = set(pairs.values())
    return pairs | {key: key for key in new if key not in pairs and key in old and key not in taken}


def news_of(key: str, old: Facts, new: Facts) -> Iterator[News]:
    """Of a session that visitors knew. Of a cancelled one only that it is, or that it takes place after all."""
    if old["status"] != new["status"]:
        yield Kind.CANCELLED if is_cancelled(new) else Kind.REINSTATED, key, about(new)
    if is_cancelled(new):
        return
    if old["title"]["id"] != new["title"]["id"]:  # a translation that is added or mended is no news
        yield Kind.RENAMED, key, about(new) | {"old_title": old["title"]}
    kind = kind_of_move(old, new)
    if kind:
        yield kind, key, about(new) | {"was": {name: old[name] for name in HOUR}}
    elif old["parts"] != new["parts"]:
        yield Kind.PARTS, key, about(new)
    for pk, name in new["people"].items():
        if pk not in old["people"]:
            yield Kind.SPEAKER_ADDED, key, about(new) | {"speaker": name}
    for pk, name in old["people"].items():
        if pk not in new["people"]:
            yield Kind.SPEAKER_REMOVED, key, about(new) | {"speaker": name}


def kind_of_move(old: Facts, new: Facts) -> Kind | None:
    if old["starts_at"] is None and new["starts_at"] is None:
        return Kind.DAY_MOVED if old["date"] != new["date"] else None
    if not differs(old, new, ("starts_at", "ends_at")):
        return None
    if new["starts_at"] is None:
        return Kind.HOUR_OPEN
    return Kind.HOUR_MOVED if old["starts_at"] else Kind.HOUR_SET


def news_of_people(before: Facts, after: Facts) -> Iterator[News]:
    """Of those without a session of their own, and of names."""
    old, new = people_of(before), people_of(after)
    for pk, name in after["guests"].items():
        if pk not in old:
            yield Kind.GUEST_ADDED, None, {"speaker": name}
    for pk, name in before["guests"].items():
        if pk not in new:
            yield Kind.GUEST_REMOVED, None, {"speaker": name}
    for pk, name in new.items():
        if pk in old and old[pk] != name:
            yield Kind.SPEAKER_RENAMED, None, {"speaker": name}


def people_of(snapshot: Facts) -> dict[str, str]:
    return {pk: name for one in snapshot["sessions"].values() for pk, name in one["people"].items()} | snapshot[
        "guests"
    ]


def is_cancelled(facts: Facts) -> bool:
    return bool(facts["status"] == Webinar.Status.CANCELLED)


def about(facts: Facts) -> Facts:
    return {name: facts[name] for name in ("title", *HOUR)}


# ---- How it is told


SENTENCES = {
    Kind.PUBLISHED: gettext_lazy("“%(title)s” is now in the programme, on %(day)s"),
    Kind.WITHDRAWN: gettext_lazy("“%(title)s” is no longer in the programme"),
    Kind.CANCELLED: gettext_lazy("“%(title)s” is cancelled"),
    Kind.REINSTATED: gettext_lazy("“%(title)s” takes place after all, on %(day)s"),
    Kind.RENAMED: gettext_lazy("“%(old_title)s” is now called “%(title)s”"),
    Kind.DAY_MOVED: gettext_lazy("“%(title)s” is moved to %(day)s"),
    Kind.HOUR_SET: gettext_lazy("The hour of “%(title)s” is set: %(when)s"),
    Kind.HOUR_MOVED: gettext_lazy("“%(title)s” has a new hour: %(when)s"),
    Kind.HOUR_OPEN: gettext_lazy("The hour of “%(title)s” is to be confirmed again"),
    Kind.PARTS: gettext_lazy("The parts of “%(title)s” have changed"),
    Kind.SPEAKER_ADDED: gettext_lazy("%(speaker)s takes part in “%(title)s”"),
    Kind.SPEAKER_REMOVED: gettext_lazy("%(speaker)s no longer takes part in “%(title)s”"),
    Kind.SPEAKER_RENAMED: gettext_lazy("The name of a speaker is corrected: %(speaker)s"),
    Kind.GUEST_ADDED: gettext_lazy("%(speaker)s takes part in the conference"),
    Kind.GUEST_REMOVED: gettext_lazy("%(speaker)s no longer takes part in the conference"),
}


def sentence(change: ProgrammeChange) -> str:
    facts = change.facts
    words = {"speaker": facts.get("speaker", ""), "title": "", "old_title": ""}
    words |= {name: in_own_language(facts[name]) for name in ("title", "old_title") if name in facts}
    if "date" in facts:
        words |= spoken_hour(facts)
    if change.kind == Kind.RENAMED and words["title"] == words["old_title"]:
        return _("“%(title)s” has a new title in the other language") % words
    return str(SENTENCES[Kind(change.kind)] % words)


def earlier_hour(change: ProgrammeChange) -> str:
    """The hour that held before, or nothing."""
    was = change.facts.get("was")
    return _("Before: %(when)s") % spoken_hour(was) if was else ""


def in_own_language(title: dict[str, str]) -> str:
    return title[(get_language() or "id")[:2]] or title["id"]


def spoken_hour(facts: Facts) -> dict[str, str]:
    on = date.fromisoformat(facts["date"])
    starts_at, ends_at = (datetime.fromisoformat(facts[name]) if facts[name] else None for name in HOUR[1:])
    return {"day": day_in_words(on, starts_at), "when": ", ".join(hours_in_words(on, starts_at, ends_at))}
