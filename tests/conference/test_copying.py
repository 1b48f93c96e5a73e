from datetime import date, timedelta

import pytest

from conference import copying
from conference.models import Appearance, Edition, Webinar
from tests import factories

pytestmark = pytest.mark.django_db

FIRST_DAY = date(2028, 6, 1)


@pytest.fixture
def edition(now):
    edition = factories.EditionFactory(
        name="KPT V", name_en="KPT V", starts_on=date(2027, 6, 8), ends_on=date(2027, 6, 9)
    )
    host = factories.OrganisationFactory()
    factories.PartnershipFactory(edition=edition, organisation=host)
    webinar = factories.WebinarFactory(
        edition=edition, hosts=[host], capacity=500, slug="desa", zoom_passcode="rahasia"
    )
    factories.AgendaItemFactory(edition=edition, webinar=webinar, title="Pembukaan")
    factories.AgendaItemFactory(edition=edition, webinar=None, date=edition.ends_on, title="Penutupan")
    factories.AppearanceFactory(webinar=webinar)
    factories.MaterialFactory(webinar=webinar)
    factories.RegistrationFactory(webinar=webinar)
    return edition


def copy(edition):
    return copying.copy_edition(edition, name_ind="KPT VI", name_en="KPT VI (en)", starts_on=FIRST_DAY)


def test_the_programme_comes_along_as_drafts_on_the_new_days(edition):
    earlier, copied = edition.webinars.get(), copy(edition)
    days, webinar = FIRST_DAY - edition.starts_on, copied.webinars.get()
    assert (copied.starts_on, copied.ends_on, copied.year) == (FIRST_DAY, FIRST_DAY + timedelta(days=1), 2028)
    assert (copied.name_ind, copied.name_en, copied.number) == ("KPT VI", "KPT VI (en)", edition.number + 1)
    assert (webinar.status, webinar.slug, webinar.capacity) == (Webinar.Status.DRAFT, "desa-2028", 500)
    assert (webinar.date, webinar.starts_at) == (earlier.date + days, earlier.starts_at + days)
    assert list(webinar.hosts.all()) == list(earlier.hosts.all())
    assert [item.title for item in webinar.agenda_items.all()] == ["Pembukaan"]
    assert [item.date for item in copied.agenda_items.filter(webinar=None)] == [copied.ends_on]
    assert list(copied.partnerships.values_list("organisation", "role")) == list(
        edition.partnerships.values_list("organisation", "role")
    )


def test_people_rooms_and_sign_up_stay_behind(edition):
    copied = copy(edition)
    webinar = copied.webinars.get()
    assert not Appearance.objects.filter(edition=copied).exists()
    assert not webinar.materials.exists()
    assert not webinar.registrations.exists()
    assert (webinar.zoom_url, webinar.zoom_passcode) == ("", "")
    assert (copied.registration_opens_at, copied.is_current, copied.is_rehearsal) == (None, False, False)


def test_the_origin_is_as_it_was(edition):
    before = list(Edition.objects.values()), list(Webinar.objects.values())
    copied = copy(edition)
    left = Edition.objects.exclude(pk=copied.pk), Webinar.objects.exclude(edition=copied)
    assert before == tuple(list(rows.values()) for rows in left)


def test_a_year_has_one_edition(edition):
    with pytest.raises(copying.YearIsTaken):
        copying.copy_edition(edition, name_ind="Bait", name_en="", starts_on=date(edition.year, 12, 1))
    assert Edition.objects.count() == 1


def test_a_slug_that_is_taken_gets_a_number(edition):
    factories.WebinarFactory(edition=edition, number=9, slug="desa-2028")
    slugs = set(copy(edition).webinars.values_list("slug", flat=True))
    assert slugs == {"desa-2028-2", "desa-2028-2028"}
