"""What staff, partners' people and programs try beyond their role. Many of these were possible once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib import admin
from django.db import Error, connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from lxml import html

from kpt.logs import redact
from registration import charts, links, outside, roleinvitations, roles, statistics
from registration.models import AuditEntry, Figure, Role, User
from registration.roles import Held
from tests import factories
from tests.kpt.test_admin_site import one_of_each  # noqa: F401 -- a fixture
from tests.matrix import MATRIX
from tests.registration.test_drafts import bare, page, typed  # noqa: F401 -- a fixture
from tests.registration.test_readings import issued, read
from tests.registration.test_roles import member, staff
from tests.test_matrix import address_of, no_pages, world  # noqa: F401 -- fixtures

pytestmark = pytest.mark.django_db


def body(response):
    """All of it, so that no file stays open."""
    return (b"".join(response) if response.streaming else response.content).decode(errors="replace")


def addresses(place):
    """Of the matrix, and Django's own of each row."""
    found = {address_of(place, line) for line in MATRIX}
    for model in admin.site._registry:
        label, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", place.row[model._meta.model_name]
        found.add(reverse(f"{label}_changelist"))
        found |= {reverse(f"{label}_{view}", args=[row.pk]) for view in ("change", "history", "delete") if row}
    return sorted(address for address in found if address != reverse("account_logout"))


# ---- All addresses


@pytest.fixture
def askers(world, signed_in_client):  # noqa: F811
    manager = world.members[Role.PARTNER_MANAGER].user
    users = {"owner": world.owner, "manager": manager, "person": world.person.account}
    return {name: signed_in_client(user) for name, user in users.items()}


def asked(place, askers):
    for address in addresses(place):
        for name, client in askers.items():
            if name == "owner" or not address.startswith("/admin/"):
                yield address, name, client


# The record of looks, and what tells of the session itself; a list of attendees that is downloaded is recorded.
RECORDS = re.compile(
    r'"(registration_(auditentry|session|event|download)|django_session|django_admin_log)"|SET "last_login"'
)


def test_no_get_changes_anything(world, askers, no_pages):  # noqa: F811
    wrote = []
    for address, name, client in asked(world, askers):
        with CaptureQueriesContext(connection) as queries:
            body(client.get(address))
        statements = [query["sql"].lstrip() for query in queries]
        changes = [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
        wrote += [(name, address, sql[:100]) for sql in changes if not RECORDS.search(sql)]
    assert wrote == []


# Whoever has the link may do it: no cookie of a visitor's browser is what lets her.
BY_LINK = ("/gabung/", "/berhenti/", "/serah-terima/", "/undangan/")


def test_no_post_from_another_site_does_anything(world, askers, no_pages):  # noqa: F811
    done = []
    for name, signed_in in [*askers.items(), ("anonymous", Client())]:
        client = Client(enforce_csrf_checks=True)
        client.cookies = signed_in.cookies
        for address in addresses(world):
            response = client.post(address)
            leads_to_sign_in = response.status_code == 302 and "/masuk/" in response["Location"]
            if response.status_code not in (403, 404, 405) and not leads_to_sign_in:
                done.append((name, address, response.status_code))
    assert [one for one in done if not one[1].startswith(BY_LINK)] == []


MARKUP = "\"'><svg/onload=zz>{{7*7}}"


def write_markup(model):
    """Into every text that somebody may write freely."""
    free = (models.CharField, models.TextField)
    ours = (models.SlugField, models.EmailField, models.URLField)
    fields = [field for field in model._meta.concrete_fields if isinstance(field, free) and not isinstance(field, ours)]
    number = 0
    for field in fields:
        if not (field.choices or field.primary_key or field.generated or field.name in CODES):
            try:
                with transaction.atomic():
                    number += model._default_manager.update(**{field.name: MARKUP[: field.max_length]})
            except Error:  # a constraint says that it is no free text
                continue
    return number


CODES = {"code", "registration_code", "key", "digest", "to", "phone", "province", "regency", "columns", "value", "kind"}
CODES |= {"object_type", "object_id", "version", "message_id", "language", "format", "gender", "photo", "logo", "email"}
SCRIPTED = re.compile(r'\s(?:x-[\w:.-]+|@[\w.:-]+|on\w+)="[^"]*svg/onload[^"]*"')


def test_no_text_becomes_markup_or_a_script(world, askers):  # noqa: F811
    assert sum(write_markup(model) for model in admin.site._registry) > 100
    seen, harmful = 0, []
    for address, name, client in asked(world, askers):
        response = client.get(address)
        text = body(response)
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            seen += "svg/onload" in text
            if "<svg/onload" in text or SCRIPTED.search(text):
                harmful.append((name, address))
    assert harmful == []
    assert seen > 40


def routes(patterns, before=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        elif "<" in str(pattern.pattern) or "<" in before:
            yield before + str(pattern.pattern)


@pytest.mark.parametrize("bad", ["abc", "%00", "9" * 30, "-1", "%C2%B2", "%D9%A3", "1%0a", "a" * 400])
def test_an_absurd_key_is_no_error(world, askers, no_pages, bad):  # noqa: F811
    keyed = [
        route
        for route in set(routes(get_resolver().url_patterns))
        if "(?P" not in route and not route.startswith("media/")
    ]
    assert len(keyed) > 200
    answers = set()
    for route in sorted(keyed):
        address = "/" + re.sub(r"<[^>]+>", bad, route)
        client = askers["owner" if route.startswith("admin/") else "manager"]
        answers |= {client.get(address).status_code, client.post(address).status_code}
    assert max(answers) < 500


FILTERS = [
    "{}__regex=(",
    "{}__iregex=(a%2B)%2B$",
    "{}=%00",
    "id__gte=x",
    "id=" + "9" * 40,
    "id__in=" + "9" * 40,
    "id__range=1",
]
FILTERS += ["id__isnull=x", "q=%00", "p=-1", "q=" + "a" * 5000, "o=%D9%A3", "o=-99", "all=", "e=1"]


@pytest.mark.parametrize("question", FILTERS)
def test_an_absurd_question_to_a_list_is_no_error(signed_in_client, no_pages, question):  # noqa: F811
    client, answers = signed_in_client(staff(Role.OWNER)), set()
    for model in admin.site._registry:
        fields = model._meta.concrete_fields
        text = next((field.name for field in fields if isinstance(field, models.CharField | models.TextField)), "id")
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answers.add(client.get(f"{address}?{question.format(text)}").status_code)
    assert answers <= {200, 302, 400}


# ---- Filters that tell what no page shows


@pytest.mark.parametrize("role", [Role.EDITOR, Role.MAIL_DESK])
@pytest.mark.parametrize(
    "question", ["zoom_passcode__startswith=4", "zoom_url__contains=rahasia", "zoom_meeting_id=1", "zoom_url__gt=h"]
)
def test_no_filter_tells_the_key_to_a_room(signed_in_client, role, question):
    key = {"zoom_url": "https://zoom.example.org/j/rahasia", "zoom_passcode": "471100", "zoom_meeting_id": "1"}
    factories.WebinarFactory(title="Judul Umpan", **key)
    client = signed_in_client(staff(role))
    assert "Judul Umpan" in body(client.get("/admin/conference/webinar/"))
    response = client.get(f"/admin/conference/webinar/?{question}")
    assert response.status_code == 400
    assert "Judul Umpan" not in body(response)


@pytest.mark.parametrize("question", ["rows__exact=abc", "rows=%D9%A3x", "nothing=1", "at__gte=x"])
def test_an_absurd_question_is_no_file_and_no_error(signed_in_client, question):
    response = signed_in_client(staff(Role.OWNER)).post(f"/admin/registration/auditentry/export/csv/?{question}")
    assert response.status_code == 302
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.DOWNLOADED).exists()


def test_an_absurd_question_about_all_is_answered(signed_in_client):
    client = signed_in_client(staff(Role.OWNER))
    posted = {"action": "merge_two", "select_across": "1", "_selected_action": "1"}
    assert client.post("/admin/registration/participant/?created_at__gte=x", posted).status_code < 500


# ---- Moments that no calendar has


OFFSETS = ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00-23:59"]


@pytest.mark.parametrize("moment", OFFSETS)
def test_a_program_that_asks_for_an_absurd_moment(client, moment):
    webinar = factories.WebinarFactory(slug="gerak")
    _token, secret = issued(webinar)
    expected = 200 if moment.startswith("2026") else 422
    assert read(client, secret, changed_since=moment).status_code == expected


@pytest.mark.parametrize("moment", OFFSETS)
def test_a_manager_who_asks_for_an_absurd_moment(signed_in_client, moment):
    place = member("manager")
    log = reverse("registration:partner_log", args=[place.organisation.slug])
    assert signed_in_client(place.user).get(log, {"before": moment}).status_code == 200


@pytest.mark.parametrize("moment", OFFSETS)
def test_a_wish_about_mails_from_an_absurd_moment(signed_in_client, moment):
    row = factories.OutgoingMailFactory(sent=True)
    wish = {"is_sent": "yes", "up_to": "9" * 30, "number": 9, "moment": moment}
    posted = {"action": "repeat_mails", "_selected_action": row.pk, **wish}
    client = signed_in_client(staff(Role.OWNER))
    assert client.post("/admin/registration/outgoingmail/", posted).status_code in (200, 302)


# ---- Secrets in logs


@pytest.mark.parametrize(
    "line",
    [
        "GET /peran/12.abc.SECRET/ 200",
        "Not Found: /en/peran/12.abc.SECRET/",
        "GET /masuk/kode/?next=%2Fperan%2F12.abc.SECRET%2F",
        "GET /masuk/?next=%2Fen%2Fpratinjau%2Fw-1-1.abc.SECRET%2F&a=1",
        "GET /berkas/SECRET/unduh/ 200",
        "'Authorization': 'Bearer kpt_0123456789_abcSECRET'",
        "secret = 'whsec_SECRET+abc/def='",
    ],
)
def test_no_log_keeps_a_key(line):
    assert "SECRET" not in redact(line)


# ---- Addresses that programs are sent to


INSIDE = ["[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::7f00:1]"]
INSIDE += [
    "[2002:7f00:1::]",
    "[fec0::1]",
    "[5f00::1]",
    "[fe80::1]",
    "0x7f000001",
    "2130706433",
    "127.1",
    "169.254.169.254",
]


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_address_leads_into_our_network(host, settings):
    settings.WEBHOOKS_TO_LOOPBACK = False
    with pytest.raises(outside.Unreachable, match="network of our own"):
        outside.addresses_of(outside.place_of(f"https://{host}/"))


# ---- Small numbers


def test_neither_desk_nor_days_tell_an_observer_a_hidden_total(signed_in_client, now):
    small = factories.WebinarFactory(title="Sedikit", capacity=50)
    large = factories.WebinarFactory(title="Banyak", capacity=50, edition=small.edition)
    factories.RegistrationFactory.create_batch(3, webinar=small)
    factories.RegistrationFactory.create_batch(12, webinar=large)
    statistics.count(now=now)
    totals = Figure.objects.filter(webinar=small, dimension=Figure.Dimension.ALL)
    assert totals.get().shown_registered is None
    observer, organiser = (signed_in_client(staff(role)) for role in (Role.OBSERVER, Role.ORGANISER))
    desks = [html.fromstring(body(client.get("/en/admin/"))).text_content() for client in (observer, organiser)]
    assert ["3 of 50 seats" in text for text in desks] == [False, True]
    query = {"edition": small.edition_id, "webinar": small.pk}
    days = reverse("admin:registration_figure_download", args=["days", "csv"])
    files = [body(client.get(f"/en{days}", query)).splitlines() for client in (observer, organiser)]
    assert files[0][-1] == "Total,hidden"
    assert files[1][-1].endswith(",3")
    page = body(observer.get(f"/en{reverse('admin:registration_figure_charts')}", query))
    assert html.fromstring(page).xpath("//section[@aria-labelledby='chart-days']//tfoot//td/text()") == ["hidden"]


def test_nobody_yet_is_no_hidden_number(now):
    webinar = factories.WebinarFactory()
    statistics.count(now=now)
    by_day, *_others = charts.charts(webinar.edition, webinar, [webinar], sees_people=False)
    assert (by_day.rows, by_day.total) == ([], None)


# ---- Roles


def test_a_link_of_another_kind_is_no_invitation(client, signed_in_client, now):
    row = roleinvitations.invite(
        "baru@example.org", Held(Role.ORGANISER), language="id", actor=staff(Role.OWNER), now=now
    )
    token, seat = links.role_token(row), factories.RegistrationFactory()
    others = [links.join_token(seat), links.page_token(seat.participant), links.unsubscribe_token(row.pk)]
    others += [links.invitation_token(factories.InvitationFactory()), token[:-2] + "AA", "1.1.1", "." * 50, "a" * 3000]
    intruder = signed_in_client(factories.UserFactory(email="baru@example.org"))
    for other in others:
        assert client.get(f"/peran/{other}/").status_code in (404, 410)
        assert intruder.post(f"/peran/{other}/").status_code in (404, 410)
    assert not User.objects.get(email="baru@example.org").is_staff


def at_once(*deeds):
    def done(deed):
        try:
            return deed()
        except roles.Refused:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(done, deeds))


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_one_takes_the_role():
    owner, user = staff(Role.OWNER), factories.UserFactory(email="baru@example.org")
    held = Held(Role.OBSERVER)
    row = roleinvitations.invite(user.email, held, language="id", actor=owner, now=timezone.now())

    def take():
        return roleinvitations.take(row, User.objects.get(pk=user.pk), now=timezone.now())

    assert sorted(at_once(take, take, take)) == [False, False, True]
    assert AuditEntry.objects.filter(action=AuditEntry.Action.TOOK_ROLE).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_end_each_other_leave_one():
    pair = [staff(Role.OWNER), staff(Role.OWNER)]

    def ending(user, actor):
        return lambda: roles.end(user, Held(Role.OWNER), actor=User.objects.get(pk=actor.pk), now=timezone.now())

    outcomes = at_once(ending(*pair), ending(*reversed(pair)))
    assert sorted(map(str, outcomes)) == ["True", "refused"]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def test_a_draft_takes_no_part_of_a_published_webinar(bare):  # noqa: F811
    draft, bait = factories.WebinarFactory(draft=True), factories.WebinarFactory()
    item = factories.AgendaItemFactory(webinar=bait, title="Tetap")
    row = {"id": item.pk, "order": 1, "kind": item.kind, "title_ind": "Dicuri"}
    for owner, initial in ((draft, 1), (bait, 1), (draft, 0), (bait, 0)):
        facts = {f"agenda_items-0-{name}": value for name, value in {**row, "webinar": owner.pk}.items()}
        forms = {"agenda_items-TOTAL_FORMS": 1, "agenda_items-INITIAL_FORMS": initial}
        bare.post(page(draft), typed(draft, **facts, **forms))
    item.refresh_from_db()
    assert (item.title, item.webinar_id) == ("Tetap", bait.pk)
    assert bait.agenda_items.count() == 1


@pytest.mark.parametrize("field", ["registration.partnermember.user", "registration.registration.participant"])
def test_suggestions_while_typing_name_nobody_to_who_may_not_see_people(bare, signed_in_client, field):  # noqa: F811
    factories.ParticipantFactory()
    query = dict(zip(["app_label", "model_name", "field_name"], field.split("."), strict=True))
    others = [signed_in_client(staff(role)) for role in (Role.EDITOR, Role.MAIL_DESK, Role.OBSERVER)]
    assert {client.get("/admin/autocomplete/", query).status_code for client in (bare, *others)} == {403}


def test_an_organiser_makes_nobody_an_owner_by_what_she_sends(signed_in_client):
    organiser = staff(Role.ORGANISER)
    client = signed_in_client(organiser)
    rights = {"is_superuser": "on", "is_staff": "on", "is_active": "on", "groups": [1, 2], "language": "id"}
    client.post(f"/admin/registration/user/{organiser.pk}/change/", {"email": organiser.email, **rights})
    client.post("/admin/registration/user/add/", {"email": "neu@example.org", **rights})
    client.post("/admin/registration/roleinvitation/team/", {"email": organiser.email, "role": "owner", **rights})
    assert not User.objects.filter(is_superuser=True).exists()
    assert not User.objects.get(email="neu@example.org").is_staff
    assert not organiser.groups.filter(name="Editors").exists()
