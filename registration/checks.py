"""Deploy checks: what `manage.py check --deploy` says about bad settings, each with what to set."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def demo_is_off(app_configs: Any, **kwargs: Any) -> list[Error]:
    if not settings.DEMO:
        return []
    return [Error("DEMO is on: staff sign in without a second factor.", hint="Unset DEMO.", id="kpt.E001")]


@register(Tags.security, deploy=True)
def site_is_https(app_configs: Any, **kwargs: Any) -> list[Error]:
    if settings.IS_HTTPS:
        return []
    return [Error("SITE_URL is not https.", hint="Set SITE_URL to the public https:// address.", id="kpt.E002")]


@register(Tags.security, deploy=True)
def mail_is_encrypted(app_configs: Any, **kwargs: Any) -> list[Warning]:
    local = settings.EMAIL_HOST in {"localhost", "127.0.0.1"}
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or local:
        return []
    hint = "Set EMAIL_URL to an smtp+tls:// or smtps:// address."
    return [Warning("Mail travels unencrypted to the mail server.", hint=hint, id="kpt.W001")]


@register(Tags.security, deploy=True)
def mailbox_is_encrypted(app_configs: Any, **kwargs: Any) -> list[Warning]:
    url = urlsplit(settings.BOUNCE_IMAP_URL)
    if url.scheme != "imap" or url.hostname in {"localhost", "127.0.0.1"}:
        return []
    hint = "Set BOUNCE_IMAP_URL to an imaps:// or imap+tls:// address."
    return [Warning("The mailbox of returned mail is read unencrypted.", hint=hint, id="kpt.W003")]


@register(Tags.security, deploy=True)
def sender_has_an_address(app_configs: Any, **kwargs: Any) -> list[Error]:
    if "@" in settings.DEFAULT_FROM_EMAIL and "@localhost" not in settings.DEFAULT_FROM_EMAIL:
        return []
    hint = "Set DEFAULT_FROM_EMAIL, such as KPT <kpt@example.org>."
    return [Error("DEFAULT_FROM_EMAIL is no address that people can answer.", hint=hint, id="kpt.E003")]


@register(Tags.security, deploy=True)
def signups_are_limited(app_configs: Any, **kwargs: Any) -> list[Warning]:
    if settings.SIGNUPS_PER_HOUR_PER_NETWORK:
        return []
    hint = "Set SIGNUPS_PER_HOUR_PER_NETWORK to a number such as 300."
    return [Warning("Sign-ups from one network have no limit.", hint=hint, id="kpt.W002")]


@register(Tags.security, deploy=True)
def mail_limits_fit(app_configs: Any, **kwargs: Any) -> list[Warning]:
    if not 0 < settings.MAIL_PER_DAY < settings.MAIL_PER_MINUTE:
        return []
    hint = "Set MAIL_PER_DAY to what the mail server allows in 24 hours, or 0 for no limit."
    return [Warning("A day's limit of mail is below that of a minute.", hint=hint, id="kpt.W004")]


@register(Tags.security, deploy=True)
def webhooks_go_outside(app_configs: Any, **kwargs: Any) -> list[Error]:
    if not settings.WEBHOOKS_TO_LOOPBACK:
        return []
    hint = "Unset WEBHOOKS_TO_LOOPBACK."
    return [Error("Webhooks may go to this machine's own services.", hint=hint, id="kpt.E004")]
