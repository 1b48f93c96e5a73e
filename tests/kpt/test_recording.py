"""Every page of the admin that shows or changes something about people leaves an entry in the audit."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import URLPattern, reverse
from django.utils import timezone

from conference.models import Webinar
from kpt.recording import OF_NOBODY, holds_people
from registration import models as registration
from registration.models import AuditEntry, Participant, Registration
from tests import factories
from tests.kpt.test_admin_site import REGISTERED, one_of_each  # noqa: F401 -- a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_of_each")]

DEEDS = {"added", "changed", "deleted", "acted", "downloaded", "invited", "took_role", "ended_role", "ended_sessions"}
# Pages of the site as a whole, which show no person's row. A new one is decided about here.
OF_THE_SITE = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
    "search",
}
# What addresses need beside the key of a row.
WORDS = {"kind": "code", "format": "csv"}


def patterns(found):
    for pattern in found:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from patterns(pattern.url_patterns)


def model_of(name):
    found = [
        model for model in REGISTERED if (name or "").startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
    ]
    return max(found, key=lambda model: len(model._meta.model_name), default=None)


NAMED = {pattern.name: pattern for pattern in patterns(admin.site.urls[0]) if pattern.name}
ABOUT_PEOPLE = sorted(name for name in NAMED if (model := model_of(name)) and holds_people(model))


def address(name):
    model = model_of(name)
    arguments = re.findall(r"<(?:\w+:)?(\w+)>", str(NAMED[name].pattern))
    key = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    keys = WORDS | {"webinar": Webinar.objects.values_list("pk", flat=True).first()}
    return reverse(f"admin:{name}", kwargs={argument: keys.get(argument, key) for argument in arguments})


@pytest.fixture(autouse=True)
def an_invitation_to_a_role(one_of_each):  # noqa: F811
    if not registration.RoleInvitation.objects.exists():
        registration.RoleInvitation.objects.create(
            email="baru@example.org", role="editor", ends_at=timezone.now() + timedelta(days=1)
        )


@pytest.fixture
def organiser():
    return factories.UserFactory(organiser=True)


@pytest.fixture
def desk(signed_in_client, organiser):
    return signed_in_client(organiser)


def entries(organiser):
    return list(AuditEntry.objects.filter(actor=organiser).order_by("pk"))


def consume(response):
    """A file is open until it is read."""
    return response.getvalue() if response.streaming else b""


def hidden_fields(response):
    """What a page that asks first sends back."""
    tags = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", response.content.decode())
    pairs = [(re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in tags]
    found = {}
    for name, value in pairs:
        if name:
            found.setdefault(unescape(name[1]), []).append(unescape(value[1]) if value else "")
    return found


def test_pages_of_no_model_are_known():
    assert {name for name in NAMED if model_of(name) is None} == OF_THE_SITE


def test_each_model_is_of_people_or_said_to_be_of_nobody():
    labels = {model._meta.label_lower for model in REGISTERED}
    assert labels >= OF_NOBODY
    assert {Participant, Registration, registration.SensitiveAnswers} <= {m for m in REGISTERED if holds_people(m)}


@pytest.mark.parametrize("name", ABOUT_PEOPLE)
def test_each_page_leaves_an_entry(name, desk, organiser):
    url = address(name)
    response = desk.get(url)
    if response.status_code == 405:
        consume(desk.post(url))
        assert {entry.action for entry in entries(organiser)} & (DEEDS | {"refused"})
    elif response.status_code == 200 and not name.endswith("_add"):
        [entry] = entries(organiser)
        assert entry.network == "127.0.0.1"
        is_file = "Content-Disposition" in response.headers
        assert entry.action in ({"downloaded"} if is_file else {"looked_at", "listed", "sensitive"})
    elif response.status_code == 302:  # the way to another page, which is walked too
        assert response.headers["Location"].startswith("/admin/")
    else:
        assert name.endswith(("_add", "_delete"))
        assert response.status_code in (200, 403)


@pytest.mark.parametrize("name", [name for name in ABOUT_PEOPLE if not name.endswith(("_add", "_changelist"))])
def test_each_deed_on_a_row_leaves_an_entry(name, desk, organiser):
    url = address(name)
    asked = desk.get(url)
    if asked.status_code != 200:
        return
    before = len(entries(organiser))
    done = desk.post(url, hidden_fields(asked) | {"post": "yes"})
    consume(done)
    if done.status_code not in (200, 405):
        assert {entry.action for entry in entries(organiser)[before:]} & (DEEDS | {"refused"})


ACTIONS = sorted(
    {
        (model._meta.label, name)
        for model, model_admin in admin.site._registry.items()
        for name in [*(model_admin.actions or []), "delete_selected"]
        if isinstance(name, str)
    }
)


@pytest.mark.parametrize(("label", "name"), ACTIONS)
def test_each_action_on_rows_leaves_an_entry(label, name, desk, organiser, rf):
    model = next(model for model in REGISTERED if model._meta.label == label)
    request = rf.get("/")
    request.user = organiser
    if name not in admin.site._registry[model].get_actions(request):
        return
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    key = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    sent = {"action": name, ACTION_CHECKBOX_NAME: [key], "index": "0"}
    response = desk.post(url, sent)
    if response.status_code == 200:
        assert not {entry.action for entry in entries(organiser)} & DEEDS, "a page that asks is no deed"
        again = {"post": "yes", "action": name, ACTION_CHECKBOX_NAME: [key]}
        response = desk.post(url, hidden_fields(response) | again)
    consume(response)
    if response.status_code == 200:  # what others hang on is not deleted
        assert (name, b'name="post"' in response.content) == ("delete_selected", False)
    elif response.status_code == 403:  # this row stays
        assert "refused" in {entry.action for entry in entries(organiser)}
    elif response.headers["Location"].partition("?")[0] == url:
        assert {entry.action for entry in entries(organiser)} & DEEDS
