"""What becomes public, at once or at an hour of its own, and what is taken off the site again.

Kept pages need not be told: the database tells every web process of each change (migration 0002).
"""

from datetime import datetime
from typing import Any

from django.db import models, transaction

from conference.changes import record_soon
from conference.models import Page, Webinar

Publishable = Webinar | Page
Status = Webinar.Status


def is_public(row: Publishable) -> bool:
    return row.status != Status.DRAFT if isinstance(row, Webinar) else row.is_published


def lock(row: Publishable) -> Publishable:
    """As sign-ups lock it: until the transaction ends nobody comes in, and nobody else decides."""
    return type(row)._default_manager.select_for_update(no_key=True).get(pk=row.pk)


def publish(row: Publishable) -> bool:
    """False when somebody was faster. Of a draft alone: a cancelled webinar is public, and says so."""
    with transaction.atomic():
        fresh = lock(row)
        if is_public(fresh):
            return False
        show(fresh)
    return True


def show(row: Publishable) -> None:
    if isinstance(row, Webinar):
        put(row, status=Status.PUBLISHED)
    else:
        put(row, is_published=True)


def unpublish(row: Publishable) -> bool:
    """Who is signed up for it must have been asked about first."""
    if isinstance(row, Webinar):
        return move(row, Status.PUBLISHED, Status.DRAFT)
    with transaction.atomic():
        fresh = lock(row)
        if not is_public(fresh):
            return False
        put(fresh, is_published=False)
    return True


def cancel(webinar: Webinar) -> bool:
    return move(webinar, Status.PUBLISHED, Status.CANCELLED)


def reinstate(webinar: Webinar) -> bool:
    return move(webinar, Status.CANCELLED, Status.PUBLISHED)


def move(webinar: Webinar, before: Status, after: Status) -> bool:
    with transaction.atomic():
        fresh = lock(webinar)
        if not isinstance(fresh, Webinar) or fresh.status != before:
            return False
        put(fresh, status=after)
    return True


def put(row: Publishable, **fields: object) -> None:
    """Whatever was decided, an hour that was set before counts no more."""
    for name, value in {"publish_at": None, **fields}.items():
        setattr(row, name, value)
    row.save(update_fields=["publish_at", *fields])
    record_soon()


# ---- At an hour of its own


def schedule(row: Publishable, at: datetime | None) -> bool:
    """None: by hand alone."""
    with transaction.atomic():
        fresh = lock(row)
        if is_public(fresh) or fresh.publish_at == at:
            return False
        fresh.publish_at = at
        fresh.save(update_fields=["publish_at"])
    return True


def publish_due(*, now: datetime) -> int:
    """Each minute. Two at the same time share the rows; one whose row somebody has in hand comes a minute later."""
    due: list[models.QuerySet[Any]] = [
        Webinar.objects.filter(status=Status.DRAFT, publish_at__lte=now),
        Page.objects.filter(is_published=False, publish_at__lte=now),
    ]
    count = 0
    with transaction.atomic():
        for rows in due:
            for row in rows.select_for_update(no_key=True, skip_locked=True).order_by("pk"):
                show(row)
                count += 1
    return count
