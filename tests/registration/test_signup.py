from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from conference.models import Webinar
from registration import consents, mail, seats, signup, waitinglist
from registration.models import Consent, OutgoingMail, Participant, Registration, User
from tests.factories import OrganisationFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory

pytestmark = pytest.mark.django_db

Status = Registration.Status


def answers(*webinars, email="maria@example.org", partners=(), **person):
    fields = dict.fromkeys(signup.Person.__annotations__, "")
    fields |= {"name": "Maria", "email": email, "province": "53", "gender": "undisclosed", "age_group": "undisclosed"}
    return {
        "person": fields | person,
        "webinars": [webinar.pk for webinar in webinars],
        "partners": [organisation.pk for organisation in partners],
        "language": "id",
        "given_at": "2027-06-01T09:00:00+08:00",
    }


def sign_up(*webinars, now, **changes):
    form = answers(*webinars, **changes)
    return signup.confirm(signup.begin(form, now=now), form, now=now)


def statuses():
    return {r.webinar.slug: r.status for r in Registration.objects.select_related("webinar")}


def test_begin_holds_a_seat_until_the_code(now):
    webinar = WebinarFactory(capacity=10)
    signup.begin(answers(webinar), now=now)
    held = Registration.objects.get()
    assert (held.status, held.held_until) == (Status.PENDING, now + signup.HOLD)
    assert seats.taken(webinar) == 1
    assert Participant.objects.get().proven_at is None


def test_the_code_confirms_what_is_held_and_one_mail_tells_of_all(now):
    first, second = WebinarFactory(), WebinarFactory()
    changed = sign_up(first, second, now=now)
    assert statuses() == {first.slug: "CONFIRMED", second.slug: "CONFIRMED"}
    assert len(changed) == 2
    assert list(OutgoingMail.objects.values_list("kind", "to")) == [("confirmation", "maria@example.org")]
    assert Participant.objects.get().proven_at == now


def test_signing_up_twice_changes_nothing_and_writes_no_second_mail(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now)
    assert sign_up(webinar, now=now + timedelta(minutes=5)) == []
    assert Registration.objects.count() == Participant.objects.count() == OutgoingMail.objects.count() == 1


def test_signing_up_again_adds_the_other_webinars(now):
    first, second = WebinarFactory(), WebinarFactory()
    sign_up(first, now=now)
    changed = sign_up(second, now=now + timedelta(minutes=5))
    assert [r.webinar for r in changed] == [second]
    assert statuses() == {first.slug: "CONFIRMED", second.slug: "CONFIRMED"}


def test_the_address_is_one_person_whatever_its_case(now):
    webinar = WebinarFactory()
    UserFactory(email="maria@example.org")
    sign_up(webinar, now=now)
    assert User.objects.filter(email__iexact="MARIA@example.org").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="MARIA@example.org")


def test_a_full_webinar_puts_her_on_the_waiting_list_only_after_the_code(now):
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    form = answers(webinar)
    user = signup.begin(form, now=now)
    assert not Registration.objects.filter(participant__email="maria@example.org").exists()
    [waiting] = signup.confirm(user, form, now=now)
    assert (waiting.status, waiting.waitlisted_at, waiting.place_in_line()) == (Status.WAITLISTED, now, 1)
    assert seats.taken(webinar) == 1


def test_a_held_seat_is_not_given_to_the_next(now):
    webinar = WebinarFactory(capacity=1)
    signup.begin(answers(webinar, email="first@example.org"), now=now)
    [second] = sign_up(webinar, now=now, email="second@example.org")
    assert second.status == Status.WAITLISTED


def test_an_unproven_address_leaves_no_trace_after_its_hold(now):
    webinar = WebinarFactory(capacity=1)
    user = signup.begin(answers(webinar, email="stranger@example.org"), now=now)
    mail.queue_code(user.email, "123456", language="id", now=now)
    [waiting] = sign_up(webinar, now=now, email="next@example.org")
    assert signup.expire_holds(now=now + signup.HOLD - timedelta(seconds=1)) == 0
    assert signup.expire_holds(now=now + signup.HOLD) == 1
    for model in (User, Participant):
        assert not model.objects.filter(email="stranger@example.org").exists()
    assert not OutgoingMail.objects.filter(to="stranger@example.org").exists()
    waiting.refresh_from_db()
    assert waiting.status == Status.CONFIRMED
    assert list(OutgoingMail.objects.filter(kind="promoted").values_list("to", flat=True)) == ["next@example.org"]


def test_an_account_that_was_there_before_survives_an_unproven_sign_up(now):
    known = UserFactory(email="known@example.org", date_joined=now - timedelta(days=1))
    signup.begin(answers(WebinarFactory(), email="known@example.org"), now=now)
    signup.expire_holds(now=now + signup.HOLD)
    assert User.objects.filter(pk=known.pk).exists()
    assert not Participant.objects.filter(email="known@example.org").exists()


def test_an_expired_hold_of_somebody_who_cancelled_before_goes_back_to_cancelled(now):
    webinar = WebinarFactory()
    [registration] = sign_up(webinar, now=now)
    signup.cancel(registration, now=now)
    signup.begin(answers(webinar), now=now)
    signup.expire_holds(now=now + signup.HOLD)
    registration.refresh_from_db()
    assert (registration.status, registration.held_until) == (Status.CANCELLED, None)


def test_what_a_stranger_typed_with_her_address_is_not_hers(now):
    webinar, partner = WebinarFactory(), OrganisationFactory()
    signup.begin(answers(webinar, name="Stranger", phone="+6281111111", partners=[partner]), now=now)
    sign_up(webinar, now=now)
    maria = Participant.objects.get()
    assert (maria.name, maria.phone, maria.account.name) == ("Maria", "", "Maria")
    assert not maria.consents.filter(purpose=Consent.Purpose.PARTNER).exists()


def test_nobody_overwrites_a_proven_person_without_her_code(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now)
    signup.begin(answers(webinar, name="Stranger"), now=now)
    assert Participant.objects.get().name == "Maria"


def test_a_blank_in_a_second_sign_up_erases_nothing(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now, phone="+6281234567890")
    sign_up(webinar, now=now, phone="", name="Maria Contoh")
    maria = Participant.objects.get()
    assert (maria.name, maria.phone) == ("Maria Contoh", "+6281234567890")


def test_a_form_filled_in_from_her_own_data_means_its_blanks(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now, phone="+6281234567890", gender="female")
    signup.confirm(User.objects.get(), answers(webinar, phone=""), now=now, replaces=True)
    maria = Participant.objects.get()
    assert (maria.phone, maria.gender) == ("", "undisclosed")


def test_only_the_webinars_of_her_own_form_are_confirmed(now):
    webinar, bait = WebinarFactory(), WebinarFactory()
    signup.begin(answers(bait), now=now)  # somebody else's form with her address
    sign_up(webinar, now=now)
    assert statuses() == {webinar.slug: "CONFIRMED", bait.slug: "PENDING"}
    assert list(signup.held_webinars("maria@example.org")) == [bait]


def test_consents_are_kept_with_version_language_and_time(now):
    webinar, partner, bait = WebinarFactory(), OrganisationFactory(), OrganisationFactory()
    sign_up(webinar, now=now, partners=[partner])
    sign_up(webinar, now=now + timedelta(days=1), partners=[partner])
    rows = Consent.objects.order_by("purpose").values_list(
        "purpose", "organisation", "version", "language", "granted_at"
    )
    purposes = [(Consent.Purpose.PARTNER, partner), (Consent.Purpose.PROCESSING, None)]
    shown, kept = [consents.version_of(consents.text_of(purpose, "id", host)) for purpose, host in purposes]
    assert list(rows) == [("partner", partner.pk, shown, "id", now), ("processing", None, kept, "id", now)]
    assert bait.consents.count() == 0


def test_a_closed_registration_admits_nobody_new(now):
    webinar = WebinarFactory()
    webinar.edition.registration_closes_at = now
    webinar.edition.save()
    assert sign_up(webinar, now=now) == []
    assert Registration.objects.count() == 0


def test_a_seat_held_before_the_closing_is_confirmed_after_it(now):
    webinar = WebinarFactory()
    form = answers(webinar)
    user = signup.begin(form, now=now)
    webinar.edition.registration_closes_at = now + timedelta(minutes=1)
    webinar.edition.save()
    [registration] = signup.confirm(user, form, now=now + timedelta(minutes=5))
    assert registration.status == Status.CONFIRMED


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"status": "draft"}])
def test_a_held_seat_of_a_webinar_that_is_off_is_not_confirmed(now, change):
    webinar = WebinarFactory()
    form = answers(webinar)
    user = signup.begin(form, now=now)
    Webinar.objects.filter(pk=webinar.pk).update(**change)
    assert signup.confirm(user, form, now=now) == []


def test_a_newcomer_overtakes_nobody_when_a_capacity_was_raised_behind_our_back(now):
    webinar = WebinarFactory(capacity=1)
    sign_up(webinar, now=now, email="a@example.org")
    sign_up(webinar, now=now, email="b@example.org")
    Webinar.objects.filter(pk=webinar.pk).update(capacity=2)
    [newcomer] = sign_up(webinar, now=now, email="c@example.org")
    assert newcomer.status == Status.WAITLISTED
    assert Registration.objects.get(participant__email="b@example.org").status == Status.CONFIRMED


def test_a_registration_of_a_webinar_that_is_over_stays_as_its_record(now):
    registration = RegistrationFactory(webinar=WebinarFactory(over=True))
    assert signup.cancel(registration, now=now) is False
    assert registration.status == Status.CONFIRMED


def test_cancelling_passes_the_seat_to_the_first_in_line(now):
    webinar = WebinarFactory(capacity=1)
    [seated] = sign_up(webinar, now=now, email="a@example.org")
    [first] = sign_up(webinar, now=now + timedelta(minutes=1), email="b@example.org")
    [second] = sign_up(webinar, now=now + timedelta(minutes=2), email="c@example.org")
    assert [first.place_in_line(), second.place_in_line()] == [1, 2]
    assert signup.cancel(seated, now=now + timedelta(minutes=3)) is True
    assert signup.cancel(seated, now=now + timedelta(minutes=4)) is False
    for row in (seated, first, second):
        row.refresh_from_db()
    assert [seated.status, first.status, second.status] == ["CANCELLED", "CONFIRMED", "WAITLISTED"]
    kinds = OutgoingMail.objects.exclude(kind="confirmation").order_by("pk").values_list("kind", "to")
    assert list(kinds) == [("cancellation", "a@example.org"), ("promoted", "b@example.org")]


def test_leaving_the_waiting_list_promotes_nobody(now):
    webinar = WebinarFactory(capacity=1)
    sign_up(webinar, now=now, email="a@example.org")
    [waiting] = sign_up(webinar, now=now, email="b@example.org")
    signup.cancel(waiting, now=now)
    assert not OutgoingMail.objects.filter(kind="promoted").exists()
    assert seats.taken(webinar) == 1


def test_a_raised_capacity_promotes_in_order_and_a_lowered_one_throws_nobody_out(now):
    webinar = WebinarFactory(capacity=1)
    for minute, name in enumerate("abcd"):
        sign_up(webinar, now=now + timedelta(minutes=minute), email=f"{name}@example.org")
    webinar.capacity = 3
    webinar.save()
    assert waitinglist.promote(webinar.pk, now=now) == 2
    assert waitinglist.promote(webinar.pk, now=now) == 0
    confirmed = Registration.objects.confirmed().order_by("participant__email")
    assert [r.participant.email[0] for r in confirmed] == ["a", "b", "c"]
    webinar.capacity = 1
    webinar.save()
    assert Registration.objects.confirmed().count() == 3


def test_nobody_is_promoted_into_a_webinar_that_is_over_or_cancelled(now):
    over, cancelled = WebinarFactory(over=True, capacity=5), WebinarFactory(cancelled=True, capacity=5)
    for webinar in (over, cancelled):
        RegistrationFactory(webinar=webinar, waitlisted=True)
    assert waitinglist.promote_everywhere(now=now) == 0


def test_the_database_counts_seats_through_every_transition(now):
    webinar = WebinarFactory(capacity=5)
    [registration] = sign_up(webinar, now=now)
    assert seats.taken(webinar) == 1
    signup.cancel(registration, now=now)
    assert seats.taken(webinar) == 0
    RegistrationFactory.create_batch(3, webinar=webinar)
    assert seats.taken(webinar) == 3
    Registration.objects.filter(webinar=webinar, status=Status.CONFIRMED).delete()
    assert seats.taken(webinar) == 0


def test_the_database_refuses_the_seat_too_many_whatever_code_does(now):
    webinar = WebinarFactory(capacity=2)
    RegistrationFactory.create_batch(2, webinar=webinar)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    with pytest.raises(IntegrityError, match="has 2 seats"), transaction.atomic():
        RegistrationFactory(webinar=webinar, participant=ParticipantFactory())
    with pytest.raises(IntegrityError, match="has 2 seats"), transaction.atomic():
        Registration.objects.filter(pk=waiting.pk).update(status=Status.CONFIRMED, confirmed_at=now)
    assert seats.taken(webinar) == 2


# ---- An address that is tried again


@pytest.mark.parametrize("capacity", [None, 1])
def test_a_second_try_is_not_forgotten_with_the_first(now, capacity):
    webinar = WebinarFactory(capacity=capacity)
    if capacity:
        RegistrationFactory(webinar=webinar)
    form, again = answers(webinar), now + timedelta(minutes=29)
    signup.begin(form, now=now)
    user = signup.begin(form, now=again)
    signup.expire_holds(now=again + timedelta(minutes=2))
    [registration] = signup.confirm(user, form, now=again + timedelta(minutes=3))
    assert registration.status == (Status.WAITLISTED if capacity else Status.CONFIRMED)


def test_a_second_try_leaves_no_trace_either(now):
    webinar, again = WebinarFactory(), now + timedelta(minutes=29)
    signup.begin(answers(webinar), now=now)
    signup.begin(answers(webinar), now=again)
    signup.expire_holds(now=again + signup.HOLD)
    assert not User.objects.exists()
    assert not Participant.objects.exists()


def test_forgetting_a_stranger_leaves_the_owners_new_code(now):
    known = UserFactory(email="known@example.org", date_joined=now - timedelta(days=1))
    signup.begin(answers(WebinarFactory(), email=known.email), now=now)
    mail.queue_code(known.email, "111111", language="id", now=now)
    OutgoingMail.objects.update(created_at=now)
    mail.queue_code(known.email, "222222", language="id", now=now + signup.HOLD)
    OutgoingMail.objects.filter(context__code="222222").update(created_at=now + signup.HOLD)
    signup.expire_holds(now=now + signup.HOLD)
    assert [row.context["code"] for row in OutgoingMail.objects.all()] == ["222222"]


def test_what_a_second_sign_up_does_not_answer_stays(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now, gender="female", age_group="25_34", regency="5371")
    sign_up(webinar, now=now)
    maria = Participant.objects.get()
    assert (maria.gender, maria.age_group, maria.regency) == ("female", "25_34", "5371")


def test_who_moves_to_another_province_leaves_the_old_regency(now):
    webinar = WebinarFactory()
    sign_up(webinar, now=now, regency="5371")
    sign_up(webinar, now=now, province="73")
    maria = Participant.objects.get()
    assert (maria.province, maria.regency) == ("73", "")


def test_a_mere_hold_is_not_cancelled_and_its_address_gets_no_mail(now):
    signup.begin(answers(WebinarFactory()), now=now)
    assert not signup.cancel(Registration.objects.get(), now=now)
    assert not OutgoingMail.objects.exists()


def test_what_closed_before_the_code_came_is_named(now):
    webinar = WebinarFactory()
    webinar.edition.registration_closes_at = now
    webinar.edition.save()
    form = answers(webinar)
    user = signup.begin(form, now=now)
    assert signup.confirm(user, form, now=now) == []
    assert signup.missed(user, form) == [webinar]
