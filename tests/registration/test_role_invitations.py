"""From the invitation to the second factor and the room."""

from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode

from registration import letters, links, roleinvitations, roles
from registration.cards import Obsolete
from registration.models import AuditEntry, OutgoingMail, PartnerMember, Role, RoleInvitation, User
from registration.roles import Held
from tests import factories
from tests.registration.test_roles import member, staff

pytestmark = pytest.mark.django_db


def invite(held, actor, now, email="baru@example.org"):
    return roleinvitations.invite(email, held, language="id", actor=actor, now=now)


def address(invitation):
    return reverse("registration:role", args=[links.role_token(invitation)])


@pytest.fixture
def offer(now):
    """Of a manager, to be a viewer beside her."""
    manager = member("manager")
    return invite(Held(Role.PARTNER_VIEWER, manager.organisation), manager.user, now)


def test_an_invitation_is_one_row_one_mail_and_one_line_in_the_audit(now):
    owner = staff(Role.OWNER)
    for _click in range(2):
        invite(Held(Role.EDITOR), owner, now)
    row = RoleInvitation.objects.get()
    assert (row.email, row.role, row.invited_by, row.ends_at) == (
        "baru@example.org",
        "editor",
        owner,
        now + timedelta(days=7),
    )
    assert OutgoingMail.objects.get().kind == "role_invitation"
    assert set(AuditEntry.objects.values_list("action", "object_type")) == {("invited", "registration.roleinvitation")}


@pytest.mark.parametrize("role", roles.STAFF)
def test_an_organiser_invites_nobody_to_the_staff(now, role):
    with pytest.raises(PermissionDenied):
        invite(Held(role), staff(Role.ORGANISER), now)
    assert not RoleInvitation.objects.exists()


def test_a_manager_invites_to_no_other_organisation(now):
    with pytest.raises(PermissionDenied):
        invite(Held(Role.PARTNER_VIEWER, factories.OrganisationFactory()), member("manager").user, now)


def test_who_has_the_role_is_not_invited(now):
    viewer, owner = member("viewer"), staff(Role.OWNER)
    with pytest.raises(roles.Refused):
        invite(roles.held_as(viewer), owner, now, email=viewer.user.email.upper())


def test_many_in_an_hour_are_refused(now):
    owner = staff(Role.OWNER)
    for number in range(40):
        invite(Held(Role.EDITOR), owner, now, email=f"a{number}@example.org")
    with pytest.raises(roles.Refused):
        invite(Held(Role.EDITOR), owner, now, email="lain@example.org")
    invite(Held(Role.EDITOR), staff(Role.OWNER), now, email="lain@example.org")


# ---- The whole way


def test_from_the_mail_to_the_room(client, offer, now, mailbox):
    page = address(offer)
    html = client.get(page).content.decode()
    assert offer.organisation.name in html
    assert not User.objects.filter(email="baru@example.org").exists()
    to_code = client.post(page)["Location"]
    assert to_code == f"/akun/kode/?{urlencode({'next': page})}"
    code = OutgoingMail.objects.get(kind="code", to="baru@example.org").context["code"]
    assert client.post("/akun/kode/", {"code": code, "next": page})["Location"] == page
    assert "Tulis nama Anda." in client.post(page).content.decode()
    assert not PartnerMember.objects.filter(user__email="baru@example.org").exists()
    assert client.post(page, {"name": " Maria  Baru "})["Location"] == reverse("mfa_index")
    user = User.objects.get(email="baru@example.org")
    assert user.name == "Maria Baru"
    assert PartnerMember.objects.get(user=user).role == "viewer"
    assert client.get("/ruang-mitra/")["Location"] == reverse("mfa_index")
    activate = reverse("mfa_activate_totp")
    secret = client.get(activate).context["form"].secret
    right = format_hotp_value(hotp_value(secret, int(now.timestamp()) // 30))
    assert client.post(activate, {"code": right})["Location"] == reverse("mfa_view_recovery_codes")
    codes = client.get(reverse("mfa_view_recovery_codes"))
    assert codes.status_code == 200, codes["Location"]
    assert len(codes.context["unused_codes"]) == 10
    assert "/ruang-mitra/" in codes.content.decode()
    download = client.get(reverse("mfa_download_recovery_codes"))
    assert download.content.decode().split() == codes.context["unused_codes"]
    assert client.get("/ruang-mitra/").status_code == 200
    assert list(AuditEntry.objects.filter(action="took_role").values_list("actor", "details")) == [
        (user.pk, "partner_viewer")
    ]


def test_whose_name_is_known_is_not_asked_for_it(offer, signed_in_client):
    user = factories.UserFactory(email="baru@example.org", name="Maria")
    client = signed_in_client(user)
    assert 'name="name"' not in client.get(address(offer)).content.decode()
    assert client.post(address(offer), {"name": "Lain"}).status_code == 302
    user.refresh_from_db()
    assert user.name == "Maria"


def test_who_attends_is_offered_the_name_that_she_told_there(offer, signed_in_client):
    user = factories.UserFactory(email="baru@example.org", name="")
    factories.ParticipantFactory(account=user, email=user.email, name="Maria Peserta")
    html = signed_in_client(user).get(address(offer)).content.decode()
    assert 'value="Maria Peserta"' in html


def test_a_name_that_leads_elsewhere_is_none(offer, signed_in_client):
    client = signed_in_client(factories.UserFactory(email="baru@example.org", name=""))
    assert client.post(address(offer), {"name": "www.example.org"}).status_code == 200
    assert not PartnerMember.objects.filter(user__email="baru@example.org").exists()


def test_each_lands_where_she_is_at_home(client, now):
    places = {
        staff(Role.EDITOR): reverse("admin:index"),
        member("viewer").user: reverse("registration:partner_room"),
        factories.UserFactory(): reverse("registration:mine"),
    }
    for user, place in places.items():
        client.cookies.clear()
        client.post("/akun/masuk/", {"email": user.email})
        code = OutgoingMail.objects.filter(kind="code", to=user.email).latest("pk").context["code"]
        answer = client.post("/akun/kode/", {"code": code})
        if answer["Location"] == reverse("mfa_authenticate"):
            [first, *_others] = RecoveryCodes.activate(user).instance.wrap().get_unused_codes()
            answer = client.post(answer["Location"], {"code": first})
        assert answer["Location"] == place


def test_a_recovery_code_opens_once(client, now):
    user = staff(Role.EDITOR)
    [first, *_others] = RecoveryCodes.activate(user).instance.wrap().get_unused_codes()

    def sign_in():
        client.cookies.clear()
        client.post("/akun/masuk/", {"email": user.email})
        code = OutgoingMail.objects.filter(kind="code").latest("pk").context["code"]
        return client.post("/akun/kode/", {"code": code})["Location"]

    assert sign_in() == reverse("mfa_authenticate")
    assert client.post(reverse("mfa_authenticate"), {"code": first}).status_code == 302
    assert client.get("/admin/").status_code == 200


# ---- What does not open


def test_another_person_is_told_so_and_gets_nothing(offer, signed_in_client):
    other = factories.UserFactory()
    client = signed_in_client(other)
    html = client.get(address(offer)).content.decode()
    assert other.email in html
    assert "baru@example.org" in html
    assert client.post(address(offer)).status_code == 403
    assert not PartnerMember.objects.filter(user=other).exists()


def test_a_forged_link_opens_nothing(client, offer):
    token = links.role_token(offer)
    for forged in (f"{token}x", token.replace(f"{offer.pk}.", f"{offer.pk + 1}.", 1), "x"):
        response = client.get(reverse("registration:role", args=[forged]))
        assert response.status_code == 404
    # Signed for another purpose.
    assert client.get(reverse("registration:role", args=[links.unsubscribe_token(offer.pk)])).status_code == 404


def words_of(client, offer):
    response = client.get(address(offer))
    return response.status_code, response.context["state"]


def test_an_old_link_says_so(client, offer, time_machine, now):
    page = address(offer)
    time_machine.move_to(now + timedelta(days=7, seconds=1), tick=False)
    response = client.get(page)
    assert (response.status_code, response.context["state"]) == (410, "expired")
    assert client.post(page).status_code == 410
    assert not OutgoingMail.objects.filter(kind="code").exists()


def test_a_link_that_was_taken_back_says_so(client, offer, now):
    assert roleinvitations.revoke(offer, actor=offer.invited_by, now=now)
    assert not roleinvitations.revoke(offer, actor=offer.invited_by, now=now)
    assert words_of(client, offer) == (410, "revoked")
    assert client.post(address(offer)).status_code == 410


def test_a_link_works_once(client, offer, signed_in_client, now):
    user = factories.UserFactory(email="baru@example.org")
    assert roleinvitations.take(offer, user, now=now)
    assert not roleinvitations.take(offer, user, now=now)
    assert words_of(client, offer) == (410, "taken")
    assert signed_in_client(user).get(address(offer)).context["place"] == "/ruang-mitra/"


def test_a_partners_viewer_who_becomes_an_organiser_goes_on_to_the_desk(signed_in_client, now):
    viewer = member("viewer").user
    offer = invite(Held(Role.ORGANISER), staff(Role.OWNER), now, email=viewer.email)
    assert signed_in_client(viewer).post(address(offer))["Location"] == reverse("admin:index")


def test_an_invitation_falls_with_her_who_gave_it(client, offer, now):
    """A manager who leaves does not come back by the mailbox of a friend."""
    by = PartnerMember.objects.get(user=offer.invited_by)
    roles.end(by.user, roles.held_as(by), actor=staff(Role.OWNER), now=now)
    offer.refresh_from_db()
    assert offer.revoked_at == now
    assert words_of(client, offer) == (410, "revoked")


def test_a_shut_accounts_invitation_is_good_for_nothing(client, offer):
    User.objects.filter(pk=offer.invited_by_id).update(is_active=False)
    assert words_of(client, offer) == (410, "revoked")


def test_the_mail_of_an_invitation_that_was_taken_back_does_not_go(offer, now):
    mail = OutgoingMail.objects.get(kind="role_invitation")
    assert letters.compose(mail, now=now).to == ["baru@example.org"]
    roleinvitations.revoke(offer, actor=offer.invited_by, now=now)
    with pytest.raises(Obsolete):
        letters.compose(mail, now=now)


def test_old_invitations_are_forgotten(offer, now):
    assert roleinvitations.forget(now=now + timedelta(days=90)) == 0
    assert roleinvitations.forget(now=now + timedelta(days=98)) == 1


def test_the_mail_desk_sees_that_a_mail_went_and_not_the_links_in_it(signed_in_client):
    mail = factories.OutgoingMailFactory(sent=True, html="<p>RAHASIA</p>", text="RAHASIA", subject="Konfirmasi")
    page = reverse("admin:registration_outgoingmail_change", args=[mail.pk])
    html = signed_in_client(staff(Role.MAIL_DESK)).get(page).content.decode()
    assert mail.to in html
    assert "RAHASIA" not in html
    assert "RAHASIA" in signed_in_client(staff(Role.ORGANISER)).get(page).content.decode()


# ---- The team's pages


def test_a_manager_sees_her_team_and_no_other(signed_in_client, now):
    manager, bait = member("manager"), member("viewer")
    viewer = member("viewer", manager.organisation)
    client = signed_in_client(manager.user)
    page = reverse("registration:team", args=[manager.organisation.slug])
    html = client.get(page).content.decode()
    assert viewer.user.email in html
    assert bait.user.email not in html
    assert client.post(page, {"email": "baru@example.org", "role": "partner_viewer"})["Location"] == page
    assert client.post(page, {"email": "baru@example.org", "role": "owner"}).status_code == 200
    assert RoleInvitation.objects.get().role == "partner_viewer"
    remove = reverse("registration:team_remove", args=[manager.organisation.slug, viewer.pk])
    assert client.get(remove).status_code == 200
    assert PartnerMember.objects.filter(pk=viewer.pk).exists()
    assert client.post(remove)["Location"] == page
    assert not PartnerMember.objects.filter(pk=viewer.pk).exists()


def test_without_a_second_factor_a_manager_gives_nothing(signed_in_client):
    manager = factories.PartnerMemberFactory(role="manager", user=factories.UserFactory())
    page = reverse("registration:team", args=[manager.organisation.slug])
    response = signed_in_client(manager.user).post(page, {"email": "baru@example.org", "role": "partner_viewer"})
    assert response["Location"] == reverse("mfa_index")
    assert not RoleInvitation.objects.exists()


TEAM = "/admin/registration/roleinvitation/team/"


def test_the_organisers_team_page(signed_in_client):
    organiser, organisation = staff(Role.ORGANISER), factories.OrganisationFactory()
    client = signed_in_client(organiser)
    wanted = {"email": "baru@example.org", "language": "id", "role": "partner_manager"}
    response = client.post(TEAM, wanted)
    assert list(response.context["form"].errors) == ["organisation"]
    assert client.post(TEAM, wanted | {"organisation": organisation.pk})["Location"] == TEAM
    assert client.post(TEAM, wanted | {"role": "owner"}).context["form"].has_error("role")
    assert RoleInvitation.objects.get().organisation == organisation
    row = RoleInvitation.objects.get()
    assert client.post(f"/admin/registration/roleinvitation/{row.pk}/revoke/")["Location"] == TEAM
    row.refresh_from_db()
    assert row.revoked_at


def test_an_organiser_ends_no_role_of_the_staff(signed_in_client):
    editor = staff(Role.EDITOR)
    client = signed_in_client(staff(Role.ORGANISER))
    data = {"user": editor.pk, "role": "editor"}
    assert client.post("/admin/registration/roleinvitation/team/end/", data).status_code == 403
    assert roles.held_by(editor) == [Held(Role.EDITOR)]


def test_an_organiser_takes_back_no_invitation_to_the_staff(signed_in_client, now):
    row = invite(Held(Role.EDITOR), staff(Role.OWNER), now)
    client = signed_in_client(staff(Role.ORGANISER))
    for deed in ("again", "revoke"):
        assert client.post(f"/admin/registration/roleinvitation/{row.pk}/{deed}/").status_code == 403
    assert roleinvitations.standing(row, now=now) == "open"


def test_an_owner_ends_a_role(signed_in_client):
    editor = staff(Role.EDITOR)
    client = signed_in_client(staff(Role.OWNER))
    response = client.post("/admin/registration/roleinvitation/team/end/", {"user": editor.pk, "role": "editor"})
    assert response["Location"] == TEAM
    assert roles.held_by(editor) == []
    assert client.get(TEAM).status_code == 200


@pytest.mark.parametrize("bad", [{"user": "x"}, {"role": "x"}, {"role": "partner_viewer", "organisation": "9" * 30}])
def test_nonsense_is_not_found(signed_in_client, bad):
    owner = staff(Role.OWNER)
    data = {"user": owner.pk, "role": "owner"} | bad
    assert signed_in_client(owner).post("/admin/registration/roleinvitation/team/end/", data).status_code == 404


def test_the_team_page_costs_the_same_for_three(signed_in_client, django_assert_max_num_queries):
    owner = staff(Role.OWNER)
    client = signed_in_client(owner)
    member("viewer")
    client.get(TEAM)
    with CaptureQueriesContext(connection) as one:
        client.get(TEAM)
    for _more in range(2):
        member("viewer")
        staff(Role.EDITOR)
    with django_assert_max_num_queries(len(one)):
        client.get(TEAM)
