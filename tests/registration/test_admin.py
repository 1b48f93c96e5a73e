import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from conference.models import Webinar
from registration.models import Announcement, Attendance, OutgoingMail, PartnerMember, Registration, User
from tests import factories
from tests.conference.test_admin import form_of, no_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(signed_in_client):
    return signed_in_client(factories.UserFactory(organiser=True))


@pytest.fixture
def organiser(signed_in_client):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


def url(model, page, *args):
    return reverse(f"admin:registration_{model}_{page}", args=args)


def act(client, model, action, rows, **fields):
    data = {"action": action, "_selected_action": [row.pk for row in rows]} | fields
    response = client.post("/en" + url(model, "changelist"), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


# ---- Registrations


def cancel(client, rows, reason=""):
    return act(client, "registration", "cancel_registrations", rows, is_sent="yes", reason=reason)


def test_cancelling_gives_the_seat_to_who_waits(organiser):
    webinar = factories.WebinarFactory(capacity=1)
    seated = factories.RegistrationFactory(webinar=webinar)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    assert "1 registration is cancelled." in cancel(organiser, [seated])
    seated.refresh_from_db()
    waiting.refresh_from_db()
    assert (seated.status, waiting.status) == ("CANCELLED", "CONFIRMED")
    assert set(OutgoingMail.objects.values_list("kind", "to")) == {
        ("cancellation", seated.participant.email),
        ("promoted", waiting.participant.email),
    }


def test_cancelling_twice_sends_one_mail(organiser):
    seated = factories.RegistrationFactory()
    cancel(organiser, [seated])
    assert "0 registrations are cancelled." in cancel(organiser, [seated])
    assert OutgoingMail.objects.count() == 1


def test_personal_links_are_sent_again_once_a_person(organiser):
    seated = factories.RegistrationFactory()
    second = factories.RegistrationFactory(participant=seated.participant)
    gone = factories.RegistrationFactory(cancelled=True)
    assert "1 mail is queued." in act(organiser, "registration", "send_links_again", [seated, second, gone])
    assert OutgoingMail.objects.get().participant == seated.participant


@pytest.mark.parametrize("action", ["cancel_registrations", "send_links_again"])
def test_who_may_only_look_has_no_actions(action, signed_in_client):
    reader = factories.UserFactory(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_registration"))
    seated = factories.RegistrationFactory()
    act(signed_in_client(reader), "registration", action, [seated])
    seated.refresh_from_db()
    assert seated.is_confirmed
    assert not OutgoingMail.objects.exists()


def test_not_even_an_owner_edits_or_deletes_a_registration(owner):
    seated = factories.RegistrationFactory()
    assert owner.post(url("registration", "change", seated.pk), {"status": "CANCELLED"}).status_code == 403
    assert owner.post(url("registration", "delete", seated.pk), {"post": "yes"}).status_code == 403
    act(owner, "registration", "delete_selected", [seated])
    assert Registration.objects.get().is_confirmed


def test_the_room_is_not_shown_with_the_registration(owner):
    seated = factories.RegistrationFactory(zoom_join_url="https://zoom.example.org/personal")
    assert b"zoom.example.org" not in owner.get(url("registration", "change", seated.pk)).content


@pytest.mark.parametrize("query", ["50%", "O'Brien", 'Maria "Mama"', "_", "\\", "🧵"])
def test_search_takes_any_sign(owner, query):
    factories.RegistrationFactory(participant__name=f"Ibu {query} Contoh")
    factories.RegistrationFactory(participant__name="Orang lain")
    page = owner.get(url("registration", "changelist"), {"q": query})
    assert [str(row.participant) for row in page.context["cl"].result_list] == [f"Ibu {query} Contoh"]


# ---- Seats


def save(client, webinar, **changes):
    response = client.post(reverse("admin:conference_webinar_change", args=[webinar.pk]), form_of(webinar, **changes))
    assert response.status_code == 302


def test_a_raised_capacity_seats_those_who_wait(organiser):
    webinar = factories.WebinarFactory(capacity=1)
    factories.RegistrationFactory(webinar=webinar)
    waiting = factories.RegistrationFactory.create_batch(3, webinar=webinar, waitlisted=True)
    save(organiser, webinar, capacity=3)
    assert [Registration.objects.get(pk=r.pk).is_confirmed for r in waiting] == [True, True, False]
    assert OutgoingMail.objects.filter(kind="promoted").count() == 2


def test_publishing_again_seats_those_who_wait(organiser):
    webinar = factories.WebinarFactory(cancelled=True)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    save(organiser, webinar, title_ind="Masih batal")
    assert Registration.objects.get(pk=waiting.pk).is_waitlisted
    reinstate = reverse("admin:conference_webinar_reinstate", args=[webinar.pk])
    assert organiser.get(reinstate).status_code == 200
    assert Registration.objects.get(pk=waiting.pk).is_waitlisted
    assert organiser.post(reinstate).status_code == 302
    assert Registration.objects.get(pk=waiting.pk).is_confirmed


def test_a_lowered_capacity_throws_nobody_out(organiser):
    webinar = factories.WebinarFactory(capacity=3)
    factories.RegistrationFactory.create_batch(3, webinar=webinar)
    save(organiser, webinar, capacity=1)
    assert webinar.registrations.confirmed().count() == 3


def test_free_seats_are_given_by_hand(organiser):
    webinar = factories.WebinarFactory(capacity=1)
    waiting = factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    data = {"action": "fill_seats", "_selected_action": [webinar.pk]}
    organiser.post(reverse("admin:conference_webinar_changelist"), data)
    waiting.refresh_from_db()
    assert waiting.is_confirmed


def test_the_list_of_webinars_counts_seats(organiser):
    webinar = factories.WebinarFactory(capacity=2)
    factories.RegistrationFactory.create_batch(2, webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    row = organiser.get(reverse("admin:conference_webinar_changelist")).context["cl"].result_list[0]
    assert (row.seat_count.taken, row.waiting_count) == (2, 1)


def test_a_webinar_with_registrations_stays(owner):
    webinar = factories.RegistrationFactory().webinar
    owner.post(reverse("admin:conference_webinar_delete", args=[webinar.pk]), {"post": "yes"})
    assert Webinar.objects.filter(pk=webinar.pk).exists()


# ---- Mail


def test_mail_is_shown_as_sent_where_it_can_do_no_harm(organiser):
    html = '<p>Halo</p><script>alert("x")</script>'
    row = factories.OutgoingMailFactory(sent=True, subject="Tautan Anda", text="Halo", html=html)
    page = organiser.get(url("outgoingmail", "change", row.pk)).content.decode()
    assert '<iframe sandbox srcdoc="&lt;p&gt;Halo' in page
    assert html not in page
    assert "Tautan Anda" in page


def test_a_code_is_nowhere_in_the_log(owner):
    row = factories.OutgoingMailFactory(
        kind="code", context={"code": "314159"}, subject="314159", text="Kode 314159", html="<p>314159</p>"
    )
    assert b"314159" not in owner.get(url("outgoingmail", "change", row.pk)).content
    assert b"314159" not in owner.get(url("outgoingmail", "changelist")).content


def test_a_draft_is_written_and_what_was_sent_stays(organiser):
    edition = factories.EditionFactory()
    data = {"edition": edition.pk, "subject_ind": "Jadwal", "body_ind": "Isi", "subject_en": "", "body_en": ""}
    assert organiser.post(url("announcement", "add"), data).status_code == 302
    draft = Announcement.objects.get()
    assert draft.audience == {"about": "news", "editions": [edition.pk]}
    assert draft.created_by.groups.get().name == "Organisers"
    Announcement.objects.update(status="sent")
    assert organiser.post(url("announcement", "change", draft.pk), data).status_code == 403
    assert organiser.post(url("announcement", "delete", draft.pk), {"post": "yes"}).status_code == 403
    assert not OutgoingMail.objects.exists()


# ---- Attendance


def test_attendance_is_entered_by_hand(organiser):
    seated = factories.RegistrationFactory()
    data = {"registration": seated.pk, "joined_at_0": "2027-06-01", "joined_at_1": "09:00"}
    assert organiser.post(url("attendance", "add"), data).status_code == 302
    assert Attendance.objects.get(registration=seated).source == "hand"


def test_what_zoom_reports_is_not_rewritten(organiser):
    row = Attendance.objects.create(
        registration=factories.RegistrationFactory(), source="report", joined_at=timezone.now()
    )
    assert organiser.post(url("attendance", "change", row.pk), {"registration": row.registration_id}).status_code == 403
    assert organiser.post(url("attendance", "delete", row.pk), {"post": "yes"}).status_code == 403


def test_registrations_are_found_by_name_and_code(organiser):
    seated = factories.RegistrationFactory(participant__name="Maria Contoh")
    where = {"app_label": "registration", "model_name": "attendance", "field_name": "registration"}
    for term in ("maria", seated.code):
        answer = organiser.get(reverse("admin:autocomplete"), where | {"term": term}).json()
        assert [result["id"] for result in answer["results"]] == [str(seated.pk)]


# ---- People


def details(participant, **changes):
    fields = "name phone gender age_group province regency organisation organisation_kind language guardian_name"
    inlines = no_rows("registrations", "consents", "mails")
    return {field: getattr(participant, field) for field in fields.split()} | inlines | changes


def test_a_participant_is_corrected(organiser):
    participant = factories.ParticipantFactory()
    data = details(participant, name="Maria", phone="0812 3456 7890", email="other@example.org", regency="7371")
    assert organiser.post(url("participant", "change", participant.pk), data).status_code == 302
    corrected = type(participant).objects.get()
    assert (corrected.name, corrected.phone, corrected.email) == ("Maria", "+6281234567890", participant.email)


@pytest.mark.parametrize(("field", "value"), [("regency", "5371"), ("phone", "dua belas"), ("name", "")])
def test_a_wrong_correction_is_answered(organiser, field, value):
    participant = factories.ParticipantFactory()
    response = organiser.post(url("participant", "change", participant.pk), details(participant, **{field: value}))
    assert list(response.context["adminform"].form.errors) == [field]


def test_sensitive_answers_are_opened_by_no_permission(signed_in_client, owner, organiser):
    assert organiser.get(url("sensitiveanswers", "changelist")).status_code == 403
    trusted = factories.UserFactory(is_staff=True)
    trusted.user_permissions.add(Permission.objects.get(codename="view_sensitiveanswers"))
    assert signed_in_client(trusted).get(url("sensitiveanswers", "changelist")).status_code == 403
    assert owner.get(url("sensitiveanswers", "changelist")).status_code == 200


# ---- Accounts and rights


def account(user, **changes):
    return {"email": user.email, "name": user.name, "language": user.language, "is_active": "on"} | changes


def test_an_organiser_gives_nobody_rights(organiser):
    user = factories.UserFactory()
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.get(name="Organisers").pk]}
    assert organiser.post(url("user", "change", user.pk), account(user, **rights)).status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)


def test_an_organiser_adds_an_account_without_rights(organiser):
    data = {"email": "Mitra@Example.org", "name": "Mitra", "language": "id", "is_active": "on"}
    every = list(Permission.objects.values_list("pk", flat=True))
    rights = {"is_staff": "on", "is_superuser": "on", "user_permissions": every}
    assert organiser.post(url("user", "add"), data | rights).status_code == 302
    user = User.objects.get(email="mitra@example.org")
    assert (user.is_staff, user.is_superuser, user.user_permissions.count()) == (False, False, 0)
    assert not user.has_usable_password()


def test_an_organiser_takes_over_no_account(organiser):
    user = factories.UserFactory()
    organiser.post(url("user", "change", user.pk), account(user, email="thief@example.org"))
    assert User.objects.get(pk=user.pk).email == user.email


@pytest.mark.parametrize("facts", [{"is_staff": True}, {"is_superuser": True}])
def test_an_organiser_changes_no_colleague_and_no_owner(organiser, facts):
    user = factories.UserFactory(**facts)
    assert organiser.post(url("user", "change", user.pk), account(user, name="Lain")).status_code == 403


def test_an_organiser_does_not_raise_herself(organiser):
    me = User.objects.get(pk=organiser.session["_auth_user_id"])
    assert organiser.post(url("user", "change", me.pk), account(me, is_superuser="on")).status_code == 403
    assert organiser.get(reverse("admin:auth_group_changelist")).status_code == 403


def test_an_owner_gives_a_new_address_and_no_rights_beside_the_roles(owner):
    user = factories.UserFactory()
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.get(name="Editors").pk]}
    assert (
        owner.post(url("user", "change", user.pk), account(user, email="new@example.org", **rights)).status_code == 302
    )
    user.refresh_from_db()
    assert (user.email, user.is_staff, user.is_superuser, user.groups.count()) == ("new@example.org", False, False, 0)
    assert list(user.emailaddress_set.values_list("email", flat=True)) == ["new@example.org"]


def test_an_address_in_use_is_answered(owner):
    user, other = factories.UserFactory.create_batch(2)
    response = owner.post(url("user", "change", user.pk), account(user, email=other.email.upper()))
    assert list(response.context["adminform"].form.errors) == ["email"]


def test_only_an_owner_removes_a_lost_second_factor(owner, organiser):
    lost = Authenticator.objects.get(user=factories.UserFactory(is_staff=True))
    address = reverse("admin:mfa_authenticator_delete", args=[lost.pk])
    assert organiser.post(address, {"post": "yes"}).status_code == 403
    page = owner.get(reverse("admin:mfa_authenticator_change", args=[lost.pk])).content.decode()
    assert lost.data["secret"] not in page
    assert owner.post(address, {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.filter(pk=lost.pk).exists()


def test_a_partners_person_is_added_by_organisation_and_account(organiser):
    organisation, user = factories.OrganisationFactory(), factories.UserFactory()
    where = {"app_label": "registration", "model_name": "partnermember", "field_name": "user"}
    found = organiser.get(reverse("admin:autocomplete"), where | {"term": user.email}).json()["results"]
    data = {"organisation": organisation.pk, "user": found[0]["id"], "role": "viewer"}
    assert organiser.post(url("partnermember", "add"), data).status_code == 302
    assert PartnerMember.objects.get(user=user).organisation == organisation
    again = organiser.post(url("partnermember", "add"), data)
    assert again.context["adminform"].form.errors


# ---- The start page


def test_the_start_page_counts_seats_waiting_and_stuck_mail(organiser):
    webinar = factories.WebinarFactory(capacity=7)
    factories.RegistrationFactory.create_batch(5, webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    factories.OutgoingMailFactory(failed=True)
    page = organiser.get("/en/admin/")
    assert page.context["webinars"][0]["words"] == ["5 of 7 seats taken", "1 person waits"]
    assert b"1 mail could not be sent" in page.content
    stuck = organiser.get(page.context["mail"]["log"]).context["cl"].result_list
    assert [row.status for row in stuck] == ["FAILED"]


def test_the_start_page_without_an_edition(organiser):
    assert organiser.get("/admin/").status_code == 200
