"""Lists that are too long for a request: a worker writes them, their asker fetches them, and after a day they are gone.

They lie in the database, in pieces: each web server and each worker finds them there, no folder has to be shared or kept
away from visitors, and they go with their row. Nobody gets a file with a person in it who is not to be seen any more.
"""

import logging
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import DatabaseError, transaction
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, Sum
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from conference.models import Organisation, Webinar
from registration import audit, choices, mail, partners, withdrawals, workbooks
from registration.choices import Choice
from registration.exports import COLUMNS, Attendees
from registration.models import Download, PartnerMember, PreparedBlock, PreparedFile, Registration, User

logger = logging.getLogger(__name__)

Status = PreparedFile.Status
# So many people are written while she waits; more are a worker's work.
BIG = 2000
# At the address that scripts read a list may take some seconds: they can't ask for a file and come back.
BIG_FOR_SCRIPTS = 20_000
LIFE = timedelta(hours=24)
# A worker gives a sign of life after each thousand people.
PATIENCE = timedelta(minutes=2)
TRIES = 3
# So many at once of one person; the others wait for their turn too.
MOST = 5
MOST_ROWS = 500_000
PIECE = 1024 * 1024
RIGHT = "registration.add_preparedfile"


class Refused(Exception):
    """The words say what to do."""


class Lost(Exception):
    """Another worker has it, or nobody wants it any more."""


# ---- Asking


def ask(
    user: User,
    organisation: Organisation,
    webinar: Webinar,
    choice: Choice,
    format: str,
    *,
    language: str,
    now: datetime,
) -> PreparedFile:
    """Twice is harmless: the same list that is still coming is one."""
    wanted = {"organisation": organisation, "webinar": webinar, "choice": choice.as_json(), "format": format}
    number = choices.found(choice, organisation, webinar).count()
    columns = ", ".join(choice.columns)
    return begin(user, wanted | {"columns": columns, "language": language, "rows_total": number}, now=now)


def ask_as_organiser(
    user: User, pks: Sequence[int], filters: dict[str, Any], format: str, *, language: str, now: datetime
) -> PreparedFile:
    """Just these registrations, such as a list in the admin shows."""
    wanted = {"organisation": None, "webinar": None, "choice": filters, "format": format, "language": language}
    return begin(user, wanted | {"columns": ", ".join(COLUMNS), "people": pks, "rows_total": len(pks)}, now=now)


def begin(user: User, wanted: dict[str, Any], *, now: datetime) -> PreparedFile:
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        coming = PreparedFile.objects.lean().filter(requested_by=user, status__in=[Status.QUEUED, Status.WORKING])
        if same := coming.filter(
            **{name: wanted[name] for name in wanted if name not in ("people", "rows_total")}
        ).first():
            return same
        if coming.count() >= MOST:
            raise Refused(too_many())
        file = PreparedFile.objects.create(requested_by=user, created_at=now, **wanted)
        note(audit.Action.ACTED, file, user, now=now)
        transaction.on_commit(ring)
    return file


def too_many() -> str:
    return _(
        "%(number)d files of yours are being written already. Wait until one of them is ready, then ask again."
    ) % {"number": MOST}


def ring() -> None:
    mail.call("make_files", "files")


def note(action: audit.Action, file: PreparedFile, user: User, *, now: datetime) -> None:
    audit.note(
        action,
        file,
        actor=user,
        now=now,
        organisation=file.organisation,
        webinar_id=file.webinar_id,
        rows=file.rows_total,
        details=details(file),
    )


def details(file: PreparedFile) -> str:
    if file.organisation:
        return Choice.from_json(file.choice).words
    return f"{file.columns} · {', '.join(sorted(file.choice))}" if file.choice else file.columns


def again(file: PreparedFile, *, now: datetime) -> bool:
    """After it has failed."""
    failed = PreparedFile.objects.filter(pk=file.pk, status=Status.FAILED)
    if not failed.update(status=Status.QUEUED, attempts=0, error="", rows_done=0, created_at=now):
        return False
    transaction.on_commit(ring)
    return True


# ---- Writing


def make_due() -> int:
    made = 0
    while file := claim(now=timezone.now()):
        make(file)
        made += 1
    return made


def claim(*, now: datetime) -> PreparedFile | None:
    with transaction.atomic():
        due = PreparedFile.objects.filter(status=Status.QUEUED).select_for_update(skip_locked=True, of=("self",))
        file = due.select_related("organisation", "webinar", "requested_by").order_by("created_at", "pk").first()
        if file is None:
            return None
        file.status, file.touched_at, file.rows_done, file.error = Status.WORKING, now, 0, ""
        file.attempts, file.claim = file.attempts + 1, uuid.uuid4()
        file.save(update_fields=["status", "touched_at", "rows_done", "error", "attempts", "claim"])
    return file


def make(file: PreparedFile) -> None:
    try:
        with translation.override(file.language), TemporaryFile() as content:
            now = timezone.now()
            found = people_of(file)
            tell(file, 0, total=len(found))
            about = workbooks.terms(file.organisation, file.webinar, now=now)
            workbooks.WRITERS[file.format](content, found, about, partial(tell, file))
            content.seek(0)
            keep(file, found, content, read_at=now)
    except Lost:
        logger.info("File %s is no longer this worker's", file.pk)
    except (DatabaseError, OSError) as error:
        logger.exception("File %s could not be written", file.pk)
        give_back(file, type(error).__name__)


def people_of(file: PreparedFile) -> Attendees:
    if file.organisation and file.webinar:
        return choices.chosen(Choice.from_json(file.choice), file.organisation, file.webinar)
    left = Registration.objects.filter(pk__in=in_file(file), participant__restricted_at=None)
    known = set(left.values_list("pk", flat=True))
    return Attendees([pk for pk in file.people if pk in known], None, file.column_names)


def in_file(file: PreparedFile) -> Any:
    return PreparedFile.objects.filter(pk=file.pk).values_list(Func(F("people"), function="unnest"))


def own(file: PreparedFile) -> Any:
    """While it is still this worker's."""
    return PreparedFile.objects.filter(pk=file.pk, status=Status.WORKING, claim=file.claim)


def tell(file: PreparedFile, done: int, *, total: int | None = None) -> None:
    fields: dict[str, Any] = {"rows_done": done, "touched_at": timezone.now()}
    if not own(file).update(**fields if total is None else fields | {"rows_total": total}):
        raise Lost


def keep(file: PreparedFile, found: Attendees, content: IO[bytes], *, read_at: datetime) -> None:
    """Ready, unless somebody in it is not to be seen any more: then it is made anew."""
    now = timezone.now()
    with transaction.atomic():
        if file.organisation_id:
            withdrawals.lock([file.organisation_id])
        facts = {"ready_at": read_at, "ends_at": now + LIFE, "rows_done": len(found), "rows_total": len(found)}
        if not own(file).update(status=Status.READY, people=list(found.pks), **facts):
            raise Lost
        if not is_whole(file):
            make_anew(file)
            return
        PreparedBlock.objects.filter(file=file).delete()
        pieces = iter(partial(content.read, PIECE), b"")
        for number, piece in enumerate(pieces):
            PreparedBlock.objects.create(file=file, number=number, content=piece)
        tell_asker(file, now=now)


def make_anew(file: PreparedFile) -> None:
    PreparedFile.objects.make_anew([file.pk])
    transaction.on_commit(ring)


def give_back(file: PreparedFile, error: str) -> None:
    status = Status.FAILED if file.attempts >= TRIES else Status.QUEUED
    own(file).update(status=status, error=error)


def tell_asker(file: PreparedFile, *, now: datetime) -> None:
    user = file.requested_by
    mail.queue(
        mail.Kind.FILE_READY,
        key=f"file_ready:{file.pk}:{now.isoformat()}",
        to=user.email,
        language=user.language,
        context={"file": file.pk},
        not_after=now + LIFE,
    )


# ---- Fetching


def is_whole(file: PreparedFile) -> bool:
    """Everybody in it may still be seen, as she might when it was written; the caller holds `withdrawals.lock`."""
    people, written_at = PreparedFile.objects.values_list("people", "ready_at").get(pk=file.pk)
    if file.organisation is None:
        left = Registration.objects.filter(participant__restricted_at=None, pk__in=in_file(file))
        return left.count() == len(people)
    shared = Registration.objects.shared_with(file.organisation).filter(webinar=file.webinar)
    # A consent that is newer than the file may be to another text: by the join that found it.
    left = shared.annotate(since=F("participant__consents__granted_at")).filter(since__lte=written_at)
    return set(people) <= set(left.values_list("pk", flat=True))


def is_hers(file: PreparedFile, user: User) -> bool:
    """Only whoever asked for it, and while she may still have the list at all."""
    if file.requested_by_id != user.pk:
        return False
    if file.organisation_id is None:
        return user.is_staff and user.has_perm(RIGHT)
    return PartnerMember.objects.filter(user=user, organisation=file.organisation_id).exists()


def fetch(file: PreparedFile, user: User, *, now: datetime) -> bool:
    """Recorded before the first byte leaves; False when it is not ready, or not any more."""
    with transaction.atomic():
        if file.organisation_id:
            withdrawals.lock([file.organisation_id])
        ready = PreparedFile.objects.open(now).filter(pk=file.pk, status=Status.READY)
        if not ready.update(fetched_at=now):
            return False
        if not is_whole(file):
            make_anew(file)
            return False
        record(file, user, now=now)
    return True


def record(file: PreparedFile, user: User, *, now: datetime) -> None:
    """For a partner's list as for each other of its downloads."""
    if file.organisation and file.webinar:
        format, columns = Download.Format(file.format), file.column_names
        partners.record_download(
            user, file.organisation, file.webinar, format, file.rows_total, columns=columns, now=now
        )
    else:
        note(audit.Action.DOWNLOADED, file, user, now=now)


def size(file: PreparedFile) -> int:
    length = Func(F("content"), function="octet_length", output_field=IntegerField())
    return PreparedBlock.objects.filter(file=file).aggregate(size=Sum(length))["size"] or 0


def content(file: PreparedFile) -> Iterator[bytes]:
    """Piece by piece, a short query each."""
    number = 0
    while piece := PreparedBlock.objects.filter(file=file, number=number).values_list("content", flat=True).first():
        yield bytes(piece)
        number += 1


def name(file: PreparedFile) -> str:
    stem = workbooks.name(file.organisation, file.webinar, now=file.ready_at or file.created_at)
    return f"{stem}.{suffix(file.format)}"


def suffix(format: str) -> str:
    return "zip" if format == Download.Format.CSV else format


# ---- Minding them


def mind(*, now: datetime) -> None:
    """Each minute: what a dead worker left is taken up again, what has ended goes, what nobody may have goes too."""
    dead = PreparedFile.objects.filter(status=Status.WORKING, touched_at__lt=now - PATIENCE)
    dead.filter(attempts__gte=TRIES).update(status=Status.FAILED, error="dead")
    dead.update(status=Status.QUEUED)
    is_member = PartnerMember.objects.filter(user=OuterRef("requested_by"), organisation=OuterRef("organisation"))
    left = Q(organisation__isnull=False) & ~Exists(is_member)
    old = Q(ends_at=None, created_at__lte=now - LIFE) & ~Q(status=Status.WORKING)
    PreparedFile.objects.filter(Q(ends_at__lte=now) | left | old).only("pk").delete()
    if PreparedFile.objects.filter(status=Status.QUEUED).exists():
        ring()


def of(user: User, *, now: datetime) -> list[PreparedFile]:
    """Hers that she may still fetch or wait for, newest first."""
    rows = PreparedFile.objects.lean().open(now).filter(requested_by=user)
    return list(rows.select_related("organisation", "webinar").order_by("-created_at", "-pk")[:20])
