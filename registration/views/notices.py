"""What mail providers tell us of mail that came back. django-anymail knows their languages and checks who speaks.

Without a secret in the settings a provider's address does not exist. What was sent is never logged.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registration import bounces
from registration.models import BounceReport

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provider:
    view: str  # loaded when it is spoken to
    secret: str  # what anymail calls it
    is_hard: Callable[[dict[str, Any]], bool]  # of the provider's own words: anymail calls most of them a bounce


PROVIDERS = {
    "brevo": Provider(
        "anymail.webhooks.brevo.BrevoTrackingWebhookView",
        "webhook_secret",
        lambda said: said["event"] in {"hard_bounce", "invalid_email"},
    ),
    "mailersend": Provider(
        "anymail.webhooks.mailersend.MailerSendTrackingWebhookView",
        "signing_secret",
        lambda said: said["data"]["type"] == "hard_bounced",
    ),
    "mailgun": Provider(
        "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
        "webhook_signing_key",
        lambda said: said["event-data"]["severity"] == "permanent",
    ),
    "mailjet": Provider(
        "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
        "webhook_secret",
        lambda said: bool(said["hard_bounce"]),
    ),
    "mailtrap": Provider(
        "anymail.webhooks.mailtrap.MailtrapTrackingWebhookView",
        "tracking_secret",
        lambda said: said["event"] == "bounce",
    ),
    "mandrill": Provider(
        "anymail.webhooks.mandrill.MandrillCombinedWebhookView",
        "webhook_key",
        lambda said: said["event"] == "hard_bounce",
    ),
    "postmark": Provider(
        "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
        "webhook_secret",
        lambda said: said["Type"] in {"HardBounce", "BadEmailAddress"},
    ),
}
CAME_BACK = {EventType.BOUNCED, EventType.DEFERRED, EventType.FAILED, EventType.REJECTED}
UNWANTED = {EventType.COMPLAINED, EventType.UNSUBSCRIBED}


@csrf_exempt  # a provider has no cookie; its signature or secret is the right
@never_cache
@require_http_methods(["HEAD", "POST"])
def notice(request: HttpRequest, provider: str) -> HttpResponse:
    secret = settings.BOUNCE_WEBHOOKS.get(provider)
    if not secret:
        raise Http404
    if request.method == "HEAD":  # some look whether somebody is at home before they take the address
        return HttpResponse()
    known = PROVIDERS[provider]
    view = import_string(known.view)(**{known.secret: secret})
    try:
        view.run_validators(request)
    except AnymailWebhookValidationFailure:
        logger.warning("A notice in the name of %s has no right signature or secret", provider)
        return HttpResponseForbidden("403 Forbidden\n", "text/plain; charset=utf-8")
    try:
        reports = [(event, report_of(event, provider)) for event in view.parse_events(request)]
    except (AnymailError, AttributeError, LookupError, TypeError, ValueError) as error:
        logger.warning("A notice of %s can't be read: %s", provider, type(error).__name__)
        return HttpResponseBadRequest("400 Bad Request\n", "text/plain; charset=utf-8")
    for event, report in reports:
        take(event, report)
    return HttpResponse()


def take(event: AnymailTrackingEvent, report: bounces.Report) -> None:
    if not event.recipient:
        return
    if event.event_type in CAME_BACK:
        bounces.record(report, now=timezone.now())
    elif event.event_type in UNWANTED:
        bounces.complained(event.recipient, now=timezone.now())


def report_of(event: AnymailTrackingEvent, provider: str) -> bounces.Report:
    at = event.timestamp or timezone.now()
    facts = [event.message_id, event.recipient, event.event_type, event.timestamp]
    digest = hashlib.sha256("\n".join(str(fact) for fact in facts).encode()).hexdigest()
    words = event.mta_response or event.description or ""
    return bounces.Report(
        key=f"webhook:{provider}:{digest}",
        source=BounceReport.Source.WEBHOOK,
        emails=(str(event.recipient or ""),),
        words=words,
        is_final=is_hard(event, provider) and (bounces.says_gone(words) or not bounces.may_be_rules(words)),
        at=at,
        message_ids=(event.message_id,) if event.message_id else (),
        is_trusted=True,
    )


def is_hard(event: AnymailTrackingEvent, provider: str) -> bool:
    try:
        return PROVIDERS[provider].is_hard(event.esp_event)
    except LookupError:
        return False
