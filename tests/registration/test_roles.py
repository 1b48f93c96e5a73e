"""What each role may do, who gives it, and that nothing is left of it when it ends."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from registration import roles, sessions
from registration.models import AuditEntry, PartnerMember, Role, SensitiveAnswers, User
from registration.roles import Held
from tests import factories

pytestmark = pytest.mark.django_db


def staff(role, **facts):
    if role == Role.OWNER:
        return factories.UserFactory(organiser=True, **facts)
    user = factories.UserFactory(is_staff=True, **facts)
    user.groups.add(Group.objects.get(name=roles.GROUPS[role]))
    return user


def member(place, organisation=None, **facts):
    own = {"organisation": organisation} if organisation else {}
    return factories.PartnerMemberFactory(role=place, **own, **facts)


def deeds():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "details", "actor_name"))


@pytest.mark.parametrize("role", roles.GROUPS)
def test_a_group_has_the_rights_of_its_role_and_no_other(role):
    group = Group.objects.get(name=roles.GROUPS[role])
    has = {f"{label}.{name}" for label, name in group.permissions.values_list("content_type__app_label", "codename")}
    assert has == roles.RIGHTS[role]


def test_no_group_but_those_of_the_roles_exists():
    assert set(Group.objects.values_list("name", flat=True)) == set(roles.GROUPS.values())


def test_no_group_sees_sensitive_answers():
    assert not Group.objects.filter(permissions__content_type__model="sensitiveanswers").exists()


# ---- Who gives which


def test_who_may_give_which_role():
    own, other = factories.OrganisationFactory.create_batch(2)
    owner, organiser, editor = (staff(role) for role in (Role.OWNER, Role.ORGANISER, Role.EDITOR))
    manager, viewer = member("manager", own).user, member("viewer", own).user
    gives = {
        "owner": owner,
        "organiser": organiser,
        "editor": editor,
        "manager": manager,
        "viewer": viewer,
        "nobody": factories.UserFactory(),
    }
    every = [(role, None) for role in roles.STAFF] + [(role, each) for role in roles.MEMBERS for each in (own, other)]
    allowed = {
        name: {(role, place) for role, place in every if roles.may_give(user, role, place)}
        for name, user in gives.items()
    }
    of_partners = {(role, place) for role, place in every if place}
    assert allowed == {
        "owner": set(every),
        "organiser": of_partners,
        "editor": set(),
        "manager": {(role, own) for role in roles.MEMBERS},
        "viewer": set(),
        "nobody": set(),
    }


def test_a_partners_role_needs_an_organisation_and_one_of_staff_none():
    owner = staff(Role.OWNER)
    assert not roles.may_give(owner, Role.PARTNER_VIEWER)
    assert not roles.may_give(owner, Role.EDITOR, factories.OrganisationFactory())


def test_an_account_that_is_shut_gives_nothing():
    assert not roles.may_give(staff(Role.OWNER, is_active=False), Role.EDITOR)


@pytest.mark.parametrize("role", roles.STAFF)
def test_a_role_of_staff_comes_and_goes(now, role):
    owner, user = staff(Role.OWNER), factories.UserFactory()
    assert roles.give(user, Held(role), actor=owner, now=now)
    assert not roles.give(user, Held(role), actor=owner, now=now)
    assert roles.held_by(User.objects.get(pk=user.pk)) == [Held(role)]
    assert User.objects.get(pk=user.pk).is_staff
    assert roles.end(user, Held(role), actor=owner, now=now)
    assert not roles.end(user, Held(role), actor=owner, now=now)
    gone = User.objects.get(pk=user.pk)
    assert (roles.held_by(gone), gone.is_staff, gone.is_superuser) == ([], False, False)
    assert deeds() == [("took_role", role, owner.email), ("ended_role", role, owner.email)]


def test_one_of_two_roles_ends_and_she_stays_of_the_staff(now, signed_in_client):
    owner, user = staff(Role.OWNER), staff(Role.EDITOR)
    roles.give(user, Held(Role.MAIL_DESK), actor=owner, now=now)
    signed_in_client(user)
    roles.end(user, Held(Role.EDITOR), actor=owner, now=now)
    user.refresh_from_db()
    assert user.is_staff
    assert roles.held_by(user) == [Held(Role.MAIL_DESK)]
    assert sessions.of(user, now=now).count() == 1


def test_a_place_in_one_organisation_is_none_in_another(now):
    owner, user = staff(Role.OWNER), factories.UserFactory()
    own, other = factories.OrganisationFactory.create_batch(2)
    roles.give(user, Held(Role.PARTNER_MANAGER, own), actor=owner, now=now)
    assert (roles.is_manager(user, own), roles.is_manager(user, other)) == (True, False)
    assert not roles.end(user, Held(Role.PARTNER_MANAGER, other), actor=owner, now=now)


def test_a_viewer_who_is_made_manager_has_one_row(now):
    viewer, owner = member("viewer"), staff(Role.OWNER)
    roles.give(viewer.user, Held(Role.PARTNER_MANAGER, viewer.organisation), actor=owner, now=now)
    assert PartnerMember.objects.get().role == "manager"


# ---- Ending


def test_the_last_owner_stays(now):
    owner = staff(Role.OWNER)
    staff(Role.OWNER, is_active=False)
    with pytest.raises(roles.Refused):
        roles.end(owner, Held(Role.OWNER), actor=owner, now=now)
    other = staff(Role.OWNER)
    assert roles.end(owner, Held(Role.OWNER), actor=other, now=now)


def test_the_last_owners_account_is_not_shut(signed_in_client):
    owner = staff(Role.OWNER)
    data = {"email": owner.email, "name": owner.name, "language": "id"}
    page = reverse("admin:registration_user_change", args=[owner.pk])
    response = signed_in_client(owner).post(page, data)
    assert list(response.context["adminform"].form.errors) == ["is_active"]
    staff(Role.OWNER)
    assert signed_in_client(owner).post(page, data).status_code == 302


def test_nobody_ends_a_role_that_she_may_not_give(now):
    organiser, editor = staff(Role.ORGANISER), staff(Role.EDITOR)
    with pytest.raises(PermissionDenied):
        roles.end(editor, Held(Role.EDITOR), actor=organiser, now=now)
    manager, outsider = member("manager"), member("viewer")
    with pytest.raises(PermissionDenied):
        roles.end(outsider.user, roles.held_as(outsider), actor=manager.user, now=now)
    assert PartnerMember.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_a_manager_does_not_remove_herself(now):
    manager = member("manager")
    with pytest.raises(roles.Refused):
        roles.end(manager.user, roles.held_as(manager), actor=manager.user, now=now)


def test_removed_members_with_open_sessions_see_nothing(now, signed_in_client):
    """The window stays open on her desk; each request asks anew, and her session is gone too."""
    viewer, organiser = member("viewer"), staff(Role.ORGANISER)
    webinar = factories.WebinarFactory(hosts=[viewer.organisation])
    seat = factories.RegistrationFactory(webinar=webinar)
    factories.ConsentFactory(participant=seat.participant, partner=viewer.organisation)
    window = signed_in_client(viewer.user)
    lists = reverse("registration:attendees_csv", args=[webinar.slug])
    assert window.get(lists).status_code == 200
    roles.end(viewer.user, roles.held_as(viewer), actor=organiser, now=now)
    assert window.get(lists)["Location"].startswith("/akun/masuk/")
    again = signed_in_client(viewer.user)
    assert again.get(lists).status_code == 404
    assert again.get(reverse("registration:partner_room")).status_code == 404


def test_who_keeps_another_role_stays_signed_in_but_sees_that_room_no_more(now, signed_in_client):
    one = member("viewer")
    two = member("viewer", user=one.user)
    window = signed_in_client(one.user)
    roles.end(one.user, roles.held_as(one), actor=staff(Role.OWNER), now=now)
    html = window.get(reverse("registration:partner_room")).content.decode()
    assert two.organisation.name in html
    assert one.organisation.name not in html


def test_staff_whose_role_has_ended_see_nothing_of_the_admin(now, signed_in_client):
    owner, organiser = staff(Role.OWNER), staff(Role.ORGANISER)
    window = signed_in_client(organiser)
    assert window.get("/admin/registration/participant/").status_code == 200
    roles.end(organiser, Held(Role.ORGANISER), actor=owner, now=now)
    assert window.get("/admin/registration/participant/").status_code == 302
    assert signed_in_client(organiser).get("/admin/registration/participant/").status_code == 302


# ---- Sensitive answers


QUESTIONS = [
    ("participant", "sensitive_answers__seeing=1"),
    ("participant", "sensitive_answers__isnull=False"),
    ("participant", "sensitive_answers=1"),
    ("participant", "sensitive_answers__in=1,2"),
    ("registration", "participant__sensitive_answers__isnull=False"),
    ("registration", "participant__sensitive_answers__seeing__gte=1"),
    ("consent", "participant__sensitive_answers__isnull=False"),
    ("event", "participant__sensitive_answers__isnull=False"),
    ("user", "participants__sensitive_answers__isnull=False"),
    ("attendance", "registration__participant__sensitive_answers__isnull=False"),
    ("outgoingmail", "participant__sensitive_answers__isnull=False"),
]


@pytest.mark.parametrize(("model", "question"), QUESTIONS)
def test_no_filter_tells_of_sensitive_answers(model, question, signed_in_client):
    organiser = signed_in_client(staff(Role.ORGANISER))
    page = reverse(f"admin:registration_{model}_changelist")
    assert organiser.get(f"{page}?{question}").status_code in (302, 400)  # 302: ?e=1, without the filter


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.EDITOR, Role.MAIL_DESK, Role.OBSERVER])
def test_sensitive_answers_are_the_owners_alone(role, signed_in_client, now):
    person = factories.ParticipantFactory(name="Bunga Rahasia")
    row = SensitiveAnswers.objects.create(participant=person, delete_on=now.date(), access_needs="bahasa isyarat")
    client = signed_in_client(staff(role))
    for page, arguments in (("changelist", []), ("change", [row.pk]), ("history", [row.pk]), ("delete", [row.pk])):
        address = reverse(f"admin:registration_sensitiveanswers_{page}", args=arguments)
        assert client.get(address).status_code == 403
    if role == Role.ORGANISER:
        person_page = client.get(reverse("admin:registration_participant_change", args=[person.pk])).content.decode()
        assert "Bunga Rahasia" in person_page
        assert "bahasa isyarat" not in person_page
