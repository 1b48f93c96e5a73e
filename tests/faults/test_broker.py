"""Redis is down, or says nothing: people sign up as ever, and their mail leaves when it is back."""

import signal
import time

import pytest
import redis

from registration.models import OutgoingMail, Registration
from tests.factories import WebinarFactory
from tests.faults import hasty
from tests.faults.signups import Signups
from tests.processes import HASTY, Visitor
from tests.servers import wait_until

pytestmark = pytest.mark.fault


def sign_up(site, webinar, address="peserta@example.org"):
    """From the form to the confirmation; the code is read from the row, since no mail leaves."""
    visitor = Visitor(site)
    assert visitor.get(f"/daftar/?webinars={webinar.slug}")[0] == 200
    answers = {"name": "Peserta Contoh", "email": address, "province": "73", "consent_processing": "on"}
    assert visitor.send(webinars=webinar.slug, **answers) == (200, "/akun/kode/")
    code = OutgoingMail.objects.get(kind=OutgoingMail.Kind.CODE, to=address).context["code"]
    assert visitor.send(code=code) == (200, "/saya/")
    assert webinar.title in visitor.page
    return Registration.objects.get(participant__email=address, webinar=webinar)


def test_a_sign_up_without_a_broker_succeeds_and_its_mail_leaves_when_it_is_back(site, site_worker, broker, mailbox):
    webinar = WebinarFactory(capacity=1)
    site_worker.start()
    broker.stop()
    registration = sign_up(site, webinar)
    assert registration.is_confirmed
    kinds = OutgoingMail.objects.filter(status=OutgoingMail.Status.QUEUED).values_list("kind", flat=True)
    assert sorted(kinds) == [OutgoingMail.Kind.CODE, OutgoingMail.Kind.CONFIRMATION]
    assert mailbox.attempts == 0
    broker.start()
    site_worker.tick("deliver_due_mail")
    mailbox.wait_for(1, 40)
    wait_until(lambda: not OutgoingMail.objects.exclude(status__in=["SENT", "CANCELLED"]).exists())
    # The code is spent: nobody needs it any more.
    states = dict(OutgoingMail.objects.values_list("kind", "status"))
    assert states == {"code": "CANCELLED", "confirmation": "SENT"}
    assert [message["To"] for message in mailbox.messages] == ["peserta@example.org"]


def test_a_broker_that_says_nothing_delays_a_page_but_breaks_none(site, broker):
    webinar = WebinarFactory()
    broker.process.send_signal(signal.SIGSTOP)
    try:
        assert sign_up(site, webinar).is_confirmed
    finally:
        broker.process.send_signal(signal.SIGCONT)


def test_a_dead_cache_breaks_no_page(site, broker):
    webinar = WebinarFactory()
    broker.stop()
    visitor = Visitor(site)
    for path in ("/", "/agenda/", f"/webinar/{webinar.slug}/", "/daftar/", "/en/daftar/", "/akun/masuk/"):
        assert visitor.get(path)[0] == 200, path
    assert visitor.get("/healthz/ready")[0] == 503
    assert '"redis": "down"' in visitor.page
    broker.start()
    assert visitor.get("/healthz/ready")[0] == 200


def test_the_limit_of_sign_ups_needs_the_cache_and_not_the_other_way_round(site, broker):
    webinar = WebinarFactory()
    broker.stop()
    for number in range(3):
        sign_up(site, webinar, f"peserta{number}@example.org")
    assert Registration.objects.confirmed().count() == 3


def test_a_dead_cache_turns_nobody_away_from_signing_in(site, broker):
    webinar = WebinarFactory()
    sign_up(site, webinar)
    broker.stop()
    visitor = Visitor(site)
    visitor.get("/akun/masuk/")
    assert visitor.send(email="peserta@example.org") == (200, "/akun/kode/")
    assert OutgoingMail.objects.filter(kind="code", to="peserta@example.org").count() == 2


# ---- In mid run, and beat alone mends it


def test_a_broker_emptied_in_mid_run_loses_nothing(site, site_worker, site_beat, broker, mailbox, ledger):
    """Three times, under sign-ups and a mass of mail. Worker, beat and site keep the lines that they had."""
    ledger.queue(150)
    mailbox.delay = 0.02
    site_worker.prepare(environment=HASTY)
    site_beat.start()
    site_worker.wait()
    people = Signups(site, WebinarFactory())
    cache = redis.Redis.from_url(broker.url)
    for _time in range(3):
        mailbox.wait_for(len(mailbox.messages) + 20)
        cache.flushall()
    people.stop()
    cache.flushall()
    ledger.queue(5)  # nothing but beat tells of these
    ledger.wait_for_the_end()
    people.check()
    ledger.count(f"{len(people.confirmed)} signed up meanwhile, pages went wrong: {dict(people.errors)}")
    ledger.check()
    assert not people.errors
    assert len(people.confirmed) > 3


def test_a_broker_down_for_five_minutes_under_sign_ups_loses_nothing(
    site, site_worker, site_beat, broker, mailbox, ledger
):
    """Five minutes of beat's ticks in five seconds. The worker asks for its broker at real intervals."""
    ledger.queue(30)
    mailbox.delay = 0.02
    site_worker.prepare(environment=HASTY)
    site_beat.start()
    site_worker.wait()
    mailbox.wait_for(3)
    broker.stop()
    ledger.wait_for_the_end()  # whoever is at work already needs no broker
    time.sleep(0.5)
    people = Signups(site, WebinarFactory())
    time.sleep(300 / hasty.SPEED)
    people.stop()
    waiting = ledger.open_ones().count()
    mailbox.delay = 0
    broker.start()
    ledger.wait_for_the_end(60)
    people.check()
    ledger.count(f"{len(people.confirmed)} signed up without a broker, {waiting} mails waited for it")
    ledger.check()
    assert not people.errors
    assert len(people.confirmed) > 3  # a worker that was sending goes on without its broker: how many wait is chance
