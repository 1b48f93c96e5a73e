import json
import ssl
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from registration import attendance, erasure, merging, outside, retention, signup, waitinglist, webhooks
from registration.models import Attendance, Registration, WebhookDelivery, WebhookEndpoint
from tests.factories import (
    EditionFactory,
    ParticipantFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
from tests.receiver import Receiver
from tests.registration.test_signup import answers
from tests.servers import wait_until

EVENTS = WebhookEndpoint.Event
Status = Registration.Status


def listening(webinar=None, *, url="https://hooks.example.org/in", events=tuple(EVENTS), **facts):
    """An endpoint that hears of everything, or of one webinar."""
    scope = "webinars" if webinar else "all"
    endpoint = WebhookEndpoint.objects.create(
        name="CRM", url=url, events=list(events), **({"scope": scope} | facts), created_by=UserFactory(organiser=True)
    )
    if webinar:
        endpoint.webinars.add(webinar)
    webhooks.remember_listening()
    return endpoint


def told():
    """What is written to be told: (event, code), in order."""
    rows = WebhookDelivery.objects.order_by("pk")
    return [(row.event.removeprefix("registration."), row.registration_code) for row in rows]


# ---- Every way that something happens


@pytest.mark.django_db
class TestEvents:
    def test_sign_up_is_told_once_the_code_has_proven_the_address(self, now):
        webinar = WebinarFactory()
        listening()
        form = answers(webinar)
        user = signup.begin(form, now=now)
        assert told() == []
        [row] = signup.confirm(user, form, now=now)
        assert told() == [("confirmed", row.code)]
        delivery = WebhookDelivery.objects.get()
        assert (delivery.webinar, delivery.edition, delivery.at) == (webinar.slug, webinar.edition.year, now)
        signup.confirm(user, form, now=now)
        assert len(told()) == 1

    def test_hold_that_runs_out_is_told_to_nobody(self, now):
        listening()
        signup.begin(answers(WebinarFactory()), now=now)
        signup.expire_holds(now=now + signup.HOLD)
        assert Registration.objects.count() == 0
        assert told() == []

    def test_hold_after_a_cancellation_that_runs_out_is_not_cancelled_again(self, now):
        webinar = WebinarFactory()
        person = ParticipantFactory(email="wati@example.org")
        RegistrationFactory(webinar=webinar, participant=person, cancelled=True)
        listening()
        signup.begin(answers(webinar, email=person.email), now=now)
        signup.expire_holds(now=now + signup.HOLD)
        assert told() == []

    def test_cancelled_seat_and_whoever_moves_up_into_it(self, now):
        webinar = WebinarFactory(capacity=1)
        first, second = RegistrationFactory(webinar=webinar), RegistrationFactory(webinar=webinar, waitlisted=True)
        listening()
        signup.cancel(first, now=now)
        assert told() == [("cancelled", first.code), ("confirmed", second.code)]

    def test_offered_seat_is_told_when_it_is_taken(self, now):
        webinar = WebinarFactory(starts_at=now + timedelta(hours=5), date=now.date(), capacity=1)
        first, second = RegistrationFactory(webinar=webinar), RegistrationFactory(webinar=webinar, waitlisted=True)
        listening()
        signup.cancel(first, now=now)
        assert told() == [("cancelled", first.code)]
        second.refresh_from_db()
        waitinglist.accept(second, now=now)
        assert told()[1:] == [("confirmed", second.code)]

    def test_whoever_gives_up_a_place_in_line_has_cancelled(self, now):
        row = RegistrationFactory(waitlisted=True)
        listening()
        signup.cancel(row, now=now)
        assert told() == [("cancelled", row.code)]

    def test_merged_entries(self, now):
        webinar = WebinarFactory()
        kept, other = RegistrationFactory(webinar=webinar), RegistrationFactory(webinar=webinar)
        listening()
        merging.merge(kept.participant, other.participant, actor=None, now=now)
        assert told() == [("deleted", other.code)]

    def test_person_who_has_everything_deleted(self, now):
        row = RegistrationFactory()
        listening()
        erasure.erase(row.participant, now=now)
        assert ("deleted", row.code) in told()
        assert told()[-1] == ("deleted", row.code)

    def test_retention_tells_what_it_deletes(self, now):
        row = RegistrationFactory()
        listening()
        retention.forget([row.participant_id])
        assert told() == [("deleted", row.code)]

    def test_raw_statement_is_told_too(self):
        row = RegistrationFactory(waitlisted=True)
        listening()
        Registration.objects.filter(pk=row.pk).update(status="CONFIRMED", confirmed_at=timezone.now())
        assert told() == [("confirmed", row.code)]

    def test_first_of_her_entrances_counts(self, now):
        row = RegistrationFactory()
        listening()
        attendance.record_click(row, now=now)
        attendance.record_click(row, now=now)
        report = [("report", 1), ("report", 20), ("webhook", 1)]
        rows = [Attendance(registration=row, source=s, joined_at=now + timedelta(minutes=m)) for s, m in report]
        Attendance.objects.bulk_create(rows)
        assert told() == [("attended", row.code)]
        assert WebhookDelivery.objects.get().at == now

    def test_report_of_many_is_one_event_each_with_the_first_hour(self, now):
        seats = RegistrationFactory.create_batch(3)
        listening()
        Attendance.objects.bulk_create(
            Attendance(registration=seat, source="report", joined_at=now + timedelta(minutes=minutes))
            for seat in seats
            for minutes in (9, 4)
        )
        assert told() == [("attended", seat.code) for seat in seats]
        assert set(WebhookDelivery.objects.values_list("at", flat=True)) == {now + timedelta(minutes=4)}

    def test_made_up_people_are_told_to_nobody(self):
        listening()
        RegistrationFactory(participant__is_made_up=True)
        assert told() == []

    def test_fact_that_is_rolled_back_is_told_to_nobody(self):
        listening()
        with transaction.atomic():
            RegistrationFactory()
            assert len(told()) == 1
            transaction.set_rollback(True)
        assert told() == []


@pytest.mark.django_db
class TestScope:
    def test_only_chosen_events(self, now):
        listening(events=[EVENTS.CANCELLED])
        row = RegistrationFactory()
        signup.cancel(row, now=now)
        assert told() == [("cancelled", row.code)]

    def test_only_the_edition_or_the_webinars(self):
        wanted, other = WebinarFactory(), WebinarFactory(edition=EditionFactory(earlier=True, year=2016))
        edition, chosen = listening(scope="edition", edition=wanted.edition), listening(wanted)
        rows = [RegistrationFactory(webinar=webinar) for webinar in (other, wanted)]
        assert told() == [("confirmed", rows[1].code)] * 2
        assert [row.endpoint for row in WebhookDelivery.objects.order_by("pk")] == [edition, chosen]

    def test_list_of_webinars_that_has_become_empty_means_none(self):
        webinar = WebinarFactory()
        endpoint = listening(webinar)
        endpoint.webinars.clear()
        RegistrationFactory(webinar=webinar)
        assert told() == []

    def test_one_event_has_one_id_at_all_endpoints_and_two_have_two(self):
        listening()
        listening()
        RegistrationFactory.create_batch(2)
        ids = list(WebhookDelivery.objects.order_by("pk").values_list("event_id", flat=True))
        assert ids[0] == ids[1] != ids[2] == ids[3]

    def test_endpoint_that_is_off_is_told_nothing(self):
        listening(is_active=False)
        RegistrationFactory()
        assert told() == []


@pytest.mark.django_db
class TestCosts:
    def statements(self, now, number):
        webinars = WebinarFactory.create_batch(number)
        form = answers(*webinars, email=f"biaya{number}-{webinars[0].pk}@example.org")
        user = signup.begin(form, now=now)
        with connection.execute_wrapper(counter := Counter()):
            signup.confirm(user, form, now=now)
        return counter.number

    def test_sign_up_costs_the_same_statements_with_and_without_endpoints(self, now):
        self.statements(now, 1)  # what is looked up once is
        alone = self.statements(now, 1)
        assert cache.get(webhooks.LISTENING) is None
        listening()
        listening()
        assert self.statements(now, 1) == alone

    def test_nobody_looks_into_the_database_whether_somebody_listens(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            webhooks.ring_soon()


class Counter:
    def __init__(self):
        self.number = 0

    def __call__(self, execute, *arguments):
        self.number += 1
        return execute(*arguments)


# ---- Sending


@pytest.fixture
def receiver(tmp_path, monkeypatch, settings):
    """Listens on this machine, which is allowed here alone; whoever made its certificate is trusted."""
    server = Receiver(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    settings.WEBHOOKS_TO_LOOPBACK = True
    outside.trust.cache_clear()
    yield server
    server.stop()
    outside.trust.cache_clear()


def later(endpoint):
    """The waits are over."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(status="waiting").update(not_before=past)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)


def codes(requests):
    return [json.loads(request.body)["data"]["registration_code"] for request in requests]


@pytest.mark.django_db(transaction=True)
class TestSending:
    def test_library_of_the_standard_verifies_what_arrives(self, receiver):
        endpoint = listening(url=receiver.url)
        row = RegistrationFactory()
        assert webhooks.deliver_due() == 1
        [request] = receiver.requests
        assert Webhook(webhooks.secret(endpoint)).verify(request.body, request.headers) == {
            "type": "registration.confirmed",
            "timestamp": timezone.localtime(row.confirmed_at).isoformat(),
            "data": {
                "registration_code": row.code,
                "webinar": row.webinar.slug,
                "edition": row.webinar.edition.year,
            },
        }
        assert request.path == "/hook"
        assert request.headers["Host"] == f"localhost:{receiver.port}"
        for other in (listening(url=receiver.url), endpoint):
            secret = webhooks.secret(other) if other != endpoint else webhooks.renew_secret(endpoint)
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(request.body, request.headers)

    def test_no_word_about_the_person_leaves(self, receiver):
        listening(url=receiver.url)
        person = RegistrationFactory().participant
        webhooks.deliver_due()
        [request] = receiver.requests
        sent = request.body.decode() + json.dumps(request.headers)
        for secret in (person.name, person.email, person.phone, str(person.account_id) + '"'):
            assert secret not in sent

    def test_second_try_has_the_same_id_and_body_and_a_signature_of_its_own_time(self, receiver):
        endpoint = listening(url=receiver.url)
        RegistrationFactory()
        receiver.answer(500, 200, words=b"Sebentar\0")
        assert webhooks.deliver_due() == 0
        delivery = WebhookDelivery.objects.get()
        assert (delivery.status, delivery.attempts, delivery.response_status) == ("waiting", 1, 500)
        assert (delivery.response, delivery.error) == ("Sebentar", webhooks.REFUSED)
        assert webhooks.deliver_due() == 0  # not before its time
        assert len(receiver.requests) == 1
        later(endpoint)
        time.sleep(1.1)
        assert webhooks.deliver_due() == 1
        first, second = receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(delivery.event_id)
        assert first.body == second.body == WebhookDelivery.objects.get().body.encode()
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
        Webhook(webhooks.secret(endpoint)).verify(second.body, second.headers)
        assert WebhookDelivery.objects.get().status == "delivered"
        endpoint.refresh_from_db()
        assert (endpoint.failures, endpoint.paused_until) == (0, None)

    def test_later_event_of_a_registration_waits_for_the_earlier_and_others_do_not(self, receiver):
        now = timezone.now()
        endpoint = listening(url=receiver.url)
        stuck, other = RegistrationFactory(), RegistrationFactory()
        signup.cancel(stuck, now=now)
        receiver.behave(lambda handler: handler.reply(500 if stuck.code.encode() in last(receiver) else 200, b""))
        webhooks.deliver_due()
        WebhookEndpoint.objects.update(paused_until=None)
        webhooks.deliver_due()
        assert codes(receiver.requests) == [stuck.code, other.code]
        later(endpoint)
        receiver.answer()
        webhooks.deliver_due()
        assert codes(receiver.requests) == [stuck.code, other.code, stuck.code, stuck.code]
        kinds = [json.loads(request.body)["type"].rpartition(".")[2] for request in receiver.requests]
        assert kinds == ["confirmed", "confirmed", "confirmed", "cancelled"]

    def test_all_that_waits_goes_in_one_run_in_order(self, receiver):
        listening(url=receiver.url)
        rows = RegistrationFactory.create_batch(5)
        assert webhooks.deliver_due() == 5
        assert codes(receiver.requests) == [row.code for row in rows]

    def test_endpoint_in_another_workers_hands_is_left_alone(self, receiver):
        listening(url=receiver.url)
        RegistrationFactory()
        now = timezone.now()
        assert len(webhooks.claim_all(now=now)) == 1
        assert webhooks.claim_all(now=now) == []
        assert webhooks.deliver_due() == 0
        # A worker that was killed: after its lease another takes over.
        assert len(webhooks.claim_all(now=now + webhooks.LEASE)) == 1

    def test_worker_that_has_lost_its_endpoint_sends_nothing_more(self, receiver):
        listening(url=receiver.url)
        RegistrationFactory()
        [mine] = webhooks.claim_all(now=timezone.now())
        webhooks.claim_all(now=timezone.now() + webhooks.LEASE)
        assert webhooks.serve(mine) == 0
        assert receiver.requests == []

    def test_given_up_after_a_day_of_growing_waits_and_the_endpoint_is_off(self, receiver):
        endpoint = listening(url=receiver.url)
        RegistrationFactory()
        receiver.answer(503)
        waits = []
        for _try in range(len(webhooks.WAITS)):
            webhooks.deliver_due()
            row = WebhookDelivery.objects.get()
            waits.append((row.not_before - row.tried_at).total_seconds())
            later(endpoint)
        assert waits == sorted(waits)
        assert 24 * 3600 < sum(waits) < 26 * 3600
        endpoint.refresh_from_db()
        assert endpoint.is_active
        webhooks.deliver_due()
        endpoint.refresh_from_db()
        assert WebhookDelivery.objects.get().status == "given_up"
        assert (endpoint.is_active, endpoint.switched_off_at is not None) == (False, True)
        RegistrationFactory()
        later(endpoint)
        webhooks.deliver_due()
        assert len(receiver.requests) == len(webhooks.WAITS) + 1

    def test_one_that_is_given_up_while_others_arrive_leaves_the_endpoint_on(self, receiver):
        endpoint = listening(url=receiver.url)
        stuck = RegistrationFactory()
        WebhookDelivery.objects.update(attempts=len(webhooks.WAITS))
        receiver.answer(500)
        webhooks.deliver_due()
        endpoint.refresh_from_db()
        assert WebhookDelivery.objects.get(registration_code=stuck.code).status == "given_up"
        assert endpoint.is_active

    def test_gone_switches_off_at_once(self, receiver):
        endpoint = listening(url=receiver.url)
        RegistrationFactory()
        receiver.answer(410)
        webhooks.deliver_due()
        endpoint.refresh_from_db()
        assert not endpoint.is_active

    def test_sent_again_by_hand_with_the_same_id(self, receiver):
        listening(url=receiver.url)
        RegistrationFactory()
        webhooks.deliver_due()
        assert webhooks.send_again(WebhookDelivery.objects.get(), now=timezone.now())
        assert not webhooks.send_again(WebhookDelivery.objects.get(), now=timezone.now())
        webhooks.deliver_due()
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
        assert len(receiver.requests) == 2

    def test_dead_endpoint_holds_up_no_other(self, receiver, tmp_path, monkeypatch):
        monkeypatch.setattr(outside, "PATIENCE", 3)
        dead = Receiver(tmp_path)
        dead.hang()
        listening(url=dead.url)
        listening(url=receiver.url)
        RegistrationFactory.create_batch(3)
        begun = time.monotonic()
        try:
            assert webhooks.deliver_due() == 3
        finally:
            dead.stop()
        assert max(request.at for request in receiver.requests) - begun < 2.5
        assert len(dead.requests) == 1
        row = WebhookDelivery.objects.exclude(error="").get()
        assert row.error == outside.NO_ANSWER

    def test_log_is_kept_for_a_month(self):
        listening()
        RegistrationFactory.create_batch(2)
        old = WebhookDelivery.objects.order_by("pk").first()
        WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - webhooks.KEPT)
        assert webhooks.forget(now=timezone.now()) == 1
        assert WebhookDelivery.objects.count() == 1


def last(receiver):
    return receiver.requests[-1].body


@pytest.mark.django_db(transaction=True)
class TestWorker:
    def test_real_worker_sends_right_after_the_commit(self, receiver, worker):
        worker.start(environment={"WEBHOOKS_TO_LOOPBACK": "on"})
        endpoint, now = listening(url=receiver.url), timezone.now()
        webinar = WebinarFactory()
        form = answers(webinar)
        user = signup.begin(form, now=now)
        [row] = signup.confirm(user, form, now=now)
        [request] = receiver.wait_for(1)
        assert Webhook(webhooks.secret(endpoint)).verify(request.body, request.headers)["data"][
            "registration_code"
        ] == (row.code)
        wait_until(lambda: WebhookDelivery.objects.filter(status="delivered").exists())

    def test_killed_worker_loses_nothing_and_the_next_sends_the_same_id(self, receiver, worker):
        worker.start(environment={"WEBHOOKS_TO_LOOPBACK": "on"})
        endpoint = listening(url=receiver.url)
        receiver.hang()
        RegistrationFactory()
        worker.tick("deliver_webhooks")
        receiver.wait_for(1)
        worker.kill()
        assert WebhookDelivery.objects.get().status == "waiting"
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(claimed_until=timezone.now())  # the lease is over
        receiver.answer()
        worker.start(environment={"WEBHOOKS_TO_LOOPBACK": "on"})
        worker.tick("deliver_webhooks")
        receiver.wait_for(2)
        wait_until(lambda: WebhookDelivery.objects.filter(status="delivered").exists())
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


# ---- Where it goes


class TestOutside:
    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.org/",
            "ftp://hooks.example.org/",
            "https://",
            "https://name:secret@hooks.example.org/",
            "https://hooks.example.org:99999/",
            "https://[::1/",
            "//hooks.example.org/",
            "javascript:alert(1)",
            "https://hooks.example.org/\N{LATIN SMALL LETTER E WITH ACUTE}",
        ],
    )
    def test_what_is_no_https_address(self, url):
        with pytest.raises(outside.Unreachable, match="https"):
            outside.place_of(url)

    @pytest.mark.parametrize(
        "host",
        [
            *("localhost", "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
            *("169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
            *("[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]"),
            *("[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:db8::1]"),
        ],
    )
    def test_addresses_of_our_own_networks(self, host):
        with pytest.raises(outside.Unreachable, match="network of our own"):
            outside.place_of(f"https://{host}/")

    @pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "hooks.example.org"])
    def test_addresses_of_the_internet(self, host):
        assert outside.place_of(f"https://{host}:8443/a?b=c").path == "/a?b=c"

    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001"])
    def test_spellings_of_our_own_machine(self, host):
        with pytest.raises(outside.Unreachable):
            outside.post(f"https://{host}/", b"", {})

    @pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fe80::1%eth0"])
    def test_name_that_leads_inside(self, inner, monkeypatch):
        """One outside address beside it saves nothing."""
        found = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", inner)]
        monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *a, **k: found)
        monkeypatch.setattr(outside.socket, "create_connection", pytest.fail)
        with pytest.raises(outside.Unreachable, match="network of our own"):
            outside.post("https://hooks.example.org/", b"", {})

    def test_line_goes_to_the_address_that_was_checked(self, monkeypatch):
        """A name that leads elsewhere at the second look is looked up once."""
        answers = [[(2, 1, 6, "", ("93.184.216.34", 443))], [(2, 1, 6, "", ("127.0.0.1", 443))]]
        called = []

        def connect(address, timeout):
            called.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *a, **k: answers.pop(0))
        monkeypatch.setattr(outside.socket, "create_connection", connect)
        with pytest.raises(outside.Unreachable, match="reached"):
            outside.post("https://hooks.example.org/", b"", {})
        assert called == [("93.184.216.34", 443)]

    def test_name_that_nobody_has(self):
        with pytest.raises(outside.Unreachable, match="no machine"):
            outside.post("https://hooks.invalid/", b"", {})

    def test_redirect_is_not_followed(self, receiver):
        receiver.redirect(f"https://localhost:{receiver.port}/elsewhere")
        assert outside.post(receiver.url, b"{}", {}).status == 307
        assert [request.path for request in receiver.requests] == ["/hook"]

    def test_certificate_of_nobody_we_trust(self, receiver, monkeypatch):
        monkeypatch.delenv("SSL_CERT_FILE")
        outside.trust.cache_clear()
        with pytest.raises(outside.Unreachable, match="certificate"):
            outside.post(receiver.url, b"{}", {})
        assert receiver.requests == []

    def test_certificate_of_another_name(self, receiver, monkeypatch):
        found = [(2, 1, 6, "", ("127.0.0.1", receiver.port))]
        monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *a, **k: found)
        with pytest.raises(outside.Unreachable, match="certificate"):
            outside.post(f"https://hooks.example.org:{receiver.port}/", b"{}", {})

    def test_answer_that_drips_ends_at_the_deadline(self, receiver, monkeypatch):
        monkeypatch.setattr(outside, "DEADLINE", 1)
        receiver.drip()
        begun = time.monotonic()
        with pytest.raises(outside.Unreachable, match="in time"):
            outside.post(receiver.url, b"{}", {})
        assert time.monotonic() - begun < 4

    def test_line_that_breaks(self, receiver):
        receiver.drop()
        with pytest.raises(outside.Unreachable):
            outside.post(receiver.url, b"{}", {})

    def test_long_answer_is_cut(self, receiver):
        receiver.answer(200, words=b"a" * 100_000)
        assert len(outside.post(receiver.url, b"{}", {}).words) == outside.MOST_OF_ANSWER

    def test_only_this_machine_is_let_in_by_the_setting_of_the_tests(self, settings):
        settings.WEBHOOKS_TO_LOOPBACK = True
        with pytest.raises(outside.Unreachable, match="network of our own"):
            outside.place_of("https://10.0.0.1/")
        assert outside.trust().verify_mode == ssl.CERT_REQUIRED
