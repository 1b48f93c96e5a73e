"""The webinar's page with what registration knows: seats, a waiting list that moves when seats are added, and the mails
that go by themselves."""

from django.contrib import admin, messages
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conference import admin as conference
from conference import timezones
from conference.models import Webinar
from registration import cancelled, changed, reminders, roles, seats, waitinglist
from registration.models import Invitation

admin.site.unregister(Webinar)


@admin.register(Webinar)
class WebinarAdmin(conference.WebinarAdmin):
    actions = ["fill_seats", "tell_now", "keep_quiet"]
    readonly_fields = ["timetable", "change_to_tell"]
    mails = (_("Mails"), {"fields": ["reminder_minutes", "timetable", "change_to_tell"]})

    def get_fieldsets(self, request, obj=None):
        *before, languages = super().get_fieldsets(request, obj)
        return [*before, self.mails, languages]

    def get_queryset(self, request):
        webinars = super().get_queryset(request).select_related("edition", "seat_count")
        webinars = webinars.annotate(waiting_count=waitinglist.lengths())
        if not request.user.writes_drafts_alone:
            return webinars
        return webinars.filter(status=Webinar.Status.DRAFT, publish_at=None)

    def get_readonly_fields(self, request, obj=None):
        """Whoever has no second factor yet publishes nothing, now or later."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, *roles.NOT_IN_DRAFTS] if request.user.writes_drafts_alone else fields

    def get_actions(self, request):
        return {} if request.user.writes_drafts_alone else super().get_actions(request)

    def get_list_display(self, request):
        may_see_people = request.user.has_perm("registration.view_registration")
        return [*super().get_list_display(request), *(["taken", "kept", "waiting"] if may_see_people else [])]

    def save_model(self, request, obj, form, change):
        if change:
            changed.look(obj.pk, now=timezone.now())  # what people know, before it is another thing
        super().save_model(request, obj, form, change)

    def check_filled(self, form):
        super().check_filled(form)
        capacity = form.cleaned_data.get("capacity")
        taken = seats.taken(form.instance) if form.instance.pk and "capacity" in form.changed_data else 0
        if capacity is not None and capacity < taken:
            words = ngettext(
                "%d seat is taken already: the capacity can't be lower.",
                "%d seats are taken already: the capacity can't be lower.",
                taken,
            )
            form.add_error("capacity", words % taken)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        fields = set(form.changed_data) if change else set()
        if "capacity" in fields:
            self.tell(request, waitinglist.promote(form.instance.pk, now=timezone.now()))
        if fields:
            self.look(request, form.instance)

    def look(self, request, webinar):
        changed.look(webinar.pk, now=timezone.now())
        if words := self.change_to_tell(webinar):
            self.message_user(request, words, messages.WARNING)

    # ---- Its state

    def may_publish(self, request, row):
        return super().may_publish(request, row) and not request.user.writes_drafts_alone

    def why_not_unpublish(self, row):
        count = row.registrations.live().count()
        words = ngettext(
            "%d person is signed up or waits: a webinar that has people in it doesn't disappear. Cancel it, and she is "
            "told by mail.",
            "%d people are signed up or wait: a webinar that has people in it doesn't disappear. Cancel it, and they are "
            "told by mail.",
            count,
        )
        guests = Invitation.objects.open().filter(webinar=row).count()
        if not count and guests:
            words = ngettext(
                "%d guest is invited to it. Withdraw the invitation first, or cancel the webinar.",
                "%d guests are invited to it. Withdraw the invitations first, or cancel the webinar.",
                guests,
            )
        return words % (count or guests) if count or guests else ""

    def told_of_cancellation(self, row):
        count = cancelled.number_of_mails(row, now=timezone.now())
        if not count:
            return [_("Nobody is in it, so no mail goes out.")]
        words = ngettext(
            "%d person gets a mail at once that tells of the cancellation and offers the other webinars. That can't be "
            "taken back.",
            "%d people get a mail at once that tells of the cancellation and offers the other webinars. That can't be "
            "taken back.",
            count,
        )
        return [words % count]

    def before_change(self, row):
        changed.look(row.pk, now=timezone.now())

    def state_changed(self, request, row):
        self.pass_on_status(request, row)
        self.tell(request, waitinglist.promote(row.pk, now=timezone.now()))
        self.look(request, row)

    def pass_on_status(self, request, webinar):
        if not webinar.is_cancelled:
            cancelled.is_on_again(webinar.pk)
            return
        count = cancelled.tell(webinar.pk, now=timezone.now())
        words = ngettext(
            "%d mail tells of the cancellation and offers the other webinars.",
            "%d mails tell of the cancellation and offer the other webinars.",
            count,
        )
        words = words % count if count else _("Nobody was in it, so no mail goes out.")
        self.message_user(request, words, messages.SUCCESS)

    def has_decide_permission(self, request):
        return request.user.has_perm("registration.change_registration")

    @admin.action(permissions=["decide"], description=_("Give free seats to those who wait"))
    def fill_seats(self, request, queryset):
        webinars = queryset.order_by("pk").values_list("pk", flat=True)
        moved = sum(waitinglist.promote(webinar, now=timezone.now(), actor=request.user) for webinar in webinars)
        self.tell(request, moved)
        if not moved:
            self.message_user(request, _("There was no free seat, or nobody waits."), messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Tell people of the change now"))
    def tell_now(self, request, queryset):
        webinars = queryset.order_by("pk").values_list("pk", flat=True)
        count = sum(changed.look(webinar, now=timezone.now(), at_once=True) for webinar in webinars)
        words = ngettext("%d mail tells of the change.", "%d mails tell of the change.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @admin.action(permissions=["decide"], description=_("Tell nobody of the change"))
    def keep_quiet(self, request, queryset):
        count = sum(changed.keep_quiet(webinar) for webinar in queryset.order_by("pk").values_list("pk", flat=True))
        words = ngettext("%d change is told to nobody.", "%d changes are told to nobody.", count)
        self.message_user(request, words % count, messages.SUCCESS if count else messages.WARNING)

    @admin.display(description=_("change to tell"), empty_value=_("none"))
    def change_to_tell(self, webinar):
        """When a change goes out by mail, and to how many."""
        notice = changed.pending(webinar) if webinar.pk else None
        count = changed.number_of_mails(notice) if notice else 0
        if not count:
            return None
        at = changed.tells_at(notice.told, notice.seen, notice.seen_at)
        words = ngettext(
            "%(count)d mail tells of the change at %(at)s. If you change something until then, it waits anew; if you "
            "put everything back, nobody is told.",
            "%(count)d mails tell of the change at %(at)s. If you change something until then, they wait anew; if you "
            "put everything back, nobody is told.",
            count,
        )
        return words % {"count": count, "at": f"{timezones.clock(timezone.localtime(at))} WITA"}

    @admin.display(description=_("when they go"), empty_value="-")
    def timetable(self, webinar):
        lines = reminders.timetable(webinar, now=timezone.now()) if webinar.pk else []
        rows = [(spoken_distance(line.minutes), timezones.moment(line.due_at), outcome(line)) for line in lines]
        return format_html_join("", "<p>{}: {} · {}</p>", rows) or None

    def tell(self, request, moved):
        """Close to the start the seat is only offered to them, see waitinglist.py."""
        if moved:
            words = ngettext(
                "%d person from the waiting list gets a seat, or the offer of one, and a mail.",
                "%d people from the waiting list get a seat, or the offer of one, and a mail.",
                moved,
            )
            self.message_user(request, words % moved, messages.SUCCESS)

    @admin.display(description=_("seats taken"), ordering="seat_count__taken")
    def taken(self, webinar):
        taken = webinar.seat_count.taken if hasattr(webinar, "seat_count") else 0
        url = reverse("admin:registration_registration_changelist", query={"webinar__id__exact": webinar.pk})
        return format_html('<a href="{}">{}</a>', url, taken)

    @admin.display(description=_("kept for guests"), ordering="seat_count__reserved")
    def kept(self, webinar):
        kept = webinar.seat_count.reserved if hasattr(webinar, "seat_count") else 0
        url = reverse("admin:registration_invitation_changelist", query={"webinar__id__exact": webinar.pk})
        return format_html('<a href="{}">{}</a>', url, kept)

    @admin.display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, webinar):
        return webinar.waiting_count


def spoken_distance(minutes):
    if minutes and minutes % 1440 == 0:
        return ngettext("%d day before", "%d days before", minutes // 1440) % (minutes // 1440)
    if minutes and minutes % 60 == 0:
        return ngettext("%d hour before", "%d hours before", minutes // 60) % (minutes // 60)
    return ngettext("%d minute before", "%d minutes before", minutes) % minutes


FATES = {
    "to_come": _("to come"),
    "next": _("its hour has passed, and it still helps: it goes within a minute"),
    "too_late": _("not sent: too late to be of use"),
    "overtaken": _("not sent: the mail that tells of the change comes in its place"),
    "off": _("not sent while the webinar is not published"),
}


def outcome(line):
    if line.fate:
        return FATES[line.fate]
    if line.reminder.is_late:
        return _("not sent: too late to be of use")
    words = _("%(sent)d sent, %(waiting)d on the way, %(lost)d not delivered or of no use any more")
    return words % {"sent": line.sent, "waiting": line.waiting, "lost": line.lost}
