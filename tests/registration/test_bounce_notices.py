"""What mail providers tell us: only whoever proves itself is heard, once, and nothing of it is logged."""

import base64
import hashlib
import hmac
import json
import logging
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from kpt import environment
from registration import bounces
from registration.models import BounceReport, OutgoingMail
from registration.views import notices
from tests.factories import OutgoingMailFactory, ParticipantFactory

pytestmark = pytest.mark.django_db

PLAIN = "kpt:kata-sandi"


@pytest.fixture
def sent():
    return OutgoingMailFactory(participant=ParticipantFactory(email="maria@example.com"), sent=True)


@pytest.fixture(autouse=True)
def enabled(settings):
    signed, plain = "kunci-rahasia", PLAIN
    settings.BOUNCE_WEBHOOKS = {name: signed if signs else plain for name, signs in environment.SIGNS_NOTICES.items()}


def basic(secret=PLAIN):
    return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def hexed(raw, key="kunci-rahasia"):
    return hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def mailgun(mail, *, severity="permanent", words="550 5.1.1 User unknown", key="kunci-rahasia", event="failed"):
    stamp, token = "1811120400", "a1b2"
    facts = {
        "event": event,
        "severity": severity,
        "reason": "bounce",
        "recipient": mail.to,
        "timestamp": time.time(),
        "message": {"headers": {"message-id": mail.message_id.strip("<>")}},
        "delivery-status": {"message": words},
    }
    signature = {"timestamp": stamp, "token": token, "signature": hexed(f"{stamp}{token}".encode(), key)}
    return json.dumps({"signature": signature, "event-data": facts}), {}


def mailersend(mail, *, kind="hard_bounced"):
    about = {"recipient": {"email": mail.to}, "message": {"id": "6f"}}
    morph = {"object": "recipient_bounce", "reason": "550 5.1.1 User unknown"}
    facts = {"id": "1", "type": kind, "created_at": "2027-06-01T01:00:00Z", "email": about, "morph": morph}
    raw = json.dumps({"type": f"activity.{kind}", "data": facts | {"created_at": timestamp()}})
    return raw, {"signature": hexed(raw.encode())}


def mailtrap(mail, *, kind="bounce"):
    facts = {"event": kind, "message_id": "m1", "email": mail.to, "timestamp": int(time.time()), "event_id": "e1"}
    raw = json.dumps({"events": [facts | {"response": "550 5.1.1 User unknown"}]})
    return raw, {"mailtrap-signature": hexed(raw.encode())}


def postmark(mail, *, kind="HardBounce"):
    facts = {"RecordType": "Bounce", "Type": kind, "ID": 42, "Email": mail.to, "MessageID": "p1"}
    return json.dumps(facts | {"BouncedAt": timestamp(), "Details": "550 5.1.1 User unknown"}), basic()


def brevo(mail, *, kind="hard_bounce"):
    facts = {"event": kind, "email": mail.to, "message-id": mail.message_id, "ts_epoch": int(time.time() * 1000)}
    return json.dumps(facts | {"reason": "550 5.1.1 User unknown"}), basic()


def mailjet(mail, *, kind=True):
    facts = {"event": "bounce", "email": mail.to, "MessageID": 7, "time": int(time.time()), "hard_bounce": kind}
    return json.dumps([facts | {"error": "user unknown"}]), basic()


def timestamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def tell(client, provider, raw, headers):
    return client.post(f"/surat/pantulan/{provider}/", raw, content_type="application/json", headers=headers)


NOTICES = {
    "brevo": (brevo, "soft_bounce"),
    "mailersend": (mailersend, "soft_bounced"),
    "mailgun": (mailgun, None),
    "mailjet": (mailjet, False),
    "mailtrap": (mailtrap, "soft bounce"),
    "postmark": (postmark, "SoftBounce"),
}


@pytest.mark.parametrize("provider", sorted(NOTICES))
def test_a_hard_bounce_ends_the_address_and_counts_once(provider, client, sent):
    raw, headers = NOTICES[provider][0](sent)
    assert [tell(client, provider, raw, headers).status_code for _time in range(2)] == [200, 200]
    sent.refresh_from_db()
    row = BounceReport.objects.get()
    assert (row.email, row.is_final, row.source, row.mail) == (sent.to, True, "webhook", sent)
    assert (sent.status, bool(bounces.of(sent.to))) == ("BOUNCED", True)


@pytest.mark.parametrize("provider", sorted(set(NOTICES) - {"mailgun"}))
def test_a_soft_bounce_is_kept_and_stops_nothing(provider, client, sent):
    notice, soft = NOTICES[provider]
    raw, headers = notice(sent, kind=soft)
    assert tell(client, provider, raw, headers).status_code == 200
    sent.refresh_from_db()
    assert (BounceReport.objects.get().is_final, sent.status, bounces.of(sent.to)) == (False, "SENT", None)


def test_mandrill_signs_the_address_and_the_form(client, sent):
    facts = {
        "event": "hard_bounce",
        "ts": int(time.time()),
        "_id": "x",
        "msg": {"email": sent.to, "diag": "550 5.1.1 no"},
    }
    events = json.dumps([facts])
    url = "http://testserver/surat/pantulan/mandrill/"
    signed = hmac.new(b"kunci-rahasia", f"{url}mandrill_events{events}".encode(), hashlib.sha1).digest()
    for key, status in ((b"wrong", 403), (signed, 200)):
        headers = {"x-mandrill-signature": base64.b64encode(key).decode()}
        assert (
            client.post("/surat/pantulan/mandrill/", {"mandrill_events": events}, headers=headers).status_code == status
        )
    assert bounces.of(sent.to)


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        ("temporary", "421 4.7.0 Try later"),
        ("permanent", "550 5.7.26 This mail has no SPF and no DKIM"),
        ("permanent", "554 Refused by our spam filter"),
        ("permanent", "552 5.2.2 Mailbox full"),
    ],
)
def test_what_is_about_the_mail_or_the_moment_is_no_end_of_the_address(severity, words, client, sent):
    tell(client, "mailgun", *mailgun(sent, severity=severity, words=words))
    assert (BounceReport.objects.get().is_final, bounces.of(sent.to)) == (False, None)


# ---- Who speaks


@pytest.mark.parametrize(
    ("provider", "headers"),
    [
        ("mailersend", {"signature": "00"}),
        ("mailersend", {}),
        ("mailtrap", {"mailtrap-signature": "00"}),
        ("postmark", {}),
        ("postmark", basic("kpt:salah")),
        ("brevo", {}),
        ("mailjet", {}),
    ],
)
def test_who_can_not_prove_itself_is_not_heard(provider, headers, client, sent):
    raw, _headers = NOTICES[provider][0](sent)
    assert tell(client, provider, raw, headers).status_code == 403
    assert BounceReport.objects.count() == 0


def test_a_wrong_key_is_not_heard(client, sent):
    assert tell(client, "mailgun", *mailgun(sent, key="salah")).status_code == 403
    assert bounces.of(sent.to) is None


def test_an_address_that_we_never_wrote_to_leaves_nothing(client, sent):
    stranger = OutgoingMail(to="korban@example.com", message_id="<x@example.org>")
    assert tell(client, "mailgun", *mailgun(stranger)).status_code == 200
    assert BounceReport.objects.count() == 0


def test_without_configuration_the_address_does_not_exist(client, sent, settings):
    settings.BOUNCE_WEBHOOKS = {}
    for provider in [*NOTICES, "mandrill", "unknown"]:
        assert tell(client, provider, "{}", {}).status_code == 404
        assert client.head(f"/surat/pantulan/{provider}/").status_code == 404


def test_a_provider_may_look_whether_somebody_is_at_home(client):
    assert client.head("/surat/pantulan/mandrill/").status_code == 200
    assert client.get("/surat/pantulan/mandrill/").status_code == 405


@pytest.mark.parametrize("raw", ["", "[]", "{}", "null", '{"event": 1}', '{"RecordType": "Bounce"}', '"x"', "{"])
@pytest.mark.parametrize("provider", ["postmark", "brevo", "mailjet"])
def test_what_can_not_be_read_is_no_accident(provider, raw, client, sent):
    assert tell(client, provider, raw, basic()).status_code in (200, 400)
    assert BounceReport.objects.count() == 0


@pytest.mark.parametrize("headers", [{}, basic()])
def test_nothing_of_a_notice_is_logged(headers, client, caplog):
    caplog.set_level(logging.DEBUG)
    tell(client, "postmark", '{"Email": "maria@example.com", "Details": "rahasia"', headers)
    logged = " ".join(record.getMessage() + str(record.exc_info) for record in caplog.records)
    assert "postmark" in logged
    assert "maria" not in logged
    assert "rahasia" not in logged


def test_a_complaint_ends_announcements(client, sent):
    raw, headers = mailgun(sent, severity=None, event="complained")
    assert tell(client, "mailgun", raw, headers).status_code == 200
    sent.participant.refresh_from_db()
    assert sent.participant.unsubscribed_at
    assert BounceReport.objects.count() == 0


# ---- Settings


def test_settings_and_views_know_the_same_providers():
    assert set(notices.PROVIDERS) == set(environment.SIGNS_NOTICES)


def test_the_environment_names_providers_and_their_secrets(monkeypatch):
    monkeypatch.setenv("BOUNCE_WEBHOOKS", "mailgun, postmark")
    monkeypatch.setenv("MAILGUN_WEBHOOK_SECRET", "kunci")
    monkeypatch.setenv("POSTMARK_WEBHOOK_SECRET", PLAIN)
    assert environment.bounce_webhooks("BOUNCE_WEBHOOKS") == {"mailgun": "kunci", "postmark": PLAIN}


@pytest.mark.parametrize(
    ("name", "secret", "words"),
    [
        ("pos", "x", "may name brevo"),
        ("postmark", "", "Set POSTMARK_WEBHOOK_SECRET"),
        ("postmark", "no-password", "POSTMARK_WEBHOOK_SECRET must be user:password"),
        ("postmark", "kpt:", "must be user:password"),
        ("mailgun", "künci", "must be the key"),
    ],
)
def test_a_malformed_environment_is_said(name, secret, words, monkeypatch):
    monkeypatch.setenv("BOUNCE_WEBHOOKS", name)
    monkeypatch.setenv(f"{name.upper()}_WEBHOOK_SECRET", secret)
    with pytest.raises(ImproperlyConfigured, match=words):
        environment.bounce_webhooks("BOUNCE_WEBHOOKS")


@pytest.mark.parametrize("url", ["imaps://example.org/INBOX", "pop3://a:b@example.org", "imaps://a@example.org"])
def test_a_mailbox_needs_an_address_a_user_and_a_password(url, monkeypatch):
    monkeypatch.setenv("BOUNCE_IMAP_URL", url)
    with pytest.raises(ImproperlyConfigured, match="BOUNCE_IMAP_URL"):
        environment.imap_mailbox("BOUNCE_IMAP_URL")
