"""Where an account is signed in, and ending it. The store in `kpt.sessions` writes the rows."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.query import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from registration import audit
from registration.models import Session, User

# What a session holds of itself; the store copies it into columns.
DEVICE, NETWORK, SIGNED_IN, SEEN = "device", "network", "signed_in_at", "seen_at"
# "Last seen" is right to the hour, so that no page costs a write.
SEEN_EACH = timedelta(hours=1)

# The first that is named: each of them calls itself by the names of those behind it too.
BROWSERS = {
    "SamsungBrowser": "Samsung Internet",
    "OPR/": "Opera",
    "OPiOS": "Opera",
    "UCBrowser": "UC Browser",
    "MiuiBrowser": "Mi Browser",
    "EdgA/": "Edge",
    "EdgiOS": "Edge",
    "Edg/": "Edge",
    "FxiOS": "Firefox",
    "Firefox/": "Firefox",
    "CriOS": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def device_of(user_agent: str) -> str:
    """As its owner would call it, such as Chrome · Android; empty when it can't be told."""
    known = (next((name for mark, name in names.items() if mark in user_agent), "") for names in (BROWSERS, SYSTEMS))
    return " · ".join(filter(None, known))


def facts_of(user_agent: str, network: str, *, now: datetime) -> dict[str, str]:
    """What a new session holds of itself."""
    device, at = device_of(user_agent), now.isoformat()
    return {DEVICE: device, NETWORK: network, SIGNED_IN: at, SEEN: at}


def is_due(seen: str | None, *, now: datetime) -> bool:
    return seen is not None and now - datetime.fromisoformat(seen) >= SEEN_EACH


def of(user: User, *, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(user=user, expire_date__gt=now).order_by("-seen_at", "session_key")


def handle(session: Session) -> str:
    """Names it on a page: whoever reads the key itself over her shoulder would be signed in."""
    return salted_hmac("registration.session", session.session_key).hexdigest()[:20]


def end_one(user: User, named: str, *, key: str | None, now: datetime) -> bool:
    """Not the one of this browser: for that there is signing out."""
    others = of(user, now=now).exclude(session_key=key)
    keys = [each.session_key for each in others if constant_time_compare(handle(each), named)]
    return bool(Session.objects.filter(session_key__in=keys).delete()[0])


def end_others(user: User, key: str | None) -> int:
    """All but the one of this browser."""
    return Session.objects.filter(user=user).exclude(session_key=key).delete()[0]


def end_all(user: User) -> int:
    return Session.objects.filter(user=user).delete()[0]


def end_for(user: User, *, actor: User, now: datetime) -> int:
    """By an owner, such as for a lost phone."""
    with transaction.atomic():
        number = end_all(user)
        audit.note(audit.Action.ENDED_SESSIONS, user, actor=actor, now=now, details=str(number))
    return number


def end_dead() -> int:
    """A session tells the address of its last sign-in: those of accounts that are gone, go. How many."""
    alive = User.objects.filter(pk=OuterRef("user_id"))
    return Session.objects.filter(~Exists(alive), user__isnull=False).delete()[0]


def clear(*, now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]
