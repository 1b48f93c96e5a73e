"""The webinar's page with what registration knows: seats, and a waiting list that moves when seats are added."""

from django.contrib import admin, messages
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conference import admin as conference
from conference.models import Webinar
from registration import waitinglist
from registration.models import Registration

admin.site.unregister(Webinar)

# What the mails have told people already.
TOLD = {"date", "starts_at", "ends_at", "status"}


@admin.register(Webinar)
class WebinarAdmin(conference.WebinarAdmin):
    list_select_related = ["seat_count"]
    actions = ["fill_seats"]

    def get_queryset(self, request):
        waiting = Q(registrations__status=Registration.Status.WAITLISTED)
        return super().get_queryset(request).annotate(waiting_count=Count("registrations", filter=waiting))

    def get_list_display(self, request):
        may_see_people = request.user.has_perm("registration.view_registration")
        return [*super().get_list_display(request), *(["taken", "waiting"] if may_see_people else [])]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change and {"capacity", "status"} & set(form.changed_data):
            self.tell(request, waitinglist.promote(form.instance.pk, now=timezone.now()))
        if change and TOLD & set(form.changed_data) and form.instance.registrations.live().exists():
            words = _("Those already registered get no mail about this change. Please let them know.")
            self.message_user(request, words, messages.WARNING)

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_registration")

    @admin.action(permissions=["decide"], description=_("Give free seats to those who wait"))
    def fill_seats(self, request, queryset):
        webinars = queryset.order_by("pk").values_list("pk", flat=True)
        moved = sum(waitinglist.promote(webinar, now=timezone.now()) for webinar in webinars)
        self.tell(request, moved)
        if not moved:
            self.message_user(request, _("There was no free seat, or nobody waits."), messages.WARNING)

    def tell(self, request, moved):
        if moved:
            words = ngettext(
                "%d person from the waiting list has a seat now and gets a mail.",
                "%d people from the waiting list have a seat now and get a mail.",
                moved,
            )
            self.message_user(request, words % moved, messages.SUCCESS)

    @admin.display(description=_("seats taken"), ordering="seat_count__taken")
    def taken(self, webinar):
        taken = webinar.seat_count.taken if hasattr(webinar, "seat_count") else 0
        url = reverse("admin:registration_registration_changelist", query={"webinar__id__exact": webinar.pk})
        return format_html('<a href="{}">{}</a>', url, taken)

    @admin.display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, webinar):
        return webinar.waiting_count
