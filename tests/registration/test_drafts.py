"""An editor without a second factor writes drafts, and nothing else: on the server, for every object and address."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from conference.models import AgendaItem, Webinar
from registration import roles
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/admin/conference/webinar/"


@pytest.fixture
def bare(signed_in_client):
    user = factories.UserFactory(is_staff=True, second_factor=False)
    user.groups.add(Group.objects.get(name="Editors"))
    return signed_in_client(user)


def page(webinar):
    return reverse("admin:conference_webinar_change", args=[webinar.pk])


def typed(webinar, **changes):
    """The form as the page sends it."""
    edition = webinar.edition_id if webinar.pk else factories.EditionFactory().pk
    data = {
        "edition": edition,
        "number": webinar.number,
        "title_ind": webinar.title_ind,
        "slug": webinar.slug,
        "date": webinar.date.isoformat(),
        "join_opens_minutes": 30,
        "languages": "id",
        "reminder_minutes": "60",
    }
    for prefix in ("agenda_items", "appearances", "materials"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return data | changes


def test_she_finds_drafts_alone(bare):
    draft = factories.WebinarFactory(draft=True, title="Rancangan")
    bait = factories.WebinarFactory(title="Judul Umpan")
    html = bare.get(LIST).content.decode()
    assert draft.title in html
    assert bait.title not in html
    assert bare.get(page(draft)).status_code == 200
    assert bare.get(page(bait)).status_code == 302
    assert "/admin/registration/" not in bare.get("/admin/").content.decode()


def test_she_writes_a_draft_and_what_hangs_on_it(bare):
    draft = factories.WebinarFactory(draft=True)
    item = {
        "agenda_items-TOTAL_FORMS": 1,
        "agenda_items-0-order": 1,
        "agenda_items-0-kind": AgendaItem.Kind.choices[0][0],
        "agenda_items-0-title_ind": "Sesi baru",
    }
    response = bare.post(page(draft), typed(draft, title_ind="Judul baru", **item))
    assert response.status_code == 302, response.context["errors"]
    draft.refresh_from_db()
    assert draft.title_ind == "Judul baru"
    assert draft.agenda_items.get().title_ind == "Sesi baru"


@pytest.mark.parametrize("field", roles.NOT_IN_DRAFTS)
def test_she_publishes_nothing(bare, field):
    draft = factories.WebinarFactory(draft=True)
    before = getattr(draft, field)
    value = "published" if field == "status" else "2027-06-01 10:00"
    more = {field: value, f"{field}_0": "2027-06-01", f"{field}_1": "10:00"}
    assert bare.post(page(draft), typed(draft, **more)).status_code == 302
    assert getattr(Webinar.objects.get(), field) == before
    assert Webinar.objects.get().status == "draft"


def test_what_she_adds_is_a_draft(bare):
    new = factories.WebinarFactory.build(edition=None, starts_at=None, date=factories.at_nine(7).date(), slug="baru")
    response = bare.post(f"{LIST}add/", typed(new, title_ind="Baru", status="published"))
    assert response.status_code == 302, response.context["errors"]
    assert Webinar.objects.get().status == "draft"


def test_she_changes_nothing_that_is_published(bare):
    bait = factories.WebinarFactory(title="Judul Umpan")
    bare.post(page(bait), typed(bait, title_ind="Lain"))
    bare.post(LIST, {"action": "delete_selected", "_selected_action": [bait.pk], "post": "yes"})
    bare.post(reverse("admin:conference_webinar_delete", args=[bait.pk]), {"post": "yes"})
    assert Webinar.objects.get().title_ind == "Judul Umpan"


def test_a_draft_that_will_be_published_by_itself_is_not_hers(bare):
    waiting = factories.WebinarFactory(draft=True, publish_at=timezone.now() + timedelta(days=1))
    assert bare.get(page(waiting)).status_code == 302
    bare.post(page(waiting), typed(waiting, title_ind="Lain"))
    assert Webinar.objects.get().title_ind == waiting.title_ind


def test_no_action_is_hers(bare):
    draft = factories.WebinarFactory(draft=True)
    assert bare.get(LIST).context["action_form"] is None
    for action in ("delete_selected", "fill_seats", "tell_now", "publish", "make_public"):
        bare.post(LIST, {"action": action, "_selected_action": [draft.pk], "post": "yes"})
    assert Webinar.objects.get().status == "draft"


@pytest.mark.parametrize(
    "model", ["speaker", "organisation", "page", "edition", "agendaitem", "material", "appearance"]
)
def test_everything_else_asks_for_the_second_factor(bare, model):
    for address in (f"/admin/conference/{model}/", f"/admin/conference/{model}/add/"):
        assert bare.get(address, follow=True).redirect_chain[-1][0] == reverse("mfa_index")


def test_with_the_second_factor_she_has_all_that_is_an_editors(signed_in_client):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Editors"))
    client = signed_in_client(user)
    published = factories.WebinarFactory(title="Judul Umpan")
    assert client.get(page(published)).status_code == 200
    assert client.get("/admin/conference/speaker/").status_code == 200


@pytest.mark.parametrize("group", ["Organisers", "Mail desk", "Observers"])
def test_others_of_the_staff_enter_nothing_without_it(signed_in_client, group):
    user = factories.UserFactory(is_staff=True, second_factor=False)
    user.groups.add(Group.objects.get(name=group))
    client = signed_in_client(user)
    for address in ("/admin/", LIST):
        assert client.get(address, follow=True).redirect_chain[-1][0] == reverse("mfa_index")


def test_an_organiser_who_is_an_editor_too_has_no_more_than_drafts_without_it(signed_in_client):
    user = factories.UserFactory(is_staff=True, second_factor=False)
    user.groups.add(*Group.objects.filter(name__in=["Organisers", "Editors"]))
    client = signed_in_client(user)
    draft = factories.WebinarFactory(draft=True, zoom_url="https://zoom.example.org/j/secret")
    html = client.get(page(draft)).content.decode()
    assert "zoom.example.org" not in html
    assert client.get("/admin/registration/participant/").status_code == 302
