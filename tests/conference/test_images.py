"""The part of a portrait or logo that is shown, and what it shows in words."""

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from conference import crosscheck, photos
from conference.models import Organisation, Speaker, validate_crop
from tests import factories
from tests.conference.test_admin import no_rows

pytestmark = pytest.mark.django_db

RED, BLUE = (142, 43, 31), (30, 47, 87)
RIGHT = [500, 0, 500, 1000]


@pytest.fixture
def organiser(signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def halves(name="a.png", size=(200, 100), rotated=False):
    """Red on the left, blue on the right, as it is seen."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    exif = Image.Exif()
    if rotated:  # as a phone keeps it that was held upright
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = 6
    buffer = BytesIO()
    image.save(buffer, "PNG", exif=exif)
    return SimpleUploadedFile(name, buffer.getvalue())


def copy_of(image, side=320):
    address = photos.variants(image).address(side)
    path = image.storage.path(address.removeprefix(image.storage.base_url))
    with Image.open(path) as opened:
        return opened.convert("RGB")


def near(pixel, colour):
    return all(abs(one - other) < 25 for one, other in zip(pixel, colour, strict=True))


def test_a_portrait_shows_the_part_that_was_chosen():
    speaker = factories.SpeakerFactory(photo=halves(), photo_crop=RIGHT)
    copy = copy_of(speaker.photo)
    assert copy.size == (320, 320)
    assert near(copy.getpixel((5, 160)), BLUE)
    assert near(copy.getpixel((315, 160)), BLUE)


def test_without_a_choice_it_shows_the_middle():
    copy = copy_of(factories.SpeakerFactory(photo=halves()).photo)
    assert near(copy.getpixel((5, 160)), RED)
    assert near(copy.getpixel((315, 160)), BLUE)


def test_the_choice_is_of_the_image_as_it_is_seen():
    copy = copy_of(factories.SpeakerFactory(photo=halves(rotated=True), photo_crop=RIGHT).photo)
    assert near(copy.getpixel((5, 160)), BLUE)


def test_a_logo_keeps_the_shape_of_its_part():
    organisation = factories.OrganisationFactory(logo=halves(size=(400, 100)), logo_crop=RIGHT)
    copy = copy_of(organisation.logo)
    assert copy.size[0] == 2 * copy.size[1]
    assert near(copy.getpixel((2, 2)), BLUE)


def test_another_choice_has_another_address_and_the_old_copies_go(organiser, django_capture_on_commit_callbacks):
    speaker = factories.SpeakerFactory(photo=halves(), photo_alt="Maria")
    before = photos.folder_name(speaker.photo)
    data = {"name": speaker.name, "slug": speaker.slug, "photo_alt_ind": "Maria", "photo_crop": "500,0,500,1000"}
    with django_capture_on_commit_callbacks(execute=True):
        assert organiser.post(page(speaker), data | no_rows("appearances")).status_code == 302
    speaker.refresh_from_db()
    assert speaker.photo_crop == RIGHT
    assert photos.folder_name(speaker.photo) != before
    folders = {folder.name for folder in photos.Path(photos.settings.MEDIA_ROOT, photos.FOLDER).iterdir()}
    assert before not in folders
    assert photos.folder_name(speaker.photo) in folders


def page(row):
    return reverse(f"admin:conference_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize("crop", [[0, 0, 1000], [0, 0, 50, 1000], [600, 0, 500, 500], [0, 600, 500, 500]])
def test_a_part_outside_the_image_is_refused(organiser, crop):
    with pytest.raises(ValidationError):
        validate_crop(crop)
    speaker = factories.SpeakerFactory(photo=halves(), photo_alt="Maria")
    data = {"name": "Maria", "slug": speaker.slug, "photo_alt_ind": "Maria", "photo_crop": ",".join(map(str, crop))}
    response = organiser.post(page(speaker), data | no_rows("appearances"))
    assert list(response.context["adminform"].form.errors) == ["photo_crop"]
    tree = {"speakers": [{"photo_crop": crop}, {"photo_crop": RIGHT}, {}]}
    assert [path for path, _reason in crosscheck.crops(tree)] == [("speakers", 0, "photo_crop")]


def test_words_that_are_no_numbers_are_refused(organiser):
    speaker = factories.SpeakerFactory(photo=halves(), photo_alt="Maria")
    data = {"name": "Maria", "slug": speaker.slug, "photo_alt_ind": "Maria", "photo_crop": "<b>,1,2,3"}
    response = organiser.post(page(speaker), data | no_rows("appearances"))
    assert list(response.context["adminform"].form.errors) == ["photo_crop"]
    assert "<b>,1" not in response.content.decode()


def test_a_new_image_takes_not_the_part_of_the_old_one(organiser):
    """As without JavaScript, where the choice stands in the form as it was."""
    speaker = factories.SpeakerFactory(photo=halves(), photo_crop=RIGHT, photo_alt="Maria")
    data = {"name": "Maria", "slug": speaker.slug, "photo_alt_ind": "Maria", "photo_crop": "500,0,500,1000"}
    organiser.post(page(speaker), data | no_rows("appearances") | {"photo": halves("b.png")})
    speaker.refresh_from_db()
    assert speaker.photo_crop == []


# ---- In words


def test_a_new_image_needs_words(organiser):
    speaker = {"name": "Maria", "slug": "maria", "photo": halves()} | no_rows("appearances")
    response = organiser.post(reverse("admin:conference_speaker_add"), speaker)
    assert list(response.context["adminform"].form.errors) == ["photo_alt_ind"]
    logo = {"name_ind": "Lembaga", "slug": "lembaga", "kind": "other", "logo": halves()} | no_rows("partnerships")
    response = organiser.post(reverse("admin:conference_organisation_add"), logo)
    assert list(response.context["adminform"].form.errors) == ["logo_alt_ind"]
    assert (Speaker.objects.count(), Organisation.objects.count()) == (0, 0)
    words = {"photo": halves(), "photo_alt_ind": "Maria tersenyum"}
    assert organiser.post(reverse("admin:conference_speaker_add"), speaker | words).status_code == 302


def test_an_older_image_without_words_stops_no_other_change(organiser):
    speaker = factories.SpeakerFactory(photo=halves())
    data = {"name": "Maria Baru", "slug": speaker.slug} | no_rows("appearances")
    assert organiser.post(page(speaker), data).status_code == 302
    Speaker.objects.filter(pk=speaker.pk).update(photo_alt_ind="Maria")
    response = organiser.post(page(speaker), data)  # words that are taken away
    assert list(response.context["adminform"].form.errors) == ["photo_alt_ind"]


def test_words_and_part_go_with_the_image(organiser):
    speaker = factories.SpeakerFactory(photo=halves(), photo_crop=RIGHT, photo_alt="Maria", photo_alt_en="Maria")
    data = {
        "name": "Maria",
        "slug": speaker.slug,
        "photo-clear": "on",
        "photo_alt_ind": "Maria",
        "photo_alt_en": "Maria",
    }
    assert organiser.post(page(speaker), data | no_rows("appearances")).status_code == 302
    speaker.refresh_from_db()
    assert (bool(speaker.photo), speaker.photo_crop, speaker.photo_alt_ind, speaker.photo_alt_en) == (False, [], "", "")


def test_visitors_who_do_not_see_it_hear_the_words(client):
    webinar = factories.WebinarFactory()
    speaker = factories.SpeakerFactory(photo=halves(), photo_alt='Maria "tersenyum"', photo_alt_en="Maria smiles")
    silent = factories.SpeakerFactory(photo=halves())
    for one in (speaker, silent):
        factories.AppearanceFactory(webinar=webinar, speaker=one)
    html = client.get(webinar.get_absolute_url()).content.decode()
    assert 'alt="Maria &quot;tersenyum&quot;"' in html
    assert 'alt=""' in html
    assert 'alt="Maria smiles"' in client.get(f"/en{speaker.get_absolute_url()}").content.decode()
