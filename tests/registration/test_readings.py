import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from kpt import api
from registration import audit, limits, readings, records, rights, roles, signup, tokens
from registration.models import ApiToken, Attendance, AuditEntry, Registration, SensitiveAnswers
from tests.factories import EditionFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory
from tests.kpt.test_api import validate
from tests.registration.test_signup import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def webinar(now):
    return WebinarFactory(slug="gerak")


def issued(webinar=None, *, actor=None, **facts):
    """(row, what goes into the header)"""
    moment = timezone.now()
    scope = {"scope": "webinars"} if webinar else {"scope": "all"}
    token = ApiToken(name="CRM", ends_at=moment + timedelta(days=30), **(scope | facts))
    secret = tokens.issue(token, actor=actor or UserFactory(organiser=True), now=moment)
    if webinar:
        token.webinars.add(webinar)
    return token, secret


def read(client, secret="", path="gerak/attendees", **query):
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return client.get(f"/en/api/v1/webinars/{path}", query, headers=headers)


def codes(response):
    return [one["registration_code"] for one in response.json()["attendees"]]


def everything(client, secret, **query):
    """All pages, and what was on each."""
    pages, cursor = [], ""
    while True:
        response = read(client, secret, **query, **({"cursor": cursor} if cursor else {}))
        pages.append(codes(response))
        cursor = response.json()["next_cursor"]
        if not cursor:
            return pages


# ---- What is in it


class TestRows:
    def test_columns_of_the_list_in_its_order(self, client, webinar, now):
        person = ParticipantFactory(
            name="=Maria Contoh", email="maria@example.org", phone="+6281234567890", province="73", regency="7371"
        )
        row = RegistrationFactory(participant=person, webinar=webinar, created_at=now)
        Attendance.objects.create(
            registration=row, source="report", joined_at=now, left_at=now + timedelta(minutes=61, seconds=30)
        )
        response = read(client, issued()[1])
        assert response.status_code == 200
        validate("/webinars/{slug}/attendees", response.json())
        [facts] = response.json()["attendees"]
        assert list(facts.items()) == [
            ("registration_code", row.code),
            ("webinar", "gerak"),
            ("name", "=Maria Contoh"),  # no spreadsheet reads this
            ("email", "maria@example.org"),
            ("phone", "+6281234567890"),
            ("gender", "female"),
            ("age_group", "25_34"),
            ("province", "Sulawesi Selatan"),
            ("regency", "Kota Makassar"),
            ("organisation", "Kelompok Contoh"),
            ("organisation_kind", "community"),
            ("status", "CONFIRMED"),
            ("registered_at", "2027-06-01T09:00:00+08:00"),
            ("attended_minutes", 61),
        ]

    def test_one_by_its_code(self, client, webinar):
        row, _bait = RegistrationFactory.create_batch(2, webinar=webinar)
        elsewhere = RegistrationFactory()
        secret = issued()[1]
        response = read(client, secret, f"gerak/attendees/{row.code}")
        validate("/webinars/{slug}/attendees/{code}", response.json())
        assert response.json()["email"] == row.participant.email
        assert read(client, secret, f"gerak/attendees/{elsewhere.code}").status_code == 404
        assert read(client, secret, "gerak/attendees/NOBODY").status_code == 404

    def test_who_is_not_in_it(self, client, webinar, now):
        shown = [RegistrationFactory(webinar=webinar, **trait) for trait in ({}, {"waitlisted": True})]
        shown += [RegistrationFactory(webinar=webinar, **trait) for trait in ({"cancelled": True}, {"offered": True})]
        restricted = RegistrationFactory(webinar=webinar)
        rights.restrict(restricted.participant, now=now, actor=restricted.participant.account)
        held = RegistrationFactory(webinar=webinar, pending=True)
        RegistrationFactory()
        secret = issued()[1]
        assert codes(read(client, secret)) == [row.code for row in shown]
        for row in (restricted, held):
            assert read(client, secret, f"gerak/attendees/{row.code}").status_code == 404

    def test_sensitive_answers_and_the_room_are_not_there(self, client, settings, now):
        webinar = WebinarFactory(slug="gerak", zoom_url="https://zoom.example.org/j/1")
        row = RegistrationFactory(webinar=webinar, participant__guardian_name="Ibu Wali")
        SensitiveAnswers.objects.create(
            participant=row.participant, delete_on=webinar.date, access_needs="Juru bahasa isyarat"
        )
        text = read(client, issued()[1]).content.decode()
        for secret in ("isyarat", "zoom", "Wali", "access_needs"):
            assert secret not in text

    def test_draft_of_ones_own(self, client, now):
        draft = WebinarFactory(draft=True, slug="gerak")
        assert read(client, issued()[1]).status_code == 200
        other = WebinarFactory(slug="lain")
        assert read(client, issued(other)[1]).status_code == 404  # that there is a draft is not said
        assert draft.slug == "gerak"


class TestFilters:
    def test_by_status(self, client, webinar):
        rows = {"CONFIRMED": RegistrationFactory(webinar=webinar)}
        rows["WAITLISTED"] = RegistrationFactory(webinar=webinar, waitlisted=True)
        rows["CANCELLED"] = RegistrationFactory(webinar=webinar, cancelled=True)
        rows["PENDING"] = RegistrationFactory(webinar=webinar, offered=True)
        secret = issued()[1]
        for status, row in rows.items():
            assert codes(read(client, secret, status=status)) == [row.code]

    def test_what_has_changed_since(self, client, webinar, now, time_machine):
        seats = [RegistrationFactory(webinar=webinar, created_at=now) for _number in range(6)]
        old, cancelled, came, corrected, _bait, _other = seats
        later = now + timedelta(hours=2)
        time_machine.move_to(later, tick=False)
        signup.cancel(cancelled, now=later)
        Attendance.objects.create(registration=came, source="link", joined_at=later)
        answers_now = {"name": "Nama Baru"}
        rights.correct(
            corrected.participant,
            {field: getattr(corrected.participant, field) for field in FIELDS} | answers_now,
            actor=corrected.participant.account,
            language="id",
            now=later,
        )
        new = RegistrationFactory(webinar=webinar, created_at=later)
        found = codes(read(client, issued()[1], changed_since=(now + timedelta(hours=1)).isoformat()))
        assert found == [cancelled.code, came.code, corrected.code, new.code]
        assert old.code not in found

    @pytest.mark.parametrize(
        "query",
        [
            *({"status": "confirmed"}, {"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"cursor": "a/b"}),
            *({"cursor": "zzzzzzzzzzzzz"}, {"changed_since": "kemarin"}, {"changed_since": "2027-06-01T09:00:00"}),
            *({"since": "2027-06-01"}, {"token": "kpt_x"}),
        ],
        ids=str,
    )
    def test_what_can_not_be_read_is_refused_and_not_ignored(self, query, client, webinar):
        response = read(client, issued()[1], **query)
        assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
        assert next(iter(query)) in response.json()["detail"]

    def test_largest_cursor_is_the_end(self, client, webinar):
        RegistrationFactory(webinar=webinar)
        assert read(client, issued()[1], cursor="z" * 12).json()["attendees"] == []


FIELDS = ("name", "phone", "gender", "age_group", "province", "regency", "organisation", "organisation_kind")


class TestPages:
    def test_all_pages_hold_each_once(self, client, webinar):
        rows = RegistrationFactory.create_batch(7, webinar=webinar)
        pages = everything(client, issued()[1], limit=3)
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [code for page in pages for code in page] == [row.code for row in rows]

    def test_last_page_that_is_full_is_the_last(self, client, webinar):
        RegistrationFactory.create_batch(4, webinar=webinar)
        assert [len(page) for page in everything(client, issued()[1], limit=2)] == [2, 2]

    def test_whoever_signs_up_or_goes_meanwhile_hides_nobody(self, client, webinar, now):
        rows = RegistrationFactory.create_batch(6, webinar=webinar)
        secret = issued()[1]
        first = read(client, secret, limit=2).json()
        rows[0].participant.delete()
        rows[1].participant.delete()  # the row that the cursor was made of
        newcomer = RegistrationFactory(webinar=webinar)
        rest = codes(read(client, secret, cursor=first["next_cursor"]))
        assert rest == [*(row.code for row in rows[2:]), newcomer.code]

    @pytest.mark.django_db(transaction=True)
    def test_crowd_that_signs_up_while_a_program_reads(self, client):
        """Real transactions side by side: each page holds others, and with the next round everybody has been read."""
        webinar = WebinarFactory(slug="gerak")
        early = RegistrationFactory.create_batch(9, webinar=webinar)
        secret, has_begun = issued()[1], threading.Event()

        def sign_up(number):
            try:
                form = answers(webinar, email=f"ramai{number}@example.org")
                user = signup.begin(form, now=timezone.now())
                has_begun.set()
                signup.confirm(user, form, now=timezone.now())
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            crowd = [pool.submit(sign_up, number) for number in range(24)]
            has_begun.wait(20)
            since = read(client, secret, limit=1).json()["as_of"]
            pages = everything(client, secret, limit=2)
        for one in crowd:
            one.result()
        first_round = [code for page in pages for code in page]
        assert len(first_round) == len(set(first_round))
        assert {row.code for row in early} <= set(first_round)
        next_round = {code for page in everything(client, secret, changed_since=since) for code in page}
        everybody = set(Registration.objects.filter(webinar=webinar).values_list("code", flat=True))
        assert len(everybody) == 9 + 24
        assert set(first_round) | next_round == everybody

    def test_as_many_queries_for_three_as_for_one(self, client, webinar):
        secret = issued()[1]
        RegistrationFactory(webinar=webinar)
        read(client, secret)

        def queries():
            with CaptureQueriesContext(connection) as found:
                assert read(client, secret).status_code == 200
            return len(found)

        one = queries()
        RegistrationFactory.create_batch(2, webinar=webinar)
        assert queries() == one <= 9

    def test_next_round_begins_a_little_before_the_first_page(self, client, webinar, now):
        assert read(client, issued()[1]).json()["as_of"] == "2027-06-01T08:58:00+08:00"


# ---- Who may


def problem(response, status):
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    return response.json()["detail"]


class TestTokens:
    def test_secret_is_known_to_nobody_afterwards(self):
        token, secret = issued()
        _kpt, key, rest = secret.split("_", 2)
        token.refresh_from_db()
        assert token.key == key
        stored = " ".join(str(value) for value in ApiToken.objects.values().get().values())
        assert rest not in stored
        assert len(rest) == 43

    @pytest.mark.parametrize("wrong", ["", "kpt_", "kpt_0000000000_" + "a" * 43, "x" * 5000, "kpt_\N{SNOWMAN}"])
    def test_wrong_ones(self, wrong, client, webinar):
        response = read(client, wrong.encode().decode("latin-1") if wrong else "")
        problem(response, 401)
        assert response["WWW-Authenticate"] == 'Bearer realm="KPT"'

    def test_one_letter_more_less_or_other(self, client, webinar):
        secret = issued()[1]
        other = secret[:-1] + ("a" if secret[-1] != "a" else "b")
        for wrong in (secret + "a", secret[:-1], other, secret.upper(), secret.replace("kpt_", "kpt-")):
            problem(read(client, wrong), 401)
        assert read(client, secret).status_code == 200

    def test_secret_of_one_with_the_key_of_another(self, client, webinar):
        (first, _secret), (_second, secret) = issued(), issued()
        problem(read(client, f"kpt_{first.key}_{secret.split('_', 2)[2]}"), 401)

    def test_compared_in_a_time_that_tells_nothing(self, client, webinar):
        token, _secret = issued()
        with mock.patch("registration.tokens.constant_time_compare", wraps=tokens.constant_time_compare) as compare:
            read(client, f"kpt_{token.key}_{'a' * 43}")
            read(client, f"kpt_0000000000_{'a' * 43}")
        assert compare.call_count == 2

    @pytest.mark.parametrize("where", ["address", "cookie", "basic", "session"])
    def test_only_in_the_header(self, where, client, webinar, signed_in_client):
        secret, headers, query = issued()[1], {}, {}
        if where == "address":
            query = {"token": secret, "access_token": secret}
        elif where == "cookie":
            client.cookies["Authorization"] = f"Bearer {secret}"
        elif where == "basic":
            headers = {"Authorization": f"Basic {secret}"}
        else:
            client = signed_in_client(UserFactory(organiser=True), fresh=True)
        problem(client.get("/en/api/v1/webinars/gerak/attendees", query, headers=headers), 401)

    def test_ended_revoked_and_of_an_owner_who_is_none_any_more(self, client, webinar, now):
        ended, secret = issued()
        ApiToken.objects.filter(pk=ended.pk).update(ends_at=now)
        assert "has ended" in problem(read(client, secret), 401)
        revoked, secret = issued()
        assert tokens.revoke(revoked, now=now)
        assert not tokens.revoke(revoked, now=now)
        assert "revoked" in problem(read(client, secret), 401)
        owner, _other = UserFactory.create_batch(2, organiser=True)
        _row, secret = issued(actor=owner)
        assert read(client, secret).status_code == 200
        roles.end(owner, roles.Held(roles.Role.OWNER), actor=_other, now=now)
        assert "owner of the site no more" in problem(read(client, secret), 401)

    def test_another_webinar_is_refused_and_recorded(self, client, webinar):
        token, secret = issued(WebinarFactory())
        problem(read(client, secret), 403)
        entry = AuditEntry.objects.get(action=audit.Action.REFUSED)
        assert (entry.object_id, entry.actor, entry.webinar_id) == (str(token.pk), None, webinar.pk)

    def test_edition_covers_its_webinars_alone(self, client, webinar):
        assert read(client, issued(scope="edition", edition=webinar.edition)[1]).status_code == 200
        other = EditionFactory(year=2016, earlier=True)
        assert read(client, issued(scope="edition", edition=other)[1]).status_code == 403

    def test_list_that_has_become_empty_covers_nothing(self, client, webinar):
        token, secret = issued(webinar)
        assert read(client, secret).status_code == 200
        token.webinars.clear()
        assert read(client, secret).status_code == 403

    def test_webinar_that_is_not_there(self, client, webinar):
        problem(read(client, issued()[1], "nowhere/attendees"), 404)

    def test_too_many_in_a_minute(self, client, webinar, monkeypatch, time_machine, now):
        monkeypatch.setattr(limits, "READS_A_MINUTE", 2)
        secret, other = issued()[1], issued()[1]
        assert [read(client, secret).status_code for _time in range(3)] == [200, 200, 429]
        response = read(client, secret)
        assert "60 seconds" in problem(response, 429)
        assert response["Retry-After"] == "60"
        assert read(client, other).status_code == 200
        time_machine.move_to(now + timedelta(minutes=1), tick=False)
        assert read(client, secret).status_code == 200

    def test_too_many_wrong_ones_from_a_network(self, client, webinar, monkeypatch):
        monkeypatch.setattr(limits, "WRONG_TOKENS", 2)
        assert [read(client, "kpt_x").status_code for _time in range(3)] == [401, 401, 429]
        assert read(client, issued()[1]).status_code == 200  # whose own is right gets in

    def test_no_token_in_logs_or_caches(self, client, webinar, caplog, settings):
        settings.DEBUG = True
        token, secret = issued()
        with caplog.at_level(logging.DEBUG):
            response = read(client, secret)
            read(client, secret, "nowhere/attendees")
            client.get("/api/v1/webinars/gerak/attendees", headers={"Authorization": secret})
        assert secret not in caplog.text
        assert token.digest not in caplog.text
        assert "no-store" in response["Cache-Control"]
        assert not response.cookies
        assert secret not in "".join(str(row) for row in AuditEntry.objects.values())

    def test_use_is_noted_once_an_hour(self, client, webinar, now, time_machine):
        token, secret = issued()
        for minutes, noted in ((0, 0), (30, 0), (60, 60)):
            time_machine.move_to(now + timedelta(minutes=minutes), tick=False)
            read(client, secret)
            token.refresh_from_db()
            assert token.last_used_at == now + timedelta(minutes=noted)


class TestRecord:
    def test_each_page_is_recorded_with_its_rows(self, client, webinar):
        token, secret = issued()
        RegistrationFactory.create_batch(3, webinar=webinar)
        everything(client, secret, limit=2, status="CONFIRMED")
        entries = AuditEntry.objects.filter(action=audit.Action.READ_BY_TOKEN).order_by("pk")
        assert [(one.rows, one.details) for one in entries] == [(2, "status"), (1, "status, cursor")]
        entry = entries[0]
        assert (entry.actor, entry.object_type, entry.object_id) == (None, "registration.apitoken", str(token.pk))
        assert (entry.object_name, entry.webinar_id) == (str(token), webinar.pk)
        assert entry.network

    def test_she_reads_it_on_her_own_page(self, client, webinar, now):
        row = RegistrationFactory(webinar=webinar, created_at=now)
        read(client, issued()[1])
        read(client, issued()[1], f"gerak/attendees/{row.code}")
        with translation.override("en"):
            found = records.accesses(row.participant, row.participant.account)
            words = f"read the list of “{webinar.title}”, in which this person stands"
        assert [one[1:] for one in map(astuple, found)] == [("A program of the organisers", words, 2)]

    def test_answer_and_record_are_of_one_transaction(self, webinar, monkeypatch):
        token, _secret = issued()
        row = RegistrationFactory(webinar=webinar)
        monkeypatch.setattr(audit, "note", mock.Mock(side_effect=RuntimeError))
        with pytest.raises(RuntimeError):
            readings.page(token, webinar, readings.Wanted(), now=row.created_at)


# ---- In the admin


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(UserFactory(organiser=True))


@pytest.fixture
def organiser(signed_in_client):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


FORM = {"name": "CRM", "scope": "all", "ends_at_0": "2028-01-01", "ends_at_1": "00:00:00"}


class TestAdmin:
    def test_made_shown_once_used_and_revoked(self, webinar, owner, client):
        RegistrationFactory(webinar=webinar)
        response = owner.post("/en/admin/registration/apitoken/add/", FORM)
        assert response.status_code == 200
        [secret] = tokens.FORM.findall(response.content.decode())
        token = ApiToken.objects.get()
        text = f"kpt_{token.key}_{secret[1]}"
        assert "no-store" in response["Cache-Control"]
        assert read(client, text).status_code == 200
        page = f"/en/admin/registration/apitoken/{token.pk}/change/"
        assert secret[1] not in owner.get(page).content.decode()
        question = f"/en/admin/registration/apitoken/{token.pk}/revoke/"
        assert owner.get(question).status_code == 200
        assert read(client, text).status_code == 200
        assert owner.post(question).status_code == 302
        assert read(client, text).status_code == 401
        deeds = AuditEntry.objects.filter(object_type="registration.apitoken").exclude(action="read_by_token")
        assert {"added", "acted"} <= set(deeds.values_list("action", flat=True))
        assert secret[1] not in str(list(AuditEntry.objects.values()))

    def test_scope_without_its_choice(self, webinar, owner):
        for scope in ("edition", "webinars"):
            owner.post("/en/admin/registration/apitoken/add/", FORM | {"scope": scope})
        owner.post("/en/admin/registration/apitoken/add/", FORM | {"ends_at_0": "2020-01-01"})
        assert not ApiToken.objects.exists()

    def test_organisers_look_and_make_none(self, organiser):
        token, _secret = issued()
        assert organiser.get("/admin/registration/apitoken/").status_code == 200
        assert organiser.get("/admin/registration/apitoken/add/").status_code == 403
        assert organiser.post(f"/admin/registration/apitoken/{token.pk}/revoke/").status_code == 403

    def test_list_costs_the_same_for_one_and_three(self, owner):
        def queries():
            with CaptureQueriesContext(connection) as found:
                owner.get("/admin/registration/apitoken/")
            return len(found)

        issued()
        queries()
        one = queries()
        issued()
        issued()
        assert queries() == one


def test_every_status_of_a_registration_is_described():
    [status] = [
        one["schema"]
        for one in api.description()["paths"]["/webinars/{slug}/attendees"]["get"]["parameters"]
        if one["name"] == "status"
    ]
    assert set(status["anyOf"][0]["enum"]) == set(Registration.Status)
