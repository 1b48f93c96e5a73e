"""Typed readers of the environment. A missing or malformed variable stops the start with a sentence."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Who tells us of mail that came back, and whether by a signature; the others by a user and a password in the address.
SIGNS_NOTICES = {
    "brevo": False,
    "mailersend": True,
    "mailgun": True,
    "mailjet": False,
    "mailtrap": True,
    "mandrill": True,
    "postmark": False,
}
IMAP_SCHEMES = {"imap": 143, "imap+tls": 143, "imaps": 993}
EMAIL_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def text(name: str, default: str | None = None) -> str:
    """The variable, or the content of the file that `NAME_FILE` points to; without a default it is required."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that can't be read: {error.strerror}.") from error
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE, a file that holds it) in the environment.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value in {"1", "on", "true", "yes"}:
        return True
    if value in {"0", "off", "false", "no"}:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} must be a whole number, 0 or more, not {value!r}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def url(name: str, schemes: set[str], default: str | None = None) -> str:
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in schemes and bool(parts.hostname)
    except ValueError:  # such as a bracket that is not closed
        is_good = False
    if not is_good:
        example = sorted(schemes)[0]
        raise ImproperlyConfigured(
            f"{name} must be an address such as {example}://host, with one of: {sorted(schemes)}."
        )
    return value


def email_server(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's EMAIL_* settings from `smtp://user:password@host:port`, `smtp+tls://` or `smtps://`."""
    parts = urlsplit(url(name, set(EMAIL_SCHEMES), default))
    try:
        port = parts.port or EMAIL_SCHEMES[parts.scheme]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is no number.") from error
    return {
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def bounce_webhooks(name: str) -> dict[str, str]:
    """The secret of each named provider, from `MAILGUN_WEBHOOK_SECRET` and the like."""
    secrets = {}
    for provider in words(name):
        if provider not in SIGNS_NOTICES:
            raise ImproperlyConfigured(f"{name} may name {', '.join(SIGNS_NOTICES)}, not {provider!r}.")
        variable = f"{provider.upper()}_WEBHOOK_SECRET"
        secret = text(variable)
        if not (secret.isascii() and (SIGNS_NOTICES[provider] or secret.partition(":")[2])):
            form = "the key that the provider shows" if SIGNS_NOTICES[provider] else "user:password"
            raise ImproperlyConfigured(f"{variable} must be {form}.")
        secrets[provider] = secret
    return secrets


def imap_mailbox(name: str) -> str:
    """`imaps://user:password@host/folder`, or empty."""
    value = text(name, "")
    if value:
        parts = urlsplit(url(name, set(IMAP_SCHEMES)))
        if not (parts.username and parts.password):
            raise ImproperlyConfigured(f"{name} needs a user and a password: imaps://user:password@host/INBOX.")
    return value
