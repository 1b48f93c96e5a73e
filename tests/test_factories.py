import pytest
from django.utils import translation

from tests import factories

pytestmark = pytest.mark.django_db

EVERY = [name for name in dir(factories) if name.endswith("Factory") and name != "Factory"]


@pytest.mark.parametrize("name", EVERY)
def test_rows_satisfy_the_constraints_and_the_validators(name):
    factory = getattr(factories, name)
    first, second = factory(), factory()
    for row in (first, second):
        row.full_clean(exclude=["password"])


@pytest.mark.parametrize("trait", ["pending", "waitlisted", "cancelled"])
def test_a_registration_has_the_times_of_its_status(trait):
    registration = factories.RegistrationFactory(**{trait: True})
    assert registration.status == trait.upper()


@pytest.mark.parametrize("trait", ["draft", "cancelled", "unknown_hour", "running", "over"])
def test_webinars_in_every_state(trait):
    factories.WebinarFactory(**{trait: True}).full_clean()


def test_earlier_editions_stand_beside_the_current_one():
    current, earlier = factories.EditionFactory(), factories.EditionFactory(earlier=True)
    assert current.is_current
    assert not earlier.is_current


def test_a_title_is_indonesian_in_any_language():
    with translation.override("en"):
        webinar = factories.WebinarFactory(title="Judul", title_en="Title")
        assert (webinar.title_ind, webinar.title_en) == ("Judul", "Title")


def test_an_organiser_has_a_second_factor():
    assert factories.UserFactory(organiser=True).authenticator_set.exists()
    assert not factories.UserFactory().authenticator_set.exists()
