import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse

from conference.models import Webinar
from registration import invitations, letters, links, seats, signup, waitinglist
from registration.models import Event, Invitation, OutgoingMail, Registration, SeatCount
from tests.factories import (
    ConsentFactory,
    InvitationFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)
from tests.registration.forms import filled_in
from tests.registration.test_signup import answers, sign_up

pytestmark = pytest.mark.django_db


def fresh(row):
    row.refresh_from_db()
    return row


def accept(invitation, now, **person):
    """Through the form and the code."""
    form = answers(invitation.webinar, **person) | {"invitation": invitation.pk}
    return signup.confirm(signup.begin(form, now=now), form, now=now)


def reserved(webinar):
    return SeatCount.objects.get(webinar=webinar).reserved


# ---- The kept seat


def test_an_open_invitation_keeps_a_seat(now):
    webinar = WebinarFactory(capacity=2)
    invitation = InvitationFactory(webinar=webinar)
    assert (seats.left(webinar), seats.left_by_webinar([webinar])[webinar.pk], reserved(webinar)) == (1, 1, 1)
    [first] = sign_up(webinar, now=now, email="a@example.org")
    [second] = sign_up(webinar, now=now, email="b@example.org")
    assert (first.status, second.status) == ("CONFIRMED", "WAITLISTED")
    with pytest.raises(IntegrityError, match="has 2 seats"), transaction.atomic():
        RegistrationFactory(webinar=webinar)
    assert invitations.decline(invitation, now=now)
    assert fresh(second).is_confirmed


def test_accepting_turns_the_kept_seat_into_hers(now):
    webinar = WebinarFactory(capacity=1)
    invitation = InvitationFactory(webinar=webinar)
    [registration] = accept(invitation, now)
    assert (registration.status, reserved(webinar), seats.taken(webinar)) == ("CONFIRMED", 0, 1)
    assert (fresh(invitation).status, invitation.registration, invitation.answered_at) == (
        "accepted",
        registration,
        now,
    )
    assert list(Event.objects.filter(registration=registration).values_list("kind", flat=True)) == ["invited"]
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["confirmation"]


def test_nothing_more_is_held_for_the_code_than_the_kept_seat(now):
    webinar = WebinarFactory(capacity=2)
    signup.begin(answers(webinar) | {"invitation": InvitationFactory(webinar=webinar).pk}, now=now)
    assert (seats.taken(webinar), seats.left(webinar)) == (0, 1)


def test_a_capacity_lowered_since_takes_no_kept_seat_away(now):
    webinar = WebinarFactory(capacity=3)
    RegistrationFactory.create_batch(2, webinar=webinar)
    invitation = InvitationFactory(webinar=webinar)
    Webinar.objects.filter(pk=webinar.pk).update(capacity=1)
    [registration] = accept(invitation, now)
    assert (registration.status, seats.taken(webinar)) == ("CONFIRMED", 3)
    with pytest.raises(IntegrityError, match="has 1 seats"), transaction.atomic():
        RegistrationFactory(webinar=webinar)


def test_an_invitation_is_good_after_the_sign_up_has_closed(now):
    webinar = WebinarFactory(registration_closes_at=now - timedelta(hours=1))
    assert sign_up(webinar, now=now, email="other@example.org") == []
    [registration] = accept(InvitationFactory(webinar=webinar), now)
    assert registration.is_confirmed


def test_somebody_who_waits_and_is_invited_gets_the_kept_seat(now):
    webinar = WebinarFactory(capacity=2)
    RegistrationFactory(webinar=webinar)
    invitation = InvitationFactory(webinar=webinar, email="maria@example.org")
    [waiting] = sign_up(webinar, now=now)
    assert waiting.is_waitlisted
    assert [r.pk for r in accept(invitation, now)] == [waiting.pk]
    assert fresh(waiting).is_confirmed


def test_whoever_has_a_seat_already_passes_the_kept_one_on(now):
    webinar = WebinarFactory(capacity=2)
    [hers] = sign_up(webinar, now=now)
    invitation = InvitationFactory(webinar=webinar)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    assert accept(invitation, now) == []
    assert (fresh(invitation).status, invitation.registration) == ("accepted", hers)
    assert fresh(waiting).is_confirmed


@pytest.mark.parametrize("status", ["accepted", "declined", "expired", "withdrawn"])
def test_an_invitation_that_is_over_brings_nothing(now, status):
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    [registration] = accept(InvitationFactory(webinar=webinar, status=status), now)
    assert registration.is_waitlisted


def test_an_invitation_brings_no_seat_in_another_webinar(now):
    full = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=full)
    invitation = InvitationFactory()
    form = answers(full) | {"invitation": invitation.pk}
    [registration] = signup.confirm(signup.begin(form, now=now), form, now=now)
    assert registration.is_waitlisted
    assert fresh(invitation).status == "open"


# ---- Its time


def test_a_seat_that_nobody_took_up_passes_on(now):
    webinar = WebinarFactory(capacity=1)
    invitation = InvitationFactory(webinar=webinar, expires_at=now + timedelta(days=3))
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    assert invitations.expire(now=now + timedelta(days=3, seconds=-1)) == 0
    assert invitations.expire(now=now + timedelta(days=3)) == 1
    assert fresh(invitation).status == "expired"
    assert fresh(waiting).is_confirmed


@pytest.mark.parametrize(
    ("life", "quiet", "due"),
    [
        (timedelta(days=7), timedelta(days=4), timedelta(days=5)),
        (timedelta(hours=8), timedelta(hours=3), timedelta(hours=4)),
    ],
)
def test_she_is_reminded_once_before_it_passes(now, life, quiet, due):
    invitation = InvitationFactory(expires_at=now + life, created_at=now)
    assert invitations.remind(now=now + quiet) == 0
    assert invitations.remind(now=now + due) == 1
    assert invitations.remind(now=now + due) == 0
    [mail] = OutgoingMail.objects.all()
    assert (mail.kind, mail.to, mail.context["is_reminder"]) == ("invitation", invitation.email, True)
    assert (
        "A seat still waits for you"
        in letters.compose(OutgoingMail(**{**vars_of(mail), "language": "en"}), now=now).subject
    )


def vars_of(mail):
    return {"kind": mail.kind, "key": mail.key, "to": mail.to, "context": mail.context, "message_id": mail.message_id}


@pytest.mark.parametrize("status", ["accepted", "declined", "withdrawn", "expired"])
def test_nobody_who_has_answered_is_reminded_or_expires(now, status):
    InvitationFactory(status=status, expires_at=now + timedelta(hours=1))
    assert invitations.remind(now=now) == 0
    assert invitations.expire(now=now + timedelta(days=1)) == 0


def test_a_mail_of_an_invitation_that_is_over_is_not_sent(now):
    invitation = InvitationFactory()
    invitations.write_to([invitation])
    mail = OutgoingMail.objects.get()
    assert links.read_invitation(letters.compose(mail, now=now).body.split("/undangan/")[1].split("/")[0]) == invitation
    invitations.withdraw(invitation, now=now)
    with pytest.raises(letters.Obsolete):
        letters.compose(mail, now=now)


def test_opened_anew_the_earlier_link_stays_dead(now):
    webinar = WebinarFactory(capacity=1)
    invitation = InvitationFactory(webinar=webinar, status="expired")
    earlier = links.invitation_token(invitation)
    assert invitations.send_again(invitation, now=now)
    assert (fresh(invitation).status, invitation.expires_at) == ("open", webinar.starts_at)
    assert links.read_invitation(earlier) is None
    assert links.read_invitation(links.invitation_token(invitation)) == invitation


def test_without_a_seat_nothing_is_opened_anew(now):
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    invitation = InvitationFactory(webinar=webinar, status="expired")
    assert not invitations.send_again(invitation, now=now)
    assert not OutgoingMail.objects.exists()


# ---- Her page


def page_of(invitation):
    return f"/en/undangan/{links.invitation_token(invitation)}/"


def test_looking_at_an_invitation_answers_nothing_and_names_nobody(client, now):
    invitation = InvitationFactory(name="Rahasia Contoh", email="rahasia@example.org")
    response = client.get(page_of(invitation))
    assert b"A seat is kept for you" in response.content
    assert b"ahasia" not in response.content
    assert response["Referrer-Policy"] == "no-referrer"
    assert fresh(invitation).status == "open"


def test_the_button_declines_and_the_seat_passes_on(client, now):
    invitation = InvitationFactory()
    assert client.post(page_of(invitation), {"decline": ""}, follow=True).status_code == 200
    assert fresh(invitation).status == "declined"
    assert b"You may sign up like everybody." in client.get(page_of(invitation)).content


def test_somebody_known_accepts_with_one_button(signed_in_client, now):
    webinar = WebinarFactory(capacity=1)
    invitation, maria = InvitationFactory(webinar=webinar), ConsentFactory(participant__name="Maria Contoh").participant
    client = signed_in_client(maria.account)
    assert b"Accept as Maria" in client.get(page_of(invitation)).content
    for _click in range(2):
        client.post(page_of(invitation), {"accept": ""})
    assert Registration.objects.get().participant == maria
    assert fresh(invitation).status == "accepted"
    assert OutgoingMail.objects.filter(kind="confirmation").count() == 1


def test_a_stranger_accepts_by_the_form(client, now):
    webinar = WebinarFactory(capacity=1, registration_closes_at=now - timedelta(hours=1))
    invitation = InvitationFactory(webinar=webinar)
    page = client.get(page_of(invitation)).content.decode()
    token = links.invitation_token(invitation)
    assert f"/en/daftar/?webinars={webinar.slug}&amp;undangan={token}" in page
    form = f"/daftar/?webinars={webinar.slug}&undangan={token}"
    shown = client.get("/en" + form).content.decode()
    assert "A seat is kept for you" in shown
    client.post(form, filled_in(webinar))
    code = OutgoingMail.objects.get(kind="code").context["code"]
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert Registration.objects.get().is_confirmed
    assert fresh(invitation).status == "accepted"


def test_without_the_link_a_closed_webinar_stays_closed(client, now):
    webinar = WebinarFactory(registration_closes_at=now - timedelta(hours=1))
    client.post("/daftar/?undangan=1-1.a.b", filled_in(webinar))
    assert not Registration.objects.exists()


@pytest.mark.parametrize("token", ["x", "1-1.abc.def"])
def test_a_made_up_link_opens_nothing(client, token):
    assert client.get(f"/undangan/{token}/").status_code == 404


# ---- The organisers' side


@pytest.fixture
def organiser(now, signed_in_client):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


def invite(client, webinar, people, now, **fields):
    data = {
        "webinar": webinar.pk,
        "people": people,
        "language": "id",
        "message": "Kami menanti Ibu.",
        "expires_at_0": f"{now + timedelta(days=3):%Y-%m-%d}",
        "expires_at_1": "09:00",
    }
    return client.post("/en" + reverse("admin:registration_invitation_add"), data | fields, follow=True)


def test_pasted_lines_become_invitations_with_a_mail_each(organiser, now):
    webinar = WebinarFactory(capacity=10)
    people = (
        "Maria Contoh <Maria@Example.org>\n\nbudi@example.org\nWa Ode Contoh, ode@example.org\nmaria+kpt@example.org"
    )
    page = invite(organiser, webinar, people, now).content.decode()
    assert "3 invitations are on their way." in page
    assert "1 person is registered or has an open invitation" in page
    assert list(Invitation.objects.order_by("pk").values_list("name", "email", "status")) == [
        ("Maria Contoh", "maria@example.org", "open"),
        ("budi@example.org", "budi@example.org", "open"),
        ("Wa Ode Contoh", "ode@example.org", "open"),
    ]
    assert OutgoingMail.objects.filter(kind="invitation").count() == 3
    assert reserved(webinar) == 3
    assert "Kami menanti Ibu." in letters.compose(OutgoingMail.objects.first(), now=now).body


@pytest.mark.parametrize(
    ("starts_in", "life"), [(timedelta(days=2), timedelta(days=2)), (timedelta(days=30), invitations.LIFE)]
)
def test_without_an_end_the_seat_is_kept_a_week_but_not_beyond_the_start(organiser, now, starts_in, life):
    webinar = WebinarFactory(capacity=10, starts_at=now + starts_in, ends_at=now + starts_in + timedelta(hours=2))
    invite(organiser, webinar, "a@example.org", now, expires_at_0="", expires_at_1="")
    assert Invitation.objects.get().expires_at == now + life


def test_what_is_wrong_with_a_line_is_said(organiser, now):
    webinar = WebinarFactory(capacity=10)
    page = invite(organiser, webinar, "Maria tanpa alamat\nb@\nbudi@example.org", now).content.decode()
    assert "“Maria tanpa alamat”: there is no address in this line." in page
    assert not Invitation.objects.exists()


def test_a_full_webinar_needs_more_seats_and_they_go_to_the_guests_alone(organiser, now):
    webinar = WebinarFactory(capacity=1)
    RegistrationFactory(webinar=webinar)
    waiting = RegistrationFactory(webinar=webinar, waitlisted=True)
    people = "a@example.org\nb@example.org"
    assert "2 seats are missing." in invite(organiser, webinar, people, now).content.decode()
    assert not Invitation.objects.exists()
    invite(organiser, webinar, people, now, adds_seats="on")
    assert (fresh(webinar).capacity, reserved(webinar)) == (3, 2)
    assert fresh(waiting).is_waitlisted
    assert waitinglist.promote(webinar.pk, now=now) == 0


@pytest.mark.parametrize("fields", [{"draft": True}, {"cancelled": True}, {"over": True}])
def test_nobody_is_invited_to_what_does_not_take_place(organiser, now, fields):
    page = invite(organiser, WebinarFactory(**fields), "a@example.org", now).content.decode()
    assert "This webinar is a draft, cancelled or over." in page
    assert not Invitation.objects.exists()


def act(client, action, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    url = "/en" + reverse("admin:registration_invitation_changelist")
    return client.post(url, data, follow=True).content.decode()


def test_organisers_withdraw_and_send_again(organiser, now):
    invitation, answered = InvitationFactory(), InvitationFactory(status="accepted")
    assert "1 mail is queued." in act(organiser, "send_again", [invitation, answered])
    assert "1 invitation is withdrawn." in act(organiser, "withdraw", [invitation, answered])
    assert (fresh(invitation).status, fresh(answered).status) == ("withdrawn", "accepted")


def test_an_open_invitation_gets_more_time_and_a_new_reminder(organiser, now):
    invitation = InvitationFactory(reminded_at=now)
    url = reverse("admin:registration_invitation_change", args=[invitation.pk])
    organiser.post(url, {"expires_at_0": "2027-06-07", "expires_at_1": "12:00"})
    assert (fresh(invitation).expires_at - now, invitation.reminded_at) == (timedelta(days=6, hours=3), None)
    closed = InvitationFactory(status="declined")
    url = reverse("admin:registration_invitation_change", args=[closed.pk])
    assert organiser.post(url, {"expires_at_0": "2027-06-07", "expires_at_1": "12:00"}).status_code == 403


def test_inviting_fifty_costs_what_inviting_one_does(now, django_assert_max_num_queries):
    webinar = WebinarFactory()
    guests = [invitations.Guest(f"Tamu {n}", f"t{n}@example.org") for n in range(50)]
    with django_assert_max_num_queries(4):
        made = invitations.invite(
            webinar, guests, expires_at=now + timedelta(days=1), language="id", message="", created_by=None, now=now
        )
    assert len(made) == OutgoingMail.objects.count() == 50


def test_the_list_tells_what_became_of_each_mail_in_one_query(organiser, now, django_assert_max_num_queries):
    rows = InvitationFactory.create_batch(3)
    invitations.write_to(rows)
    dead, sent, _waiting = OutgoingMail.objects.order_by("pk")
    OutgoingMail.objects.filter(pk=dead.pk).update(status="FAILED", error="550 no")
    OutgoingMail.objects.filter(pk=sent.pk).update(status="SENT", sent_at=now)
    assert invitations.newest_mails([row.pk for row in rows]) == dict(
        zip([row.pk for row in rows], ["FAILED", "SENT", "QUEUED"], strict=True)
    )
    page = organiser.get("/en" + reverse("admin:registration_invitation_changelist")).content.decode()
    cells = re.findall(r'<td class="field-mail[^>]*>(.*?)</td>', page, re.DOTALL)
    said = [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells]
    assert sorted(said) == ["Failed", "Queued", "Sent"]
    invitations.write_to(rows[:1])
    assert invitations.newest_mails([rows[0].pk]) == {rows[0].pk: "QUEUED"}, "the newest"
