"""Writing an edition's file into the database. The same file again changes nothing."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F, ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import override
from modeltranslation.utils import build_localized_fieldname

from conference import rehearsal, uploads
from conference.changes import record_soon
from conference.editionfile import EditionFile, read
from conference.models import AgendaItem, Appearance, Edition, Organisation, Page, Partnership, Speaker, Webinar

LANGUAGES = ("id", "en")
# Only one load at a time; the number has no meaning but must stay.
LOCK = 20200826
OUT_OF_THE_WAY = 10_000
# What a rehearsal fills in, and what a plain load therefore empties after one where the file is silent.
UNKNOWN_HOURS: dict[str, Any] = {"starts_at": None, "ends_at": None}
NO_WINDOW: dict[str, Any] = {"registration_opens_at": None, "registration_closes_at": None}

type_entry = dict[str, Any]
type_changes = Counter[str]


def load(name: str, *, now: datetime, rehearsal_starts: datetime | None = None) -> type_changes:
    """How many rows were created, updated and removed. All or nothing."""
    file = read(name)
    if rehearsal_starts and not file.data.get("webinars"):
        raise file.error(_("A rehearsal needs a webinar, and this edition has none."))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        counts = write(file, now=now, rehearsal_starts=rehearsal_starts)
        record_soon()
    return counts


def write(file: EditionFile, *, now: datetime, rehearsal_starts: datetime | None) -> type_changes:
    changes: type_changes = Counter()
    refuse_clashes(file)
    earlier = Edition.objects.filter(slug=file.data["edition"]["slug"]).first()
    if rehearsal_starts:
        data = rehearsal.moved(file.data, rehearsal_starts)
        data["edition"] |= rehearsal_window(earlier, now)
    else:
        data = without_rehearsal(file.data) if earlier and earlier.is_rehearsal else file.data
    edition = write_edition(data["edition"], changes, is_rehearsal=rehearsal_starts is not None)
    organisations = write_organisations(data, edition, changes)
    webinars = write_webinars(file, data, edition, organisations, changes)
    items = write_agenda(data, edition, webinars, changes)
    speakers = write_speakers(data, organisations, changes)
    write_appearances(data, edition, speakers, webinars, items, changes)
    for entry in data.get("pages", []):
        settled = {"publish_at": None} if entry.get("is_published") else {}
        put(Page, {"slug": entry["slug"]}, entry | settled, changes)
    return changes


def refuse_clashes(file: EditionFile) -> None:
    """The keys that name an edition and its webinars must not name others already."""
    entry = file.data["edition"]
    for key in ("year", "number"):
        other = Edition.objects.filter(**{key: entry[key]}).exclude(slug=entry["slug"]).first()
        if other:
            words = {"key": key, "value": entry[key], "other": other.slug}
            raise file.error(_("The edition “%(other)s” already has the %(key)s %(value)s.") % words, "edition", key)
    for place, webinar in enumerate(file.data.get("webinars", [])):
        taken = Webinar.objects.filter(slug=webinar["slug"]).exclude(edition__slug=entry["slug"])
        if other_edition := taken.values_list("edition__slug", flat=True).first():
            words = {"value": webinar["slug"], "other": other_edition}
            reason = _("The edition “%(other)s” already has a webinar “%(value)s”.") % words
            raise file.error(reason, "webinars", place, "slug")


def rehearsal_window(earlier: Edition | None, now: datetime) -> type_entry:
    """Open since now, or since the rehearsal was first loaded."""
    opened = earlier.registration_opens_at if earlier and earlier.is_rehearsal else None
    return {"registration_opens_at": min(opened, now) if opened else now, "registration_closes_at": None}


def without_rehearsal(data: type_entry) -> type_entry:
    changed = {"edition": NO_WINDOW | data["edition"]}
    if "webinars" in data:
        changed["webinars"] = [UNKNOWN_HOURS | NO_WINDOW | entry for entry in data["webinars"]]
    return data | changed


# ---- Rows


def put(model: type[models.Model], keys: type_entry, entry: type_entry, changes: type_changes) -> Any:
    """The row with these keys, with what the entry says. What the entry leaves out stays as it is."""
    row = model._default_manager.filter(**keys).first()
    values = keys | columns(entry)
    if row is None:
        row = model(**values)
        save(row, None)
        changes["created"] += 1
        return row
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, values[name])
        save(row, [*changed, *(key for key, value in entry.items() if isinstance(value, dict))])
        changes["updated"] += 1
    return row


def save(row: models.Model, fields: list[str] | None) -> None:
    """The untranslated columns take the text of the language in use: that shall be the Indonesian one."""
    with override("id"):
        row.save(update_fields=fields)


def columns(entry: type_entry) -> type_entry:
    values: type_entry = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            values |= {build_localized_fieldname(key, code): value.get(code, "").strip() for code in LANGUAGES}
        else:
            values[key] = value
    return values


def only(entry: type_entry, *others: str) -> type_entry:
    """The entry without the keys that are no columns of its row."""
    return {key: value for key, value in entry.items() if key not in others}


def remove_others(rows: models.QuerySet[Any], kept: list[Any], changes: type_changes) -> None:
    others = rows.exclude(pk__in=[row.pk for row in kept])
    uploads.forget_unused(uploads.named_by(others))
    for row in others:
        row.delete()
        changes["removed"] += 1


def write_edition(entry: type_entry, changes: type_changes, *, is_rehearsal: bool) -> Edition:
    if entry.get("is_current"):
        for other in Edition.objects.filter(is_current=True).exclude(slug=entry["slug"]):
            put(Edition, {"slug": other.slug}, {"is_current": False}, changes)
    edition: Edition = put(Edition, {"slug": entry["slug"]}, entry | {"is_rehearsal": is_rehearsal}, changes)
    return edition


def write_organisations(data: type_entry, edition: Edition, changes: type_changes) -> dict[str, Organisation]:
    organisations, partnerships = {}, []
    for order, entry in enumerate(data.get("organisations", []), start=1):
        slug = entry["slug"]
        organisations[slug] = put(Organisation, {"slug": slug}, only(entry, "role"), changes)
        if "role" in entry:
            keys = {"edition": edition, "organisation": organisations[slug]}
            partnerships.append(put(Partnership, keys, {"role": entry["role"], "order": order}, changes))
    if "organisations" in data:
        remove_others(edition.partnerships.all(), partnerships, changes)
    return organisations


# ---- Webinars


def write_webinars(
    file: EditionFile, data: type_entry, edition: Edition, organisations: dict[str, Organisation], changes: type_changes
) -> dict[str, Webinar]:
    entries = data.get("webinars", [])
    # All at once and in id order, as sign-ups lock them: else the two may wait for each other.
    list(edition.webinars.select_for_update(no_key=True).order_by("pk"))
    if "webinars" in data:
        remove_webinars(file, edition, [entry["slug"] for entry in entries], changes)
    make_way_for_numbers(edition, {entry["slug"]: entry["number"] for entry in entries})
    webinars = {}
    for entry in entries:
        values = only(entry, "hosts") | zoom_address(entry, is_rehearsal=edition.is_rehearsal)
        if entry.get("status", "draft") != "draft":  # an hour that was set before counts no more
            values["publish_at"] = None
        if "reminder_minutes" in entry:  # in the order in which the admin keeps them
            values["reminder_minutes"] = sorted(entry["reminder_minutes"], reverse=True)
        created = changes["created"]
        webinar = put(Webinar, {"slug": entry["slug"]}, {"edition": edition} | values, changes)
        hosts = [organisations[slug] for slug in entry.get("hosts", [])]
        if "hosts" in entry and set(webinar.hosts.all()) != set(hosts):
            webinar.hosts.set(hosts)
            changes["updated"] += changes["created"] == created
        webinars[entry["slug"]] = webinar
    return webinars


def remove_webinars(file: EditionFile, edition: Edition, kept: list[str], changes: type_changes) -> None:
    """Those that left the file, unless something was made for them since."""
    for webinar in edition.webinars.exclude(slug__in=kept):
        needed: list[models.Model] = list(webinar.materials.all())
        if not needed:
            try:
                webinar.delete()
                changes["removed"] += 1
            except ProtectedError as error:
                needed = list(error.protected_objects)
        if needed:
            raise file.error(still_needed(webinar, needed), "webinars")


def still_needed(webinar: Webinar, rows: list[models.Model]) -> str:
    counted = Counter(str(row._meta.verbose_name_plural) for row in rows)
    words = {"slug": webinar.slug, "what": ", ".join(f"{name}: {count}" for name, count in sorted(counted.items()))}
    reason = _(
        "The webinar “%(slug)s” is no longer in the file, but it is still needed (%(what)s). Nothing was changed. "
        "Put it back, or cancel it with “status: cancelled”."
    )
    return reason % words


def make_way_for_numbers(edition: Edition, numbers: dict[str, int]) -> None:
    """Two webinars may swap their numbers: the database allows no number twice, not even for a moment."""
    rows = edition.webinars.filter(slug__in=numbers).values_list("pk", "slug", "number")
    renumbered = [pk for pk, slug, number in rows if number != numbers[slug]]
    if renumbered:
        edition.webinars.filter(pk__in=renumbered).update(number=F("number") + OUT_OF_THE_WAY)


def zoom_address(entry: type_entry, *, is_rehearsal: bool) -> type_entry:
    """The file's address, or the one that an organiser has entered since, or in a rehearsal an example."""
    stored = Webinar.objects.filter(slug=entry["slug"]).values_list("zoom_url", flat=True).first()
    address = entry.get("zoom_url", stored or "")
    if address.startswith(rehearsal.EXAMPLE_ZOOM):
        address = ""
    if is_rehearsal and not address:
        address = rehearsal.example_zoom(entry["number"])
    return {"zoom_url": address}


# ---- Agenda and people


def write_agenda(
    data: type_entry, edition: Edition, webinars: dict[str, Webinar], changes: type_changes
) -> dict[str, AgendaItem]:
    """An item has no name of its own in the database but its place, so all of it comes from the file."""
    items = {}
    for order, entry in enumerate(data.get("agenda", []), start=1):
        webinar = webinars.get(entry.get("webinar", ""))
        values = {"note": {}, **UNKNOWN_HOURS, **only(entry, "slug"), "webinar": webinar}
        if webinar:
            values.setdefault("date", webinar.date)
        items[entry["slug"]] = put(AgendaItem, {"edition": edition, "order": order}, values, changes)
    if "agenda" in data:
        remove_others(edition.agenda_items.all(), list(items.values()), changes)
    return items


def write_speakers(
    data: type_entry, organisations: dict[str, Organisation], changes: type_changes
) -> dict[str, Speaker]:
    speakers = {}
    for entry in data.get("speakers", []):
        values = dict(entry)
        if "organisation" in entry:
            values["organisation"] = organisations.get(entry["organisation"])
        speakers[entry["slug"]] = put(Speaker, {"slug": entry["slug"]}, values, changes)
    return speakers


def write_appearances(
    data: type_entry,
    edition: Edition,
    speakers: dict[str, Speaker],
    webinars: dict[str, Webinar],
    items: dict[str, AgendaItem],
    changes: type_changes,
) -> None:
    if "appearances" not in data:
        return
    before = set(edition.appearances.values_list("speaker", flat=True))
    rows = []
    for order, entry in enumerate(data["appearances"], start=1):
        session = entry["session"]
        keys = {
            "edition": edition,
            "speaker": speakers[entry["speaker"]],
            "webinar": webinars.get(session),
            "agenda_item": items.get(session),
            "role": entry["role"],
        }
        rows.append(put(Appearance, keys, {"order": order}, changes))
    remove_others(edition.appearances.all(), rows, changes)
    # Whoever appeared only here, and no longer does, leaves with her last appearance.
    gone = Speaker.objects.filter(pk__in=before, appearances=None)
    remove_others(gone, list(speakers.values()), changes)
