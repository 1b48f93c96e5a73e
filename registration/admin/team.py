"""Who has which role: inviting, taking back, ending."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from conference.models import Organisation
from registration import accounts, roleinvitations, roles
from registration.admin.readonly import ReadOnlyAdmin, pk_of
from registration.models import Role, RoleInvitation, User
from registration.role_forms import TeamForm
from registration.roles import Held

TEAM = "admin:registration_roleinvitation_team"


@admin.register(RoleInvitation)
class RoleInvitationAdmin(ReadOnlyAdmin):
    """All invitations of the last months; the team's own page is where they are written."""

    list_display = ["created_at", "email", "role", "organisation", "invited_by", "ends_at", "taken_at", "revoked_at"]
    list_filter = ["role"]
    list_select_related = ["organisation", "invited_by"]
    search_fields = ["email", "organisation__name_ind", "organisation__acronym"]
    ordering = ["-created_at", "-pk"]
    actions_list = ["to_team"]

    def get_urls(self):
        guard, name = self.admin_site.admin_view, "registration_roleinvitation"
        own = [
            path("team/", guard(self.team), name=f"{name}_team"),
            path("team/end/", guard(self.end), name=f"{name}_end"),
            path("<int:pk>/again/", guard(self.again), name=f"{name}_again"),
            path("<int:pk>/revoke/", guard(self.revoke), name=f"{name}_revoke"),
        ]
        return [*own, *super().get_urls()]

    @action(description=_("Team"), url_path="to-team", permissions=["view"])
    def to_team(self, request):
        return redirect(TEAM)

    def team(self, request):
        self.need_to_see(request)
        form = styled(TeamForm(request.POST or None, actor=request.user, initial={"language": "id"}))
        if request.method == "POST" and form.is_valid() and self.invite(request, form):
            return redirect(TEAM)
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Team")}
        context = {**frame, "form": form, "invitations": invitations(request.user), **people(request.user)}
        return TemplateResponse(request, "admin/registration/roleinvitation/team.html", context)

    def invite(self, request, form):
        data = form.cleaned_data
        held = Held(Role(data["role"]), data["organisation"])
        try:
            roleinvitations.invite(
                data["email"], held, language=data["language"], actor=request.user, now=timezone.now()
            )
        except roles.Refused as refused:
            form.add_error("email", str(refused))
            return False
        words = _("The invitation is on its way to %(email)s.") % {"email": data["email"]}
        self.message_user(request, words, messages.SUCCESS)
        return True

    @method_decorator(require_POST)
    def again(self, request, pk):
        self.need_to_see(request)
        invitation = get_object_or_404(RoleInvitation, pk=pk)
        self.say(request, _("Sent again."), lambda now: roleinvitations.again(invitation, actor=request.user, now=now))
        return redirect(TEAM)

    @method_decorator(require_POST)
    def revoke(self, request, pk):
        self.need_to_see(request)
        invitation = get_object_or_404(RoleInvitation, pk=pk)
        words = _("The invitation is taken back.")
        self.say(request, words, lambda now: roleinvitations.revoke(invitation, actor=request.user, now=now))
        return redirect(TEAM)

    @method_decorator(require_POST)
    def end(self, request):
        self.need_to_see(request)
        user = User.objects.filter(pk=pk_of(request.POST.get("user"))).first()
        held = held_from(request.POST)
        if user is None or held is None:
            raise Http404
        words = _("%(person)s has this role no more.") % {"person": user}
        self.say(request, words, lambda now: roles.end(user, held, actor=request.user, now=now))
        may_still_see = user.pk != request.user.pk or User.objects.get(pk=user.pk).is_staff
        return redirect(TEAM if may_still_see else "registration:mine")

    def need_to_see(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied

    def say(self, request, words, deed):
        try:
            is_done = deed(timezone.now())
        except roles.Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            too_late = _("Nothing has changed: somebody was quicker.")
            self.message_user(request, words if is_done else too_late, messages.SUCCESS if is_done else messages.INFO)


def styled(form):
    form.fields["email"].widget = UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"})
    for name in ("role", "organisation", "language"):
        field = form.fields[name]
        field.widget = UnfoldAdminSelectWidget(choices=field.choices)
    return form


def held_from(data):
    role = data.get("role")
    if role not in Role.values:
        return None
    if not Role(role).is_partners:
        return Held(Role(role))
    organisation = Organisation.objects.filter(pk=pk_of(data.get("organisation"))).first()
    return Held(Role(role), organisation) if organisation else None


def people(actor):
    """Staff, and partners' people by organisation; each role with whether this reader may end it."""
    has_role = Q(is_superuser=True) | Q(groups__name__in=roles.GROUPS.values()) | Q(partner_memberships__isnull=False)
    users = list(User.objects.filter(has_role).distinct().order_by("name", "email"))
    held, proven = roles.held_by_each(users), with_second_factor(users)
    may_end_partners = roles.roles_to_give(actor)
    staff, partners = [], []
    for user in users:
        for each in held[user.pk]:
            row = {"user": user, "held": each, "is_proven": user.pk in proven, "may_end": each.role in may_end_partners}
            (partners if each.organisation else staff).append(row)
    staff.sort(key=lambda row: roles.STAFF.index(row["held"].role))
    partners.sort(key=lambda row: (row["held"].organisation.name, row["held"].role))
    return {"staff": staff, "partners": partners}


def with_second_factor(users):
    return set(accounts.real_factors().filter(user__in=users).values_list("user", flat=True))


def invitations(actor):
    now, may = timezone.now(), roles.roles_to_give(actor)
    rows = roleinvitations.pending().order_by("-created_at")
    return [(row, roleinvitations.standing(row, now=now), Role(row.role) in may) for row in rows]
