import re
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from conference import models, photos
from conference.validators import IMAGE_BYTES
from tests import factories

pytestmark = pytest.mark.django_db

INLINES = ["agenda_items", "appearances", "materials"]


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def no_rows(*prefixes):
    return {f"{prefix}-{key}": 0 for prefix in prefixes for key in ("TOTAL_FORMS", "INITIAL_FORMS")}


def local(moment, name):
    at = timezone.localtime(moment)
    return {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}


def form_of(webinar, **changes):
    data = {
        "edition": webinar.edition_id,
        "number": webinar.number,
        "title_ind": webinar.title_ind,
        "title_en": webinar.title_en or "",
        "slug": webinar.slug,
        "date": f"{webinar.date:%Y-%m-%d}",
        "join_opens_minutes": webinar.join_opens_minutes,
        "capacity": webinar.capacity or "",
        "languages": "id",
    }
    data |= local(webinar.starts_at, "starts_at") | local(webinar.ends_at, "ends_at") | no_rows(*INLINES)
    return data | changes


def change_page(row):
    return reverse(f"admin:conference_{row._meta.model_name}_change", args=[row.pk])


def change(client, row, data):
    return client.post(change_page(row), data)


def errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


# ---- Webinars


def test_a_webinar_is_changed_in_both_languages(owner):
    webinar = factories.WebinarFactory()
    response = change(owner, webinar, form_of(webinar, title_ind="Judul baru", title_en="New title", capacity=40))
    assert response.status_code == 302
    webinar.refresh_from_db()
    assert (webinar.title_ind, webinar.title_en, webinar.capacity) == ("Judul baru", "New title", 40)


def test_both_languages_stand_beside_each_other_by_name(owner):
    html = owner.get(reverse("admin:conference_webinar_add"), headers={"accept-language": "en"}).content.decode()
    assert 'name="title_ind"' in html
    assert 'name="title_en"' in html
    english = owner.get("/en/admin/conference/webinar/add/").content.decode()
    assert "Title (Indonesian)" in english
    assert "Title (English)" in english


def test_an_end_before_the_start_is_answered_beside_the_field(owner):
    webinar = factories.WebinarFactory()
    data = form_of(webinar) | local(webinar.starts_at, "ends_at")
    assert list(errors(change(owner, webinar, data))) == ["ends_at"]


def test_an_end_alone_asks_for_the_start(owner):
    webinar = factories.WebinarFactory()
    data = form_of(webinar, starts_at_0="", starts_at_1="")
    assert list(errors(change(owner, webinar, data))) == ["starts_at"]


def test_a_start_on_another_day_is_answered(owner):
    webinar = factories.WebinarFactory()
    assert list(errors(change(owner, webinar, form_of(webinar, date="2020-08-26")))) == ["starts_at"]


def test_agenda_items_take_the_webinars_edition_and_day(owner):
    webinar = factories.WebinarFactory()
    item = {"title_ind": "Pembukaan", "kind": "opening", "order": 1}
    data = form_of(webinar) | {f"agenda_items-0-{key}": value for key, value in item.items()}
    change(owner, webinar, data | {"agenda_items-TOTAL_FORMS": 1})
    item = webinar.agenda_items.get()
    assert (item.title_ind, item.edition, item.date) == ("Pembukaan", webinar.edition, webinar.date)


def test_agenda_items_move_with_the_webinars_day(owner):
    item = factories.AgendaItemFactory()
    webinar = item.webinar
    data = form_of(webinar, starts_at_0="", starts_at_1="", ends_at_0="", ends_at_1="", date="2031-08-26")
    data |= {"agenda_items-TOTAL_FORMS": 1, "agenda_items-INITIAL_FORMS": 1, "agenda_items-0-id": item.pk}
    data |= {"agenda_items-0-title_ind": item.title_ind, "agenda_items-0-kind": item.kind, "agenda_items-0-order": 1}
    assert change(owner, webinar, data).status_code == 302
    item.refresh_from_db()
    assert f"{item.date}" == "2031-08-26"


def appearances(*speakers):
    rows = {"appearances-TOTAL_FORMS": len(speakers)}
    for n, speaker in enumerate(speakers):
        facts = {"speaker": speaker.pk, "role": "speaker", "order": n}
        rows |= {f"appearances-{n}-{key}": value for key, value in facts.items()}
    return rows


def test_speakers_are_added_to_a_webinar(owner):
    webinar, speakers = factories.WebinarFactory(), factories.SpeakerFactory.create_batch(2)
    change(owner, webinar, form_of(webinar) | appearances(*speakers))
    assert {a.speaker for a in webinar.appearances.filter(edition=webinar.edition)} == set(speakers)


def test_a_speaker_twice_in_one_role_is_answered(owner):
    webinar, speaker = factories.WebinarFactory(), factories.SpeakerFactory()
    response = change(owner, webinar, form_of(webinar) | appearances(speaker, speaker))
    assert response.status_code == 200
    assert not webinar.appearances.exists()


@pytest.mark.parametrize(("file", "url"), [("", ""), ("isi", "https://example.org/a.pdf")])
def test_a_material_is_a_file_or_an_address(owner, file, url):
    webinar = factories.WebinarFactory()
    data = {"webinar": webinar.pk, "kind": "slides", "order": 0, "url": url}
    if file:
        data["file"] = SimpleUploadedFile("a.pdf", b"%PDF-1.4")
    assert "url" in errors(owner.post(reverse("admin:conference_material_add"), data))


@pytest.mark.parametrize(("trait", "is_linked"), [("draft", False), ("cancelled", True)])
def test_only_what_visitors_may_see_is_linked(owner, trait, is_linked):
    webinar = factories.WebinarFactory(**{trait: True})
    html = owner.get(reverse("admin:conference_webinar_change", args=[webinar.pk])).content.decode()
    assert (f"/r/{contenttype(webinar)}/{webinar.pk}/" in html) is is_linked


def contenttype(row):
    return ContentType.objects.get_for_model(row).pk


# ---- Editions


def test_a_second_current_edition_is_answered_with_the_first(owner):
    current = factories.EditionFactory()
    data = {
        "number": 1,
        "year": 2011,
        "slug": "kpt2011",
        "name_ind": "KPT 2011",
        "starts_on": "2011-08-01",
        "ends_on": "2011-08-02",
        "is_current": "on",
    } | no_rows("partnerships", "webinars")
    response = owner.post("/en" + reverse("admin:conference_edition_add"), data)
    assert f"{current.name_en} is the current edition. Untick it there first." in response.content.decode()
    del data["is_current"]
    assert owner.post(reverse("admin:conference_edition_add"), data).status_code == 302
    assert models.Edition.objects.get(year=2011).name_ind == "KPT 2011"


# ---- Images


def image(name="logo.png", kind="PNG", size=(20, 20), mode="RGB"):
    buffer = BytesIO()
    Image.new(mode, size, "#8E2B1F" if mode == "RGB" else 0).save(buffer, kind)
    return SimpleUploadedFile(name, buffer.getvalue())


def upload(client, logo):
    data = {"name_ind": "Lembaga", "acronym": "LB", "slug": "lembaga", "kind": "other", "logo": logo}
    data["logo_alt_ind"] = "Lambang"
    return client.post("/en" + reverse("admin:conference_organisation_add"), data | no_rows("partnerships"))


def test_an_image_is_kept(owner):
    assert upload(owner, image()).status_code == 302
    assert models.Organisation.objects.get().logo.size


def copies():
    return {folder.name for folder in (Path(settings.MEDIA_ROOT) / photos.FOLDER).iterdir()}


def test_copies_of_an_image_go_with_it(owner, django_capture_on_commit_callbacks):
    """Replaced, taken back, deleted alone and deleted from the list; another's stay."""
    stays = photos.folder_name(factories.SpeakerFactory(photo=image()).photo)
    data = {"name_ind": "Lembaga", "acronym": "LB", "slug": "lembaga", "kind": "other", "logo_alt_ind": "Lambang"}
    data |= no_rows("partnerships")

    def kept_after(post):
        with django_capture_on_commit_callbacks(execute=True):
            assert post().status_code == 302
        logos = [photos.folder_name(row.logo) for row in models.Organisation.objects.exclude(logo="")]
        assert copies() == {stays, *logos}
        return logos

    first = kept_after(lambda: upload(owner, image()))
    organisation = models.Organisation.objects.get(slug="lembaga")
    second = kept_after(lambda: change(owner, organisation, data | {"logo": image(size=(40, 40))}))
    assert (len(first), len(second), first == second) == (1, 1, False)
    assert kept_after(lambda: change(owner, organisation, data | {"logo-clear": "on"})) == []
    kept_after(lambda: change(owner, organisation, data | {"logo": image()}))
    delete = reverse("admin:conference_organisation_delete", args=[organisation.pk])
    assert kept_after(lambda: owner.post(delete, {"post": "yes"})) == []
    kept_after(lambda: upload(owner, image()))
    action = {
        "action": "delete_selected",
        "_selected_action": models.Organisation.objects.get(slug="lembaga").pk,
        "post": "yes",
    }
    assert kept_after(lambda: owner.post(reverse("admin:conference_organisation_changelist"), action)) == []


def originals(folder):
    return {file.name for file in (Path(settings.MEDIA_ROOT) / folder).glob("*")}


def test_the_original_of_a_portrait_goes_when_it_is_replaced_or_its_speaker_deleted(
    owner, django_capture_on_commit_callbacks
):
    before = originals("speakers")
    speaker, stays = factories.SpeakerFactory(photo=image()), factories.SpeakerFactory(photo=image())
    data = {"name": speaker.name, "slug": speaker.slug, "photo_alt_ind": "Potret"} | no_rows("appearances")
    first = Path(speaker.photo.path)
    with django_capture_on_commit_callbacks(execute=False):  # as when it is taken back
        assert change(owner, speaker, data | {"photo": image(size=(40, 40))}).status_code == 302
    assert first.exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert change(owner, speaker, data | {"photo": image(size=(50, 50))}).status_code == 302
    speaker.refresh_from_db()
    models.Speaker.objects.filter(pk=stays.pk).update(photo=speaker.photo.name)  # another row of the same file
    with django_capture_on_commit_callbacks(execute=True):
        assert change(owner, speaker, data | {"photo-clear": "on"}).status_code == 302
    shared = Path(models.Speaker.objects.get(pk=stays.pk).photo.path)
    assert shared.exists()
    delete = reverse("admin:conference_speaker_delete", args=[stays.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(delete, {"post": "yes"}).status_code == 302
    assert not shared.exists()
    assert first.name in originals("speakers") - before


def test_a_save_that_fails_takes_no_copies_away(owner, django_capture_on_commit_callbacks):
    organisation = factories.OrganisationFactory(logo=image())
    data = {"name_ind": "", "slug": "", "kind": "other", "logo-clear": "on"} | no_rows("partnerships")
    with django_capture_on_commit_callbacks(execute=True):
        assert errors(change(owner, organisation, data))["name_ind"]
    assert photos.folder_name(organisation.logo) in copies()


def test_forty_megabytes_are_answered_with_the_limit(owner):
    small = image()
    large = SimpleUploadedFile("logo.png", small.read() + bytes(40 * 1024 * 1024))
    assert large.size > IMAGE_BYTES
    said = upload(owner, large).content.decode()
    assert "The image has 40.0\xa0MB, the most is 5.0\xa0MB. Save it smaller and choose it again." in said


@pytest.mark.parametrize(
    "logo",
    [
        SimpleUploadedFile("logo.png", b"<script>alert(1)</script>"),
        SimpleUploadedFile("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        SimpleUploadedFile("logo.png", b""),
        image(kind="GIF"),
        image(size=(9000, 1)),
    ],
    ids=["no image", "svg", "empty", "gif named png", "too wide"],
)
def test_what_is_no_web_image_is_answered(owner, logo):
    assert errors(upload(owner, logo))["logo"]
    assert not models.Organisation.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"no image at all", "WebP"),
    ],
)
def test_what_people_send_for_an_image_is_named(content, words, owner):
    assert words in str(errors(upload(owner, SimpleUploadedFile("logo.jpg", content)))["logo"])


def test_an_image_of_too_many_dots_is_not_called_damaged(owner):
    assert "8000" in str(errors(upload(owner, image(size=(20_000, 20_000), mode="1")))["logo"])


def test_a_lost_file_does_not_break_its_form(owner):
    organisation = factories.OrganisationFactory(logo="logos/lost.png")
    data = {"name_ind": "Lembaga", "acronym": "LB", "slug": "lembaga", "kind": "other"} | no_rows("partnerships")
    assert change(owner, organisation, data).status_code == 302


def test_a_draft_is_previewed_by_those_who_write_it_and_by_nobody_else(owner, client, signed_in_client):
    webinar = factories.WebinarFactory(draft=True, title="Judul yang belum terbit")
    page = factories.PageFactory(is_published=False, title="Halaman yang belum terbit")
    for row, name in ((webinar, "webinar"), (page, "page")):
        html = owner.get(change_page(row)).content.decode()
        [link] = re.findall(rf"/admin/conference/{name}/{row.pk}/preview(?!_)/?", html)
        assert row.title in owner.get(link).content.decode()
        assert client.get(link).status_code == 302
        assert signed_in_client(factories.UserFactory()).get(link).status_code == 302
        assert client.get(row.get_absolute_url()).status_code == 404
