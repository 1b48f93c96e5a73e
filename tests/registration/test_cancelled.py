"""A webinar that will not take place: everybody is told once and offered the others."""

from datetime import timedelta

import pytest
from django.urls import reverse

from conference.models import Webinar
from registration import cancelled, letters, links
from registration.models import OutgoingMail, Registration
from tests.factories import InvitationFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory

pytestmark = pytest.mark.django_db


def cancel(webinar):
    Webinar.objects.filter(pk=webinar.pk).update(status="cancelled")


def told():
    return sorted(OutgoingMail.objects.filter(kind="webinar_cancelled").values_list("to", flat=True))


def test_whoever_has_a_seat_waits_or_is_asked_is_told_and_nobody_else(now):
    webinar = WebinarFactory(capacity=9)
    live = [
        RegistrationFactory(webinar=webinar),
        RegistrationFactory(webinar=webinar, waitlisted=True),
        RegistrationFactory(webinar=webinar, offered=True),
    ]
    RegistrationFactory(webinar=webinar, cancelled=True)
    RegistrationFactory(webinar=webinar, pending=True)
    RegistrationFactory()
    assert cancelled.tell(webinar.pk, now=now) == 0
    cancel(webinar)
    assert cancelled.tell(webinar.pk, now=now) == 3
    assert told() == sorted(r.participant.email for r in live)
    assert cancelled.tell(webinar.pk, now=now) == 0


def test_a_carer_gets_one_mail_for_all_in_her_care(now):
    webinar, carer = WebinarFactory(), ParticipantFactory(name="Pengurus Contoh", language="en")
    first = ParticipantFactory(account=carer.account, email="", name="Ina Contoh")
    second = ParticipantFactory(account=carer.account, email="", name="Ani Contoh")
    for person in (first, carer, second):
        RegistrationFactory(webinar=webinar, participant=person)
    other = WebinarFactory(edition=webinar.edition)
    cancel(webinar)
    assert cancelled.tell(webinar.pk, now=now) == 1
    [mail] = OutgoingMail.objects.all()
    assert (mail.to, mail.participant) == (carer.email, carer)
    text = letters.compose(mail, now=now).body
    for words in ("Dear Pengurus Contoh", "- Ina Contoh", "- Ani Contoh", "Choose for Ina Contoh:", other.title_en):
        assert words in text


def test_guests_are_told_too_and_their_seats_are_no_longer_kept(now):
    webinar = WebinarFactory(capacity=2)
    guest, declined = InvitationFactory(webinar=webinar), InvitationFactory(webinar=webinar, status="declined")
    other = WebinarFactory(edition=webinar.edition)
    cancel(webinar)
    assert cancelled.tell_everywhere(now=now) == 1
    guest.refresh_from_db()
    assert (guest.status, told()) == ("withdrawn", [guest.email])
    assert declined.email not in told()
    assert links.sign_up(other) in letters.compose(OutgoingMail.objects.get(), now=now).body


def test_a_webinar_that_is_on_again_can_be_cancelled_again(now):
    webinar = RegistrationFactory().webinar
    cancel(webinar)
    assert cancelled.tell_everywhere(now=now) == 1
    assert cancelled.tell_everywhere(now=now) == 0
    Webinar.objects.filter(pk=webinar.pk).update(status="published")
    assert cancelled.tell_everywhere(now=now) == 0
    cancel(webinar)
    assert cancelled.tell_everywhere(now=now + timedelta(days=1)) == 1


def test_the_mail_is_not_sent_once_the_webinar_is_on_again(now):
    webinar = RegistrationFactory().webinar
    cancel(webinar)
    cancelled.tell(webinar.pk, now=now)
    Webinar.objects.filter(pk=webinar.pk).update(status="published")
    with pytest.raises(letters.Obsolete):
        letters.compose(OutgoingMail.objects.get(), now=now)


def test_what_is_over_is_not_cancelled_by_mail(now):
    webinar = RegistrationFactory(webinar=WebinarFactory(over=True)).webinar
    cancel(webinar)
    assert cancelled.tell_everywhere(now=now) == 0


def test_the_mail_offers_only_what_is_open(now):
    registration = RegistrationFactory(participant__language="en")
    edition = registration.webinar.edition
    shown = WebinarFactory(edition=edition)
    hidden = [
        WebinarFactory(edition=edition, draft=True),
        WebinarFactory(edition=edition, over=True),
        WebinarFactory(edition=edition, registration_opens_at=now + timedelta(days=1)),
    ]
    cancel(registration.webinar)
    cancelled.tell(registration.webinar_id, now=now)
    text = letters.compose(OutgoingMail.objects.get(), now=now).body
    assert shown.title_en in text
    assert f"/en/gabung/{links.join_token(registration)}/lainnya/" in text
    for webinar in hidden:
        assert webinar.title_en not in text


@pytest.fixture
def hers():
    registration = RegistrationFactory(participant__name="Maria Contoh")
    cancel(registration.webinar)
    return registration


def page_of(registration):
    return f"/en/gabung/{links.join_token(registration)}/lainnya/"


def test_one_click_signs_up_for_another(client, now, hers):
    other, bait = WebinarFactory.create_batch(2, edition=hers.webinar.edition)
    page = client.get(page_of(hers)).content.decode()
    assert "Maria, “" in page
    assert "Maria Contoh" not in page
    assert Registration.objects.count() == 1
    for _click in range(2):
        client.post(page_of(hers), {"webinars": other.slug})
    assert Registration.objects.get(participant=hers.participant, webinar=other).is_confirmed
    assert not Registration.objects.filter(webinar=bait).exists()
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["confirmation"]
    assert b"Confirmed" in client.get(page_of(hers)).content


def test_a_full_one_puts_her_on_its_list(client, now, hers):
    other = WebinarFactory(edition=hers.webinar.edition, capacity=1)
    RegistrationFactory(webinar=other)
    client.post(page_of(hers), {"webinars": other.slug})
    assert Registration.objects.get(participant=hers.participant, webinar=other).is_waitlisted


def test_the_page_is_for_those_whose_webinar_is_cancelled(client, now):
    registration, other = RegistrationFactory(), WebinarFactory()
    assert client.get(page_of(registration)).status_code == 302
    client.post(page_of(registration), {"webinars": other.slug})
    assert Registration.objects.count() == 1


def test_closed_and_unknown_ones_are_not_taken(client, now, hers):
    closed = WebinarFactory(edition=hers.webinar.edition, registration_closes_at=now)
    client.post(page_of(hers), {"webinars": [closed.slug, "nix"]})
    assert Registration.objects.count() == 1


def test_the_others_cost_the_same_for_three(client, now, hers, django_assert_num_queries):
    WebinarFactory(edition=hers.webinar.edition)
    client.get(page_of(hers))
    with django_assert_num_queries(6):
        client.get(page_of(hers))
    WebinarFactory.create_batch(2, edition=hers.webinar.edition)
    with django_assert_num_queries(6):
        client.get(page_of(hers))


def test_telling_many_costs_the_same(now, django_assert_max_num_queries):
    webinar = WebinarFactory()
    RegistrationFactory.create_batch(20, webinar=webinar)
    cancel(webinar)
    with django_assert_max_num_queries(13):
        assert cancelled.tell(webinar.pk, now=now) == 20


def test_an_organiser_who_cancels_tells_everybody_at_once(now, signed_in_client):
    webinar = WebinarFactory()
    seated = RegistrationFactory(webinar=webinar)
    client = signed_in_client(UserFactory(organiser=True))
    page = reverse("admin:conference_webinar_cancel", args=[webinar.pk])
    assert "1 person gets a mail at once" in client.get("/en" + page).content.decode()
    assert told() == []
    assert client.post(page).status_code == 302
    assert told() == [seated.participant.email]
    assert client.post(page).status_code == 302  # a second click
    assert told() == [seated.participant.email]
    page = client.get("/en/admin/conference/webinar/").content.decode()
    assert "1 email mengabarkan pembatalan ini" in page
