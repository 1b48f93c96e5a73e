from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from conference import models as conference
from registration import models as registration
from tests import factories

pytestmark = pytest.mark.django_db

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
LANGUAGES = ["", "/en"]


def in_group(name, **facts):
    user = factories.UserFactory(is_staff=True, **facts)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


@pytest.fixture
def organiser(signed_in_client):
    return signed_in_client(in_group("Organisers"))


@pytest.fixture
def editor(signed_in_client):
    return signed_in_client(in_group("Editors"))


@pytest.fixture
def one_of_each():
    """A row of every model that the admin shows."""
    seat = factories.RegistrationFactory()
    factories.AppearanceFactory(webinar=seat.webinar)
    factories.AgendaItemFactory(webinar=seat.webinar)
    factories.MaterialFactory(webinar=seat.webinar)
    partnership = factories.PartnershipFactory(edition=seat.webinar.edition)
    factories.PageFactory()
    factories.InvitationFactory(webinar=seat.webinar)
    conference.ProgrammeChange.objects.create(
        edition=seat.webinar.edition, kind="guest_added", at=seat.created_at, facts={"speaker": "Narasumber Contoh"}
    )
    factories.PartnerMemberFactory(organisation=partnership.organisation)
    factories.ConsentFactory(participant=seat.participant)
    factories.OutgoingMailFactory(participant=seat.participant, registration=seat, sent=True, html="<p>Halo</p>")
    registration.Attendance.objects.create(registration=seat, source="link", joined_at=seat.created_at)
    registration.Certificate.objects.create(registration=seat, code="KPT-1", name="Nama")
    registration.Feedback.objects.create(registration=seat, rating=4)
    registration.SensitiveAnswers.objects.create(participant=seat.participant, delete_on=seat.webinar.date)
    registration.Breach.objects.create(scope="webinar", webinar=seat.webinar, known_at=seat.created_at)
    registration.RetentionRun.objects.create(
        kind="person", planned=1, planned_at=seat.created_at, due_at=seat.created_at, up_to=seat.webinar.date
    )
    registration.Announcement.objects.create(edition=seat.webinar.edition, subject="Judul", body="Isi")
    registration.Download.objects.create(
        user=factories.UserFactory(),
        organisation=partnership.organisation,
        webinar=seat.webinar,
        format="csv",
        rows=1,
        columns="name",
    )
    registration.PreparedFile.objects.create(
        requested_by=factories.UserFactory(),
        organisation=partnership.organisation,
        webinar=seat.webinar,
        columns="name",
        format="csv",
    )
    registration.MailText.objects.create(kind="code", language="id", version=1, subject="Kode", body="{code}")
    registration.Event.objects.create(participant=seat.participant, registration=seat, kind="confirmed")
    registration.ConsentText.objects.create(purpose="processing", language="id", version="1", text="Setuju")
    registration.Handover.objects.create(participant=seat.participant, email="baru@example.org")
    registration.AuditEntry.objects.create(action="looked_at", object_type="registration.participant")
    registration.Withdrawal.objects.create(
        organisation=partnership.organisation, webinar=seat.webinar, registration_code="K", withdrawn_at=seat.created_at
    )
    bounced = {"email": seat.participant.email, "words": "550 5.1.1 No such person"}
    registration.BouncedAddress.objects.create(**bounced)
    registration.BounceReport.objects.create(key="mail:1", source="mail", is_final=True, **bounced)
    registration.RoleInvitation.objects.create(email="ajak@example.org", role="editor", ends_at=seat.created_at)
    token = {"key": "a1b2c3d4e5", "digest": "0" * 64, "ends_at": seat.created_at + timedelta(days=9)}
    registration.ApiToken.objects.create(name="Sistem lain", scope="all", **token)
    endpoint = registration.WebhookEndpoint.objects.create(
        name="Sistem lain", url="https://hooks.example.org/", events=["registration.confirmed"], is_active=False
    )
    endpoint.deliveries.create(event="registration.confirmed", registration_code=seat.code)
    registration.KeptCount.objects.create(
        edition=seat.webinar.edition,
        webinar=seat.webinar,
        gender="female",
        age_group="25_34",
        province="73",
        language="id",
        difficulty="no",
        registered=3,
    )
    numbers = {"signed_up": 1, "registered": 1, "waiting": 0, "cancelled": 0, "attended": 1}
    registration.Figure.objects.create(edition=seat.webinar.edition, dimension="all", **numbers)


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_that_holds_something_to_read_is_registered():
    models = {m for m in vars(conference).values() if isinstance(m, type) and m.__module__ == conference.__name__}
    shown = {m for m in models if hasattr(m, "_meta")} | {getattr(registration, name) for name in registration.__all__}
    # The last two are shown on the webinar's page.
    kept_by_rules = {
        registration.SeatCount,
        conference.ProgrammeState,
        registration.Counting,
        registration.KeptDay,
        registration.Heartbeat,
        registration.PreparedBlock,
        registration.Reminder,
        registration.Role,
        registration.Session,
        registration.WebinarNotice,
    }
    versions = {model for model in shown if hasattr(model, "instance_type")}  # read on the page of their row
    assert shown - kept_by_rules - versions <= set(REGISTERED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_pages_of_every_model(model, language, owner, one_of_each):
    changelist = owner.get(language + address(model, "changelist"), {"q": "50% \"o'clock\\"})
    assert changelist.status_code == 200
    assert owner.get(language + address(model, "changelist")).status_code == 200
    row = model._default_manager.first()
    assert owner.get(language + address(model, "change", row.pk)).status_code == 200
    assert owner.get(language + address(model, "history", row.pk)).status_code == 200
    may_add = admin.site._registry[model].has_add_permission(changelist.wsgi_request)
    assert owner.get(language + address(model, "add")).status_code == (200 if may_add else 403)


@pytest.mark.parametrize("language", LANGUAGES)
def test_start_page_and_menu(language, owner, one_of_each):
    html = owner.get(f"{language}/admin/").content.decode()
    for model in ("webinar", "registration", "outgoingmail", "organisation", "user"):
        assert (
            f"{language}/admin/{'conference' if model in ('webinar', 'organisation') else 'registration'}/{model}/"
            in html
        )
    assert '<html lang="en' in html if language else '<html lang="id' in html


def test_policy_is_looser_here_than_on_the_site(owner):
    assert "'unsafe-eval'" in owner.get("/admin/").headers["Content-Security-Policy"]
    assert "'unsafe-eval'" not in owner.get("/robots.txt").headers["Content-Security-Policy"]


def test_nobody_changes_a_password_here(owner):
    assert owner.get("/admin/password_change/").status_code == 404


# ---- Who may enter


def test_visitor_is_sent_to_sign_in_by_code(client):
    response = client.get("/admin/conference/webinar/", follow=True)
    sign_in, _status = response.redirect_chain[-1]
    assert sign_in == "/akun/masuk/?next=%2Fadmin%2Fconference%2Fwebinar%2F"


def test_ordinary_account_is_refused(signed_in_client):
    response = signed_in_client(factories.UserFactory()).get("/admin/", follow=True)
    assert response.status_code == 403


def test_staff_without_second_factor_sets_one_up_first(signed_in_client):
    user = factories.UserFactory(organiser=True, second_factor=False)
    response = signed_in_client(user).get("/admin/conference/webinar/", follow=True)
    assert [url for url, _status in response.redirect_chain][-1] == reverse("mfa_index")


def test_demo_asks_for_no_second_factor(signed_in_client, settings):
    settings.DEMO = True
    user = factories.UserFactory(organiser=True, second_factor=False)
    assert signed_in_client(user).get("/admin/").status_code == 200


SEEN_BY_EDITORS = {
    conference.Edition,
    conference.Webinar,
    conference.AgendaItem,
    conference.Speaker,
    conference.Appearance,
    conference.Organisation,
    conference.Partnership,
    conference.Material,
    conference.Page,
    conference.ProgrammeChange,
}


def seen_by(client):
    return {model for model in REGISTERED if client.get(address(model, "changelist")).status_code == 200}


def test_editors_see_the_programme_alone(editor, one_of_each):
    assert seen_by(editor) == SEEN_BY_EDITORS
    assert b"/admin/registration/" not in editor.get("/admin/").content
    assert b"/admin/registration/" not in editor.get("/admin/conference/webinar/").content
    assert editor.get(address(conference.Edition, "add")).status_code == 403


def test_the_key_to_the_room_is_for_organisers_not_for_editors(organiser, editor):
    webinar = factories.WebinarFactory(zoom_url="https://zoom.example.org/j/secret")
    page = reverse("admin:conference_webinar_change", args=[webinar.pk])
    assert b"https://zoom.example.org/j/secret" in organiser.get(page).content
    assert b"zoom" not in editor.get(page).content.lower()


def test_organisers_see_all_but_secrets_and_rights(organiser, one_of_each):
    hidden = {model._meta.label for model in set(REGISTERED) - seen_by(organiser)}
    kept = {"registration.Figure", "registration.KeptCount"}
    assert hidden == {"auth.Group", "mfa.Authenticator", "registration.SensitiveAnswers"} | kept


def test_menu_leads_to_pages_that_exist(owner):
    for group in admin.site.get_sidebar_list(owner.get("/admin/").wsgi_request):
        for item in group["items"]:
            assert owner.get(str(item["link"])).status_code == 200


@pytest.mark.parametrize("model", ["emailaddress", "session"])
def test_machinery_is_not_shown(model):
    for app in ("account", "sessions"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{app}_{model}_changelist")


# ---- The cost of a list

FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and factory is not factories.Factory and issubclass(factory, factories.Factory)
}


def queries_of(client, url):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", sorted(FACTORIES, key=lambda model: model._meta.label), ids=lambda m: m._meta.label)
def test_a_list_costs_the_same_for_three_rows(model, owner):
    new = {"earlier": True} if model is conference.Edition else {}
    url = address(model, "changelist")
    FACTORIES[model](**new)
    owner.get(url)  # fills what is kept between requests
    one = queries_of(owner, url)
    FACTORIES[model].create_batch(2, **new)
    assert queries_of(owner, url) == one


def test_a_webinar_costs_the_same_with_three_of_everything(owner):
    webinar = factories.WebinarFactory()
    url = address(conference.Webinar, "change", webinar.pk)
    parts = (factories.AgendaItemFactory, factories.AppearanceFactory, factories.MaterialFactory)
    for part in parts:
        part(webinar=webinar)
    owner.get(url)
    one = queries_of(owner, url)
    for part in parts:
        part.create_batch(2, webinar=webinar)
    # Each row's autocomplete looks up the name it shows.
    assert queries_of(owner, url) <= one + 2


def test_a_participant_costs_the_same_with_three_of_everything(owner):
    participant = factories.ParticipantFactory()
    url = address(registration.Participant, "change", participant.pk)
    factories.RegistrationFactory(participant=participant)
    factories.OutgoingMailFactory(participant=participant)
    factories.ConsentFactory(participant=participant, partner=factories.OrganisationFactory())
    owner.get(url)
    one = queries_of(owner, url)
    factories.RegistrationFactory.create_batch(2, participant=participant)
    factories.OutgoingMailFactory.create_batch(2, participant=participant)
    for _n in range(2):
        factories.ConsentFactory(participant=participant, partner=factories.OrganisationFactory())
    assert queries_of(owner, url) == one


@pytest.mark.parametrize("page", ["board", "changelist"])
def test_of_the_board_and_the_log_of_mail_one_is_marked(page, owner):
    address = reverse(f"admin:registration_outgoingmail_{page}")
    items = [one for group in owner.get(address).context["sidebar_navigation"] for one in group["items"]]
    assert [str(one["link"]) for one in items if one["active"]] == [address]
