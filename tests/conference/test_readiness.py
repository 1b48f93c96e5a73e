import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conference import readiness
from conference.models import Speaker, Webinar
from tests import factories

pytestmark = pytest.mark.django_db

TEXTS = {
    "title": "Desa kita",
    "title_en": "Our village",
    "summary": "Ringkas",
    "summary_en": "Short",
    "description": "Panjang",
    "description_en": "Long",
}


@pytest.fixture
def webinar(now):
    return ready()


def ready(**facts):
    webinar = factories.WebinarFactory(hosts=[factories.OrganisationFactory()], **TEXTS | facts)
    factories.AgendaItemFactory(webinar=webinar, title="Pembukaan", title_en="Opening")
    for role in ("speaker", "moderator"):
        factories.AppearanceFactory(
            webinar=webinar, role=role, speaker=factories.SpeakerFactory(photo="speakers/a.png")
        )
    return webinar


def gaps(webinar, now):
    found = readiness.missing(
        readiness.with_parts(Webinar.objects.filter(pk=webinar.pk)).get(),
        now=now,
    )
    return [(gap.part, gap.holds_up) for gap in found]


def test_nothing_is_missing_of_a_full_webinar(webinar, now):
    assert gaps(webinar, now) == []


@pytest.mark.parametrize(
    ("fields", "gap"),
    [
        ({"status": "draft"}, ("status", True)),
        ({"starts_at": None, "ends_at": None}, ("starts_at", True)),
        ({"ends_at": None}, ("ends_at", False)),
        ({"zoom_url": "", "backup_stream_url": ""}, ("zoom_url", True)),
        ({"zoom_url": "", "backup_stream_url": "https://example.org/siaran"}, ("zoom_url", False)),
        ({"summary_ind": "", "summary_en": ""}, ("summary_ind", False)),
        ({"title_en": ""}, ("title_en", False)),
        ({"description_en": None}, ("description_en", False)),
        ({"reminder_minutes": []}, ("reminder_minutes", False)),
    ],
)
def test_each_gap_alone(webinar, now, fields, gap):
    Webinar.objects.filter(pk=webinar.pk).update(**fields)
    assert gaps(webinar, now) == [gap]


def test_the_sign_up_needs_an_hour_of_its_own_or_the_editions(webinar, now):
    webinar.edition.registration_opens_at = None
    webinar.edition.save()
    assert gaps(webinar, now) == [("registration_opens_at", True)]
    Webinar.objects.filter(pk=webinar.pk).update(registration_opens_at=now)
    assert gaps(webinar, now) == []


def test_people_and_parts(webinar, now):
    webinar.agenda_items.update(title_en="")
    assert gaps(webinar, now) == [("agenda_items", False)]
    webinar.agenda_items.all().delete()
    webinar.hosts.clear()
    assert gaps(webinar, now) == [("hosts", False)]
    webinar.hosts.add(factories.OrganisationFactory())
    webinar.appearances.filter(role="moderator").delete()
    assert gaps(webinar, now) == [("appearances", False)]
    webinar.appearances.all().delete()
    assert gaps(webinar, now) == [("appearances", False)]


def test_a_speaker_without_a_photo_is_named_once_with_her_page(webinar, now):
    hers = webinar.appearances.filter(role="speaker").get().speaker
    factories.AppearanceFactory(
        webinar=None, edition=webinar.edition, agenda_item=webinar.agenda_items.get(), speaker=hers
    )
    Speaker.objects.filter(pk=hers.pk).update(photo="")
    [gap] = readiness.missing(readiness.with_parts(Webinar.objects.filter(pk=webinar.pk)).get(), now=now)
    assert (gap.part, gap.speaker) == ("appearances", hers.pk)
    assert hers.name in gap.words


@pytest.mark.parametrize("trait", ["cancelled", "over"])
def test_what_is_over_or_cancelled_lacks_nothing(now, trait):
    webinar = factories.WebinarFactory(zoom_url="", **{trait: True})
    assert gaps(webinar, now) == []


def test_what_holds_up_comes_first(webinar, now):
    Webinar.objects.filter(pk=webinar.pk).update(title_en="", ends_at=None, starts_at=None)
    assert gaps(webinar, now)[0] == ("starts_at", True)


def test_of_an_edition_by_as_many_queries_for_three_as_for_one(now):
    def queries():
        with CaptureQueriesContext(connection) as context:
            found = readiness.of_coming(webinar.edition, now=now)
        return len(context), [(row.title, len(lacks)) for row, lacks in found]

    webinar = ready(title_en="")
    assert queries() == (queries()[0], [("Desa kita", 1)])
    one = queries()[0]
    for _again in range(2):
        ready(edition=webinar.edition, title_en="", ends_at=None)
    ready(edition=webinar.edition)  # bait: nothing is missing
    assert queries() == (one, [("Desa kita", 1), ("Desa kita", 2), ("Desa kita", 2)])


# ---- In the admin


@pytest.fixture
def organiser(now, signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


def test_the_page_of_a_webinar_leads_to_each_gap(organiser, webinar):
    photo = webinar.appearances.filter(role="speaker").get().speaker
    Speaker.objects.filter(pk=photo.pk).update(photo="")
    Webinar.objects.filter(pk=webinar.pk).update(zoom_url="", backup_stream_url="")
    webinar.agenda_items.update(title_en="")
    html = organiser.get(reverse("admin:conference_webinar_change", args=[webinar.pk])).content.decode()
    assert ".field-zoom_url" in html
    assert "#agenda_items-group" in html
    assert reverse("admin:conference_speaker_change", args=[photo.pk]) in html


def test_the_list_counts_the_gaps_by_as_many_queries_for_three_as_for_one(organiser):
    def page():
        with CaptureQueriesContext(connection) as context:
            response = organiser.get(reverse("admin:conference_webinar_changelist"))
        return len(context), re_counts(response)

    webinar = ready(title_en="")
    page()
    one, counts = page()
    assert counts == ["1"]
    for _again in range(2):
        ready(edition=webinar.edition, title_en="", ends_at=None, zoom_url="", backup_stream_url="")
    assert page() == (one, ["1", "3", "3"])


def re_counts(response):
    model_admin = response.context["cl"].model_admin
    return [str(model_admin.gap_count(row)) for row in response.context["cl"].result_list]
