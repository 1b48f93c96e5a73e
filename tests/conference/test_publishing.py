"""Publishing, at once and at an hour, and what is taken off the site again."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from conference import loading, publishing
from conference.models import Edition, Page, Webinar
from kpt import settings as site
from registration import tasks
from tests import factories
from tests.conference.test_admin import form_of, no_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(now, signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def step(row, name):
    return reverse(f"admin:conference_{row._meta.model_name}_{name}", args=[row.pk])


def fresh(row):
    return type(row)._default_manager.get(pk=row.pk)


def at(moment):
    local = timezone.localtime(moment)
    return {"when": "later", "publish_at": f"{local:%Y-%m-%dT%H:%M}"}


def drafts():
    return [factories.WebinarFactory(draft=True), factories.PageFactory(is_published=False)]


def test_published_by_a_button_after_a_page_that_asks(now, organiser, client):
    for row in drafts():
        assert organiser.get(step(row, "publish")).status_code == 200
        assert not publishing.is_public(fresh(row))
        assert organiser.post(step(row, "publish"), {"when": "now"}).status_code == 302
        assert client.get(row.get_absolute_url()).status_code == 200
        assert organiser.post(step(row, "unpublish")).status_code == 302
        assert client.get(row.get_absolute_url()).status_code == 404


def test_what_is_missing_stands_before_the_button(now, organiser):
    webinar = factories.WebinarFactory(draft=True, zoom_url="", backup_stream_url="")
    html = organiser.get("/en" + step(webinar, "publish")).content.decode()
    assert "There is no Zoom address: nobody can join." in html
    assert "It is a draft" not in html


def test_at_its_hour_it_goes_public_and_not_before(now, organiser, client, time_machine):
    bait = [*drafts(), factories.WebinarFactory(cancelled=True)]
    rows = drafts()
    for row in rows:
        assert organiser.post(step(row, "publish"), at(now + timedelta(hours=2))).status_code == 302
    tasks.publish_due()
    assert [publishing.is_public(fresh(row)) for row in rows] == [False, False]
    time_machine.move_to(now + timedelta(hours=2, minutes=1))
    tasks.publish_due()
    tasks.publish_due()
    assert [client.get(row.get_absolute_url()).status_code for row in rows] == [200, 200]
    assert [fresh(row).publish_at for row in rows] == [None, None]
    assert [publishing.is_public(fresh(row)) for row in bait] == [False, False, True]
    assert fresh(bait[2]).is_cancelled


def test_every_minute_somebody_looks():
    assert "publish_due" in site.EACH_MINUTE


def test_kept_pages_are_told(transactional_db):
    webinar = factories.WebinarFactory(draft=True, publish_at=timezone.now() - timedelta(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute("LISTEN kpt_content")
    assert publishing.publish_due(now=timezone.now()) == 1
    connection.ensure_connection()
    assert list(connection.connection.notifies(timeout=2, stop_after=1))
    assert fresh(webinar).status == "published"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"when": "later"}, "Write the day and the hour."),
        ({"when": "later", "publish_at": "2020-08-26T09:00"}, "This hour has passed."),
        ({"when": "later", "publish_at": "besok"}, "Enter a valid date/time."),
    ],
)
def test_an_hour_that_will_not_do_is_answered(now, organiser, data, words):
    webinar = factories.WebinarFactory(draft=True)
    response = organiser.post("/en" + step(webinar, "publish"), data)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert (fresh(webinar).status, fresh(webinar).publish_at) == ("draft", None)


def test_the_hour_is_shown_changed_and_taken_back(now, organiser, time_machine):
    webinar = factories.WebinarFactory(draft=True)
    organiser.post(step(webinar, "publish"), at(now + timedelta(days=1)))
    assert "2 Juni 2027, 09.00 WITA" in organiser.get(step(webinar, "change")).content.decode()
    assert "2 Juni 2027, 09.00 WITA" in organiser.get(reverse("admin:conference_webinar_changelist")).content.decode()
    assert organiser.get(step(webinar, "unschedule")).status_code == 405
    organiser.post(step(webinar, "unschedule"))
    assert fresh(webinar).publish_at is None
    time_machine.move_to(now + timedelta(days=2))
    assert publishing.publish_due(now=timezone.now()) == 0


def test_what_was_unpublished_does_not_come_back_by_an_old_hour(now):
    webinar = factories.WebinarFactory(draft=True, publish_at=now + timedelta(hours=1))
    assert publishing.publish(webinar)
    assert publishing.unpublish(webinar)
    assert publishing.publish_due(now=now + timedelta(hours=2)) == 0


def test_one_that_somebody_has_in_hand_is_left_for_the_next_minute(transactional_db):
    """No rule waits for a page."""
    now = timezone.now()
    held = factories.WebinarFactory(draft=True, publish_at=now - timedelta(minutes=1))
    free = factories.WebinarFactory(draft=True, publish_at=now - timedelta(minutes=1))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM conference_webinar WHERE id = %s FOR UPDATE", [held.pk])
            assert publishing.publish_due(now=now) == 1
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert (fresh(held).status, fresh(free).status) == ("draft", "published")
    assert publishing.publish_due(now=now) == 1


def test_a_webinar_with_people_in_it_does_not_disappear(now, organiser, client):
    for row, words in [
        (factories.RegistrationFactory(), "1 person is signed up or waits"),
        (factories.RegistrationFactory(waitlisted=True), "1 person is signed up or waits"),
        (factories.InvitationFactory(), "1 guest is invited"),
    ]:
        webinar = row.webinar
        for ask in (organiser.get, organiser.post):
            response = ask("/en" + step(webinar, "unpublish"), follow=True)
            assert words in response.content.decode()
        assert client.get(webinar.get_absolute_url()).status_code == 200
    gone = factories.RegistrationFactory(cancelled=True).webinar
    organiser.post(step(gone, "unpublish"))
    assert fresh(gone).status == "draft"


def test_the_form_sets_no_status(now, organiser):
    webinar = factories.WebinarFactory()
    factories.RegistrationFactory(webinar=webinar)
    response = organiser.post(step(webinar, "change"), form_of(webinar, status="cancelled", title_ind="Judul baru"))
    assert response.status_code == 302
    assert (fresh(webinar).status, fresh(webinar).title_ind) == ("published", "Judul baru")


def test_a_second_click_is_said_to_be_one(now, organiser):
    webinar = factories.WebinarFactory(draft=True)
    organiser.post(step(webinar, "publish"), {"when": "now"})
    again = organiser.post("/en" + step(webinar, "publish"), {"when": "now"}, follow=True)
    assert "Nothing has changed" in again.content.decode()
    for name in ("reinstate", "publish"):
        organiser.post(step(webinar, name), {"when": "now"})
    assert fresh(webinar).status == "published"


def test_a_cancelled_webinar_is_not_published_again_by_its_hour(now):
    webinar = factories.WebinarFactory(cancelled=True, publish_at=now)
    assert publishing.publish_due(now=now) == 0
    assert not publishing.publish(webinar)
    assert fresh(webinar).is_cancelled


def test_a_file_that_publishes_ends_an_hour_that_was_set(now):
    loading.load("kpt2020", now=now)
    webinar = Webinar.objects.in_order().first()
    Webinar.objects.update(status="draft", publish_at=now + timedelta(hours=1))
    loading.load("kpt2020", now=now)
    assert (fresh(webinar).status, fresh(webinar).publish_at) == ("published", None)


def test_a_new_page_is_a_draft(organiser, client):
    data = {"title_ind": "Panduan", "slug": "panduan", "body_ind": "Isi", "is_published": "on"}
    assert organiser.post(reverse("admin:conference_page_add"), data).status_code == 302
    page = Page.objects.get(slug="panduan")
    assert client.get(page.get_absolute_url()).status_code == 404
    organiser.post(step(page, "publish"), {"when": "now"})
    assert client.get(page.get_absolute_url()).status_code == 200


def test_who_may_only_look_publishes_nothing(now, signed_in_client):
    webinar, page = drafts()
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Mail desk"))
    desk = signed_in_client(user)
    assert "/publish/" not in desk.get(step(webinar, "change")).content.decode()
    for row, name in [(webinar, "publish"), (webinar, "cancel"), (webinar, "unpublish"), (page, "publish")]:
        for ask in (desk.get, desk.post):
            assert ask(step(row, name), {"when": "now"}).status_code == 403
    assert not publishing.is_public(fresh(webinar))


# ---- An edition that nobody sees yet


def hidden():
    edition = factories.EditionFactory(year=2031, number=31, is_current=False, is_published=False, name="KPT rahasia")
    organisation = factories.PartnershipFactory(edition=edition).organisation
    factories.AgendaItemFactory(edition=edition, webinar=None, title="Pembukaan rahasia")
    guest = factories.AppearanceFactory(edition=edition, webinar=None, agenda_item=None)
    draft = factories.WebinarFactory(edition=edition, draft=True, title="Webinar rahasia")
    return edition, organisation, guest.speaker, draft


def test_a_hidden_edition_is_nowhere(now, client):
    factories.EditionFactory()
    edition, organisation, speaker, draft = hidden()
    for path in ("/", "/agenda/", "/agenda.json", "/agenda.xml", "/agenda.ics", "/edisi/", "/sitemap.xml", "/mitra/"):
        html = client.get(path).content.decode()
        assert "rahasia" not in html
        assert "2031" not in html
    assert client.get(edition.get_absolute_url()).status_code == 404
    assert client.get(draft.get_absolute_url()).status_code == 404
    assert client.get(speaker.get_absolute_url()).status_code == 404
    assert client.get("/gambar/edisi/2031.png").status_code == 404
    assert "rahasia" not in client.get(organisation.get_absolute_url()).content.decode()


def test_its_first_public_webinar_brings_it_along(now, client):
    edition, organisation, speaker, draft = hidden()
    assert publishing.publish(draft)
    assert client.get(edition.get_absolute_url()).status_code == 200
    assert "KPT rahasia" in client.get("/edisi/").content.decode()
    assert "KPT rahasia" in client.get(organisation.get_absolute_url()).content.decode()
    assert client.get(speaker.get_absolute_url()).status_code == 200


def test_it_is_not_hidden_while_it_is_current_or_its_webinars_are_public(now, organiser):
    edition, _organisation, _speaker, draft = hidden()
    publishing.publish(draft)
    data = {
        "number": 31,
        "year": 2031,
        "slug": edition.slug,
        "name_ind": "KPT",
        "starts_on": f"{edition.starts_on}",
        "ends_on": f"{edition.ends_on}",
    }
    data |= no_rows("partnerships", "webinars") | {"webinars-TOTAL_FORMS": 1, "webinars-INITIAL_FORMS": 1}
    data |= {"webinars-0-id": draft.pk}
    response = organiser.post(step(edition, "change"), data)
    assert list(response.context["adminform"].form.errors) == ["is_published"]
    publishing.unpublish(draft)
    assert organiser.post(step(edition, "change"), data).status_code == 302
    response = organiser.post(step(edition, "change"), data | {"is_current": "on"})
    assert list(response.context["adminform"].form.errors) == ["is_published"]


# ---- A copy


def copy(client, edition, **changes):
    data = {"name_ind": "KPT VI", "name_en": "", "starts_on": "2028-06-01"} | changes
    return client.post("/en" + step(edition, "copy"), data)


def test_an_edition_is_copied_from_its_page(now, organiser, client):
    edition = factories.EditionFactory()
    factories.WebinarFactory(edition=edition)
    assert step(edition, "copy") in organiser.get(step(edition, "change")).content.decode()
    assert "These stay behind" in organiser.get("/en" + step(edition, "copy")).content.decode()
    response = copy(organiser, edition)
    copied = Edition.objects.get(year=2028)
    assert response["Location"] == "/en" + step(copied, "change")
    assert "KPT VI" not in client.get("/edisi/").content.decode()
    assert client.get(copied.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"starts_on": "2027-12-01"}, "starts_on", "In that year there is an edition already: KPT Contoh"),
        ({"starts_on": "2020-01-01"}, "starts_on", "Choose a day after this edition"),
        ({"starts_on": "9999-12-31"}, "starts_on", "Choose a day after this edition"),
        ({"starts_on": "besok"}, "starts_on", ""),
        ({"name_ind": ""}, "name_ind", ""),
    ],
)
def test_what_will_not_do_is_answered_beside_its_field(now, organiser, changes, field, words):
    edition = factories.EditionFactory(year=2027, name_en="KPT Contoh", name="KPT Contoh")
    response = copy(organiser, edition, **changes)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert words in response.content.decode()
    assert Edition.objects.count() == 1
