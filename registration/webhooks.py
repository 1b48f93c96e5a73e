"""Telling other systems of registrations. The database writes each event with its fact; here they are signed and sent.

An endpoint is in one worker's hands at a time, and what it is told of one registration comes in order: a later event waits
for an earlier one. One that does not answer holds up nobody else.
"""

import base64
import hashlib
import hmac
import json
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_noop
from standardwebhooks.webhooks import Webhook

from registration import mail, outside
from registration.bell import Bell
from registration.models import WebhookDelivery, WebhookEndpoint

logger = logging.getLogger(__name__)

Status = WebhookDelivery.Status

# After each failure; together a little more than a day.
WAITS = [timedelta(minutes=minutes) for minutes in (0.33, 1, 5, 15, 30, 60, 120, 240, 420, 600)]
# So long at most an endpoint that has failed is left in peace altogether.
LONGEST_PAUSE = timedelta(minutes=5)
# A worker that has not said so for so long is dead; each try takes `outside.DEADLINE` at most.
LEASE = timedelta(minutes=2)
# Seconds of one task, and how many endpoints it serves at the same time.
RUN, SIDE_BY_SIDE = 30, 8
KEPT = timedelta(days=30)
GONE = 410
REFUSED = gettext_noop("The answer was no 2xx.")
# Whether anybody listens at all, so that a sign-up looks in the cache and not in the database.
LISTENING, LISTENING_FOR = "webhooks:listening", 300


# ---- Secrets


def secret(endpoint: WebhookEndpoint) -> str:
    """Derived from the site's own key: a copy of the database lets nobody sign in our name."""
    words = f"webhook:{endpoint.pk}:{endpoint.secret_version}"
    key = hmac.new(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def renew_secret(endpoint: WebhookEndpoint) -> str:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret_version=F("secret_version") + 1)
    endpoint.refresh_from_db(fields=["secret_version"])
    return secret(endpoint)


# ---- Waking workers


def ring_soon() -> None:
    """After the commit of what may have been an event. The tick finds what this misses."""
    if cache.get(LISTENING):
        transaction.on_commit(BELL.ring, robust=True)


def remember_listening() -> bool:
    is_on = WebhookEndpoint.objects.filter(is_active=True).exists()
    cache.set(LISTENING, is_on, LISTENING_FOR)
    return is_on


BELL = Bell(partial(mail.call, "deliver_webhooks", "files"))


# ---- What organisers do


def test(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookDelivery:
    """An event that says nothing, to see whether it arrives."""
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=WebhookDelivery.TEST, at=now, not_before=now, created_at=now
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)
    transaction.on_commit(BELL.ring, robust=True)
    return delivery


def send_again(delivery: WebhookDelivery, *, now: datetime) -> bool:
    """With the same ID: whoever has had it ignores it."""
    done = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status=Status.WAITING)
    if not done.update(status=Status.WAITING, attempts=0, not_before=now):
        return False
    WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(paused_until=None)
    transaction.on_commit(BELL.ring, robust=True)
    return True


# ---- Sending


def deliver_due() -> int:
    """All that is due, endpoint beside endpoint; how many arrived."""
    if not remember_listening():
        return 0
    claimed = claim_all(now=timezone.now())
    if len(claimed) < 2:
        return sum(map(serve, claimed))
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return sum(pool.map(in_thread(serve), claimed))


def in_thread(deed: Callable[[WebhookEndpoint], int]) -> Callable[[WebhookEndpoint], int]:
    def done(endpoint: WebhookEndpoint) -> int:
        try:
            return deed(endpoint)
        finally:
            connection.close()  # a thread has one of its own

    return done


def due(now: datetime) -> Q:
    return Q(status=Status.WAITING, not_before__lte=now)


def claim_all(*, now: datetime) -> list[WebhookEndpoint]:
    """Endpoints with something to send that no other worker has; theirs from the commit on."""
    rows = WebhookEndpoint.objects.filter(
        Q(paused_until=None) | Q(paused_until__lte=now),
        Q(claimed_until=None) | Q(claimed_until__lte=now),
        Exists(WebhookDelivery.objects.filter(due(now), endpoint=OuterRef("pk"))),
        is_active=True,
    )
    with transaction.atomic():
        found = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("pk"))
        for endpoint in found:
            endpoint.claim, endpoint.claimed_until = uuid.uuid4(), now + LEASE
        WebhookEndpoint.objects.bulk_update(found, ["claim", "claimed_until"])
    return found


def serve(endpoint: WebhookEndpoint) -> int:
    """One after the other until one fails, nothing is left or the time is over."""
    arrived, has_failed, ends = 0, False, time.monotonic() + RUN
    while not has_failed and time.monotonic() < ends and keep(endpoint, now=timezone.now()):
        delivery = next_of(endpoint, now=timezone.now())
        if delivery is None:
            break
        has_failed = not send(endpoint, delivery)
        arrived += not has_failed
    WebhookEndpoint.objects.filter(pk=endpoint.pk, claim=endpoint.claim).update(claim=None, claimed_until=None)
    if not has_failed and next_of(endpoint, now=timezone.now()):  # whoever rang meanwhile found it taken
        BELL.ring()
    return arrived


def keep(endpoint: WebhookEndpoint, *, now: datetime) -> bool:
    """Still this worker's, and still wanted."""
    own = WebhookEndpoint.objects.filter(pk=endpoint.pk, claim=endpoint.claim, is_active=True)
    return own.update(claimed_until=now + LEASE) == 1


def next_of(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookDelivery | None:
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, status=Status.WAITING)
    earlier = waiting.filter(registration_code=OuterRef("registration_code"), pk__lt=OuterRef("pk"))
    return waiting.filter(not_before__lte=now).exclude(Exists(earlier)).order_by("pk").first()


def send(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    delivery.body = delivery.body or json.dumps(delivery.facts, ensure_ascii=False, separators=(",", ":"))
    try:
        answer = outside.post(endpoint.url, delivery.body.encode(), headers(endpoint, delivery, now=timezone.now()))
    except outside.Unreachable as unreachable:
        delivery.response_status, delivery.response, delivery.error = None, "", str(unreachable)
    else:
        delivery.response_status, delivery.response = answer.status, answer.words[:500]
        delivery.error = "" if 200 <= answer.status < 300 else REFUSED
    now = timezone.now()
    delivery.attempts, delivery.tried_at = delivery.attempts + 1, now
    with transaction.atomic():
        if delivery.error:
            note_failure(endpoint, delivery, now=now)
        else:
            delivery.status = Status.DELIVERED
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=0, paused_until=None)
        delivery.save()
    return not delivery.error


def headers(endpoint: WebhookEndpoint, delivery: WebhookDelivery, *, now: datetime) -> dict[str, str]:
    """Standard Webhooks 1.0."""
    message_id, at = str(delivery.event_id), now.astimezone(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"KPT-Webhooks/1 (+{settings.SITE_URL})",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret(endpoint)).sign(message_id, at, delivery.body),
    }


def note_failure(endpoint: WebhookEndpoint, delivery: WebhookDelivery, *, now: datetime) -> None:
    """Growing waits for about a day. One that is given up while nothing else got through switches the endpoint off."""
    row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    row.failures += 1
    row.paused_until = now + min(WAITS[min(row.failures, len(WAITS)) - 1], LONGEST_PAUSE)
    if delivery.attempts > len(WAITS):
        delivery.status = Status.GIVEN_UP
    else:
        delivery.not_before = now + WAITS[delivery.attempts - 1]
    is_dead = delivery.status == Status.GIVEN_UP and row.failures > len(WAITS)
    if is_dead or delivery.response_status == GONE:
        row.is_active, row.switched_off_at = False, now
        transaction.on_commit(partial(logger.error, "Webhook %s is switched off: %s", row.pk, delivery.error))
    row.save(update_fields=["failures", "paused_until", "is_active", "switched_off_at"])


# ---- Forgetting


def forget(*, now: datetime) -> int:
    """The log of what was sent, a month back; what still waits for an endpoint that is off goes too."""
    return WebhookDelivery.objects.filter(created_at__lte=now - KEPT).delete()[0]
