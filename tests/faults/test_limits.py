"""Limits on a real site of several processes, and without its cache."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from registration.limits import CODES, TRIES_FROM_NETWORK
from registration.models import OutgoingMail, Participant
from tests.factories import ParticipantFactory, WebinarFactory
from tests.processes import Visitor

pytestmark = pytest.mark.fault
ANSWERS = {"name": "Peserta Contoh", "province": "73", "consent_processing": "on"}


def send_form(site, webinar, email):
    visitor = Visitor(site)
    visitor.get(f"/daftar/?webinars={webinar.slug}")
    return visitor, visitor.send(webinars=webinar.slug, email=email, **ANSWERS)


def at_once(work, arguments):
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(work, arguments))


def test_a_school_behind_one_address_signs_up_and_a_script_is_stopped(site, broker):
    """300 people in an hour, with their retries; then no more, counted over all processes together."""
    webinar = WebinarFactory()
    answers = at_once(lambda number: send_form(site, webinar, f"murid{number % 80}@example.org")[1], range(120))
    assert Counter(answers) == {(200, "/akun/kode/"): 120}
    cache = redis.Redis.from_url(broker.url)
    [counter] = cache.keys("*signups:*")
    assert int(cache.get(counter)) == 80  # each once
    cache.incrby(counter, 215)
    answers = at_once(lambda number: send_form(site, webinar, f"skrip{number}@example.org")[1], range(20))
    assert Counter(answers) == {(200, "/akun/kode/"): 5, (429, "/daftar/"): 15}
    assert Participant.objects.count() == 85


def test_tries_at_one_code_that_come_at_once_are_counted_one_by_one(site, broker):
    webinar = WebinarFactory()
    browsers = [send_form(site, webinar, "peserta@example.org")[0] for _browser in range(8)]
    code = OutgoingMail.objects.get(kind="code").context["code"]  # all within a minute: one code for all of them
    wrong = "000000" if code != "000000" else "111111"
    for browser in browsers:
        browser.get("/akun/kode/")

    def guess(browser):
        answers = []
        for _try in range(6):
            was = browser.page
            answers.append(browser.send(code=wrong))
            if browser.address.endswith("/akun/masuk/"):
                break
            browser.page = browser.page or was
        return answers

    answers = [answer for some in at_once(guess, browsers) for answer in some]
    said_wrong = [answer for answer in answers if answer == (200, "/akun/kode/")]
    # Of the five tries of a browser the last one leads away; none beyond the network's were looked at.
    assert len(said_wrong) <= TRIES_FROM_NETWORK
    late = send_form(site, webinar, "peserta@example.org")[0]
    assert late.send(code=code) == (200, "/akun/masuk/")
    assert not Participant.objects.exclude(proven_at=None).exists()


def test_codes_to_one_mailbox_are_counted_over_all_processes(site, broker):
    webinar = WebinarFactory()
    answers = at_once(lambda _n: send_form(site, webinar, "peserta@example.org")[1], range(CODES + 6))
    assert Counter(answers) == {(200, "/akun/kode/"): CODES, (429, "/daftar/"): 6}
    assert OutgoingMail.objects.filter(kind="code").count() == 1


def test_without_the_cache_codes_still_have_few_tries_one_use_and_the_pages_work(site, broker):
    webinar = WebinarFactory()
    broker.stop()
    visitor, answer = send_form(site, webinar, "peserta@example.org")
    assert answer == (200, "/akun/kode/")
    code = OutgoingMail.objects.get(kind="code").context["code"]
    wrong = "000000" if code != "000000" else "111111"
    assert [visitor.send(code=wrong)[1] for _try in range(5)] == ["/akun/kode/"] * 4 + ["/akun/masuk/"]
    visitor.get("/akun/kode/")
    assert visitor.address.endswith("/akun/masuk/")  # the right code comes too late
    OutgoingMail.objects.all().delete()
    first, _answer = send_form(site, webinar, "peserta@example.org")
    second, _answer = send_form(site, webinar, "peserta@example.org")
    code = OutgoingMail.objects.get(kind="code").context["code"]
    assert first.send(code=code) == (200, "/saya/")
    assert second.send(code=code) == (200, "/akun/masuk/")
    assert first.get("/saya/data/")[0] == 200


def test_without_the_cache_a_fresh_code_and_the_personal_page_work(site, broker):
    maria = ParticipantFactory(email="maria@example.org")
    broker.stop()
    visitor = Visitor(site)
    visitor.get("/akun/masuk/?next=/saya/tautan/baru/")
    visitor.send(email=maria.email, next="/saya/tautan/baru/")
    code = OutgoingMail.objects.get(kind="code").context["code"]
    assert visitor.send(code=code, next="/saya/tautan/baru/") == (200, "/saya/tautan/baru/")
    assert visitor.send()[0] == 200
    maria.refresh_from_db()
    assert maria.link_version == 2
