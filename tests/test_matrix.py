"""Every address, with every role, with one's own rows and with others', read and written: who gets what.

An address that is missing here fails the test, so that no page comes to the site without somebody having said whose it
is. One line per address, or per kind of row behind it:

    "registration:cancel seat.code": ("anonymous=sign-in participant=200 *=404", "..."),

The words after the address lead to its arguments in `world`, or stand in quotes. The outcomes are for GET and for POST
with an empty form; a later word wins. Nothing that a request does is left for the next one.
"""

import copy
import logging
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from conference.versions import TRACKED
from kpt.admin_site import AdminSite
from registration import audit, links
from registration.models import OutgoingMail, PreparedFile, Role, RoleInvitation
from tests import factories
from tests.kpt.test_admin_site import one_of_each  # noqa: F401 -- a fixture
from tests.matrix import MATRIX, MODELS, ROLES, VIEWS, expected

pytestmark = pytest.mark.django_db


# ---- The addresses


def addresses(patterns, names=(), route=""):
    """The name of each address, or, where it has none, its route."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = [*names, pattern.namespace] if pattern.namespace else names
            yield from addresses(pattern.url_patterns, inner, route + str(pattern.pattern))
        else:
            yield ":".join([*names, pattern.name]) if pattern.name else f"/{route}{pattern.pattern}"


def of_models():
    """What Django itself gives each model in the admin."""
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/<path:object_id>/"
        for view in VIEWS:
            yield f"admin:{label}_{view}"


# There when the addresses are read first while a test plays the demo.
DEMO_ONLY = "/media/<path:path>"


def test_every_address_is_in_the_matrix():
    known = {line.split()[0] for line in MATRIX} | set(of_models())
    found = set(addresses(get_resolver().url_patterns)) - {DEMO_ONLY}
    assert found - known == set(), "say in tests/matrix.py whose they are"


def test_the_matrix_names_no_address_that_is_gone():
    known = set(addresses(get_resolver().url_patterns))
    assert {line.split()[0] for line in MATRIX} - known == set()


def test_every_model_in_the_admin_is_in_the_matrix():
    assert {model._meta.label_lower for model in admin.site._registry} == set(MODELS)


def test_each_address_with_a_key_is_tried_with_a_row_of_somebody_else_too():
    """Whatever is behind a sign-in: where only the signed token opens it, a forged one is the other."""
    keyed = [line.split() for line in MATRIX if len(line.split()) > 1 and line.startswith("registration:")]
    lines = [name for name, *_arguments in keyed]
    assert {name for name in lines if lines.count(name) < 2} <= {"registration:group_template"}


# ---- Who asks


@pytest.fixture
def world(now, one_of_each):  # noqa: F811
    own, other = factories.OrganisationFactory.create_batch(2)
    webinar = factories.WebinarFactory(hosts=[own], slug="own", number=98)
    elsewhere = factories.WebinarFactory(hosts=[other], slug="foreign")
    draft = factories.WebinarFactory(draft=True, slug="draft")
    seat, foreign_seat = (factories.RegistrationFactory(webinar=each) for each in (webinar, elsewhere))
    person, stranger = seat.participant, foreign_seat.participant
    carer = {"account": person.account, "email": ""}
    cared, foreign_cared = factories.ParticipantFactory(**carer), factories.ParticipantFactory(email="")
    consent = factories.ConsentFactory(participant=person, partner=own)
    foreign_consent = factories.ConsentFactory(participant=stranger, partner=other)
    owner = factories.UserFactory(organiser=True)
    offers = [
        RoleInvitation.objects.create(
            email=email,
            role=Role.PARTNER_VIEWER,
            organisation=organisation,
            invited_by=owner,
            ends_at=now + links.ROLE_AGE,
        )
        for email, organisation in ((person.email, own), ("baru@example.org", other))
    ]
    withdrawals = [
        each.withdrawals.create(webinar=hosted, registration_code=taken.code, withdrawn_at=now)
        for each, hosted, taken in ((own, webinar, seat), (other, elsewhere, foreign_seat))
    ]
    members = {
        Role.PARTNER_VIEWER: factories.PartnerMemberFactory(organisation=own, role="viewer"),
        Role.PARTNER_MANAGER: factories.PartnerMemberFactory(organisation=own, role="manager"),
    }
    colleague = factories.PartnerMemberFactory(organisation=own, role="viewer")
    outsider = factories.PartnerMemberFactory(organisation=other, role="viewer")
    guest = factories.InvitationFactory(webinar=webinar)
    tokens = SimpleNamespace(
        join=links.join_token(seat),
        page=links.page_token(person),
        calendar=links.calendar_token(person),
        invitation=links.invitation_token(guest),
        unsubscribe=links.unsubscribe_token(person.account_id),
        handover=links.handover_token(cared.handovers.create(email="lain@example.org", created_by=person.account)),
        role=links.role_token(offers[0]),
        foreign_role=links.role_token(offers[1]),
    )
    place = SimpleNamespace(**{name: value for name, value in locals().items() if name != "one_of_each"})
    audit.note(audit.Action.LOOKED_AT, person, actor=owner, now=now)
    place.withdrawal, place.foreign_withdrawal = withdrawals
    place.offer, place.foreign_offer = offers
    place.speaker = factories.SpeakerFactory()
    ready = {"columns": "name", "format": "xlsx", "status": "ready", "ready_at": now, "ends_at": now + links.ROLE_AGE}
    manager = members[Role.PARTNER_MANAGER].user
    place.file = PreparedFile.objects.create(requested_by=manager, organisation=own, webinar=webinar, **ready)
    place.staff_file = PreparedFile.objects.create(requested_by=owner, **ready)
    place.users = users_of(place)
    # Of a model without a row a key that nothing has.
    place.row = {model._meta.model_name: model._default_manager.first() for model in admin.site._registry}
    place.version = {model._meta.model_name: place.row[model._meta.model_name].history.first() for model in TRACKED}
    place.mail = OutgoingMail.objects.first()
    return place


def users_of(place):
    groups = {"editor": "Editors", "bare": "Editors", "mail_desk": "Mail desk", "observer": "Observers"}
    users = {
        "anonymous": None,
        "participant": place.person.account,
        "organiser": in_group("Organisers"),
        "owner": place.owner,
        "viewer": place.members[Role.PARTNER_VIEWER].user,
        "manager": place.members[Role.PARTNER_MANAGER].user,
    }
    for role, group in groups.items():
        users[role] = in_group(group, second_factor=role != "bare")
    return users


def in_group(name, **facts):
    user = factories.UserFactory(is_staff=True, **facts)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def no_pages(monkeypatch):
    """Who gets what is decided before a page is drawn or a refusal is logged, which takes most of the time."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    monkeypatch.setattr(Template, "render", lambda self, context=None, request=None: "")
    monkeypatch.setattr(AdminSite, "each_context", lambda self, request: {})


# ---- Asking


def argument(world, word):
    if word.startswith("'"):
        return word.strip("'")
    for name in word.split("."):
        world = world[name] if isinstance(world, dict) else getattr(world, name)
    return world


def address_of(world, line):
    name, *words = line.split()
    if name.startswith("/"):
        return name.replace("^", "").replace("(?P<url>.*)$", "nowhere/")
    return reverse(name, args=[argument(world, word) for word in words])


def outcome(response):
    if response.status_code != 302:
        return str(response.status_code)
    path = response["Location"].partition("?")[0]
    leads = {
        reverse(settings.LOGIN_URL): "sign-in",
        reverse("mfa_index"): "2fa",
        reverse("registration:fresh_code"): "code",
        reverse("admin:login"): "admin",
    }
    return leads.get(path, "302")


def ask(client, method, address):
    """In a client of its own, and undone afterwards."""
    asking = Client()
    asking.cookies = copy.copy(client.cookies)
    undo = transaction.savepoint()
    try:
        response = getattr(asking, method)(address)
        if response.streaming:
            b"".join(response.streaming_content)  # which closes the file behind it
        return outcome(response)
    finally:
        transaction.savepoint_rollback(undo)


@pytest.fixture
def client_of(world, signed_in_client):
    def client(role):
        user = world.users[role]
        return signed_in_client(user, fresh=True) if user else Client()

    return client


@pytest.mark.parametrize("role", ROLES)
def test_every_address(role, world, client_of, no_pages):
    client, wrong = client_of(role), []
    for line, outcomes in MATRIX.items():
        address = address_of(world, line)
        for method, words in zip(("get", "post"), outcomes, strict=True):
            found, wanted = ask(client, method, address), expected(role, words)
            if found != wanted:
                wrong.append(f"{method.upper()} {line} ({address}): {found} instead of {wanted}")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_every_model_in_the_admin(role, world, client_of, no_pages):
    client, wrong = client_of(role), []
    for label, rights in MODELS.items():
        may = expected(role, f"{rights} anonymous,participant,bare,partners=admin")
        row = world.row[label.partition(".")[2]]
        if role == "bare" and label == "conference.webinar":
            continue  # drafts are hers: see the addresses in MATRIX
        for view, method in NEEDED:
            if view == "history" and row is None:
                continue
            arguments = [row.pk if row else 0] if VIEWS[view] else []
            address = reverse(f"admin:{label.replace('.', '_')}_{view}", args=arguments)
            found = ask(client, method, address)
            if not is_right(found, may, view, method):
                wrong.append(f"{method.upper()} {address}: {found}, though she may {may or 'nothing'}")
    assert wrong == []


# What she may at least, so that a page opens; to write on it takes more.
NEEDED = {
    ("changelist", "get"): "vc",
    ("add", "get"): "a",
    ("add", "post"): "a",
    ("change", "get"): "vc",
    ("change", "post"): "c",
    ("delete", "post"): "d",
    ("history", "get"): "vc",
}


def is_right(found, may, view, method):
    if may == "admin":
        return found == may
    if set(may) & set(NEEDED[view, method]):
        return found in ("200", "302")
    return found == "403"
