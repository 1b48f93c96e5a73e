"""Who changed what, and the way back."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from conference import versions
from conference.models import (
    AgendaItem,
    Appearance,
    Edition,
    Material,
    Organisation,
    Page,
    Partnership,
    Speaker,
    Webinar,
)
from registration.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def in_group(name):
    user = factories.UserFactory(is_staff=True, name="Petugas Contoh")
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def writer():
    return in_group("Editors")


@pytest.fixture
def editor(signed_in_client, writer):
    return signed_in_client(writer)


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def page_of(row, name="history", *args):
    return reverse(f"admin:conference_{row._meta.model_name}_{name}", args=[row.pk, *args])


def test_every_kind_of_content_keeps_versions_in_both_languages():
    for model in (Edition, Webinar, AgendaItem, Speaker, Appearance, Organisation, Partnership, Material, Page):
        names = {field.name for field in model.history.model._meta.fields}
        own = {field.name for field in model._meta.concrete_fields if field.editable}
        assert own - names == (set(versions.ROOM) if model is Webinar else set()), model
    kept = Webinar.history.model._meta.get_fields()
    assert not {field.name for field in kept} & {*versions.ROOM, "revision", "preview_version"}


def test_a_change_is_kept_with_who_made_it_and_what_it_was(editor, writer):
    page = factories.PageFactory(title="Tentang", title_en="About", body="Lama")
    form = {"title_ind": "Tentang KPT", "title_en": "About", "slug": page.slug, "body_ind": "Baru", "body_en": ""}
    editor.post(page_of(page, "change"), {**form, "is_published": "on", "menu_order": ""})
    [changed, first] = versions.newest(page, 10)
    assert changed.writer == "Petugas Contoh"
    told = {(one.label, one.old, one.new) for one in changed.differences}
    assert ("Judul (Bahasa Indonesia)", "Tentang", "Tentang KPT") in told
    assert first.is_first
    assert not first.writer
    html = editor.get(page_of(page)).content.decode()
    assert "Petugas Contoh" in html
    assert "Tentang KPT" in html
    assert "situs ini sendiri" in html


def test_the_way_back_is_asked_first_and_is_a_version_of_its_own(editor, writer):
    page = factories.PageFactory(title="Judul lama", title_en="Old")
    old = versions.of(page).get()
    page.title_ind = "Judul baru"
    page.save()
    address = page_of(page, "go_back", old.pk)
    html = editor.get(address).content.decode()
    assert "Judul baru" in html
    assert "Judul lama" in html
    page.refresh_from_db()
    assert page.title_ind == "Judul baru"
    assert editor.post(address).status_code == 302
    page.refresh_from_db()
    assert page.title_ind == "Judul lama"
    newest = versions.of(page).order_by("-history_id").first()
    assert (newest.history_user_id, newest.history_change_reason) == (writer.pk, "back")
    assert editor.post(address).status_code == 409  # it is so already


def test_hosts_come_back_and_the_room_stays(signed_in_client):
    organiser = signed_in_client(in_group("Organisers"))
    one, other = factories.OrganisationFactory(), factories.OrganisationFactory()
    webinar = factories.WebinarFactory(hosts=[one], zoom_url="https://zoom.example.org/j/1", reminder_minutes=[60, 10])
    old = versions.of(webinar).order_by("-history_id").first()
    webinar.hosts.set([other])
    webinar.zoom_url, webinar.reminder_minutes = "https://zoom.example.org/j/2", [1440]
    webinar.save()
    assert organiser.post(page_of(webinar, "go_back", old.pk)).status_code == 302
    webinar.refresh_from_db()
    assert list(webinar.hosts.all()) == [one]
    assert webinar.reminder_minutes == [60, 10]
    assert webinar.zoom_url == "https://zoom.example.org/j/2"


def test_no_version_shows_what_lets_somebody_into_the_room(editor):
    webinar = factories.WebinarFactory(zoom_url="https://zoom.example.org/j/rahasia", zoom_passcode="77x77")
    webinar.zoom_passcode = "88x88"
    webinar.save()
    html = editor.get(page_of(webinar)).content.decode()
    assert "rahasia" not in html
    assert "77x77" not in html
    assert "88x88" not in html


def test_a_version_that_would_break_a_rule_is_refused_with_the_rule(signed_in_client):
    organiser = signed_in_client(in_group("Organisers"))
    webinar = factories.WebinarFactory(capacity=1)
    old = versions.of(webinar).order_by("-history_id").first()
    webinar.capacity = 3
    webinar.save()
    for _seat in range(2):
        factories.RegistrationFactory(webinar=webinar)
    answer = organiser.post(page_of(webinar, "go_back", old.pk))
    assert answer.status_code == 409
    assert "2 kursi sudah terisi" in answer.content.decode()
    webinar.refresh_from_db()
    assert webinar.capacity == 3


def test_a_slug_that_another_has_taken_since_is_refused(editor):
    page = factories.PageFactory(slug="tentang")
    old = versions.of(page).get()
    page.slug = "tentang-kami"
    page.save()
    factories.PageFactory(slug="tentang")
    assert editor.post(page_of(page, "go_back", old.pk)).status_code == 409
    page.refresh_from_db()
    assert page.slug == "tentang-kami"


def test_a_version_of_another_row_is_none_of_this_one(editor):
    page, other = factories.PageFactory(), factories.PageFactory()
    foreign = versions.of(other).get()
    assert editor.post(page_of(page, "go_back", foreign.pk)).status_code == 404


def test_an_owner_makes_earlier_versions_forgotten_and_the_audit_knows(owner, editor):
    speaker = factories.SpeakerFactory(bio="Riwayat yang ditarik kembali")
    speaker.bio_ind = ""
    speaker.save()
    address = page_of(speaker, "forget")
    assert editor.post(address).status_code == 403
    assert "1" in owner.get(address).content.decode()
    assert owner.post(address).status_code == 302
    [left] = versions.of(speaker)
    assert not left.bio_ind
    entry = AuditEntry.objects.get(action="acted")
    assert (entry.object_type, entry.details) == ("conference.speaker", "forgot earlier versions")


def test_who_is_deleted_leaves_no_biography_behind(owner):
    speaker = factories.SpeakerFactory(bio="Riwayat")
    webinar = factories.WebinarFactory(hosts=[factories.OrganisationFactory()])
    speaker.delete()
    webinar.delete()
    assert not Speaker.history.model.objects.exists()
    assert not Webinar.history.model.objects.exists()
    assert not versions.HistoricalRecords.m2m_models[Webinar.hosts.field].objects.exists()


@pytest.mark.parametrize("number", [1, 12])
def test_the_page_of_versions_costs_the_same_for_one_change_and_for_many(number, editor, django_assert_max_num_queries):
    webinar = factories.WebinarFactory(hosts=[factories.OrganisationFactory()])
    for place in range(number):
        webinar.capacity = 10 + place
        webinar.save()
    editor.get(page_of(webinar))
    with django_assert_max_num_queries(16):
        assert editor.get(page_of(webinar)).status_code == 200


def test_a_row_without_any_version_gets_one_before_it_is_changed(editor):
    page = factories.PageFactory(title="Sebelum")
    page.history.all().delete()
    form = {"title_ind": "Sesudah", "title_en": "", "slug": page.slug, "body_ind": "", "body_en": "", "menu_order": ""}
    editor.post(page_of(page, "change"), form)
    [changed, first] = versions.newest(page, 10)
    assert ("Sebelum", "Sesudah") in {(one.old, one.new) for one in changed.differences}
    assert first.record.history_change_reason == "before"
