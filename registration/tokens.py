"""Keys of other systems that read attendees: made by owners, shown once, ended at a moment or by hand."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from registration import roles
from registration.models import ApiToken, User

# As it stands in the header; the first part finds the row, the second one proves it.
FORM = re.compile(r"kpt_([0-9a-f]{10})_([A-Za-z0-9_-]{43})")
# A hash for keys that nobody has, so that they take as long as those that somebody has.
NOBODYS = hashlib.sha256(b"").hexdigest()
USED = timedelta(hours=1)


def issue(token: ApiToken, *, actor: User, now: datetime) -> str:
    """Saves it and gives it, which nobody can do again."""
    secret = secrets.token_urlsafe(32)
    token.key, token.digest = secrets.token_hex(5), digest(secret)
    token.created_by, token.created_at = actor, now
    token.save()
    return f"kpt_{token.key}_{secret}"


def digest(secret: str) -> str:
    """Of 256 random bits: nobody guesses them, so a slow hash would only slow down the reader."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find(text: str) -> ApiToken | None:
    """The row of this very secret, good or not; compared in a time that tells nothing."""
    if not (found := FORM.fullmatch(text)):
        return None
    key, secret = found.groups()
    token = ApiToken.objects.select_related("created_by").filter(key=key).first()
    is_right = constant_time_compare(digest(secret), token.digest if token else NOBODYS)
    return token if is_right else None


def fault(token: ApiToken, *, now: datetime) -> str:
    """Why it is good no more; empty while it is. Whoever reads this holds its secret."""
    if token.revoked_at:
        return _("This token was revoked. Ask the owners of the site for another one.")
    if token.ends_at <= now:
        return _("This token has ended. Ask the owners of the site for another one.")
    if token.created_by is None or not roles.is_owner(token.created_by):
        return _("Whoever made this token is an owner of the site no more, so it has ended. Ask for another one.")
    return ""


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Once an hour: a write for each request would tell nobody more."""
    if token.last_used_at is None or token.last_used_at <= now - USED:
        long_ago = Q(last_used_at=None) | Q(last_used_at__lte=now - USED)
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)


def revoke(token: ApiToken, *, now: datetime) -> bool:
    return ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now) == 1
