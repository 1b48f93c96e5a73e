"""The forms of announcements: what is written, to whom it goes, and when."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSplitDateTimeWidget,
)

from conference.models import Webinar
from registration import announcements, audiences, regions
from registration.models import Announcement, Participant

LANGUAGES = [("id", "Bahasa Indonesia"), ("en", "English")]
IN_EDITION, EVERYBODY = "edition", "everybody"


def ticks(label, choices, help_text=""):
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        help_text=help_text,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class AnnouncementForm(forms.ModelForm):
    """The filters of `audiences` as boxes to tick; saved as the JSON that they stand for."""

    about = forms.ChoiceField(
        label=_("What it is about"),
        choices=list(audiences.ABOUT.items()),
        initial=audiences.NEWS,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=_(
            "About their own webinars you may write to everybody who is registered for them: it belongs to taking "
            "part. Anything else goes only to people who have ticked that they want news; the site leaves the others "
            "out by itself. A mail about another event or a request for donations is never about their own webinars."
        ),
    )
    reach = forms.ChoiceField(
        label=_("Of which edition"),
        choices=[
            (IN_EDITION, _("People who are registered in the edition above")),
            (EVERYBODY, _("Everybody who has asked for news, of any edition")),
        ],
        initial=IN_EDITION,
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    webinars = forms.TypedMultipleChoiceField(
        label=_("Webinars"),
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: all webinars of the edition."),
    )
    statuses = ticks(
        _("Registration"),
        list(audiences.STATUSES.items()),
        _("None ticked: confirmed and waiting. Who has cancelled is written to only when that is ticked."),
    )
    attended = forms.ChoiceField(
        label=_("Attendance"),
        choices=[("", _("Makes no difference")), *audiences.ATTENDED.items()],
        required=False,
        widget=UnfoldAdminRadioSelectWidget,
    )
    provinces = forms.MultipleChoiceField(
        label=_("Provinces"),
        choices=regions.province_choices,
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("None chosen: all provinces."),
    )
    languages = ticks(_("Language of their mails"), LANGUAGES)
    organisation_kinds = ticks(_("Kind of organisation"), Participant.OrganisationKind.choices)
    consents = ticks(_("Have agreed to"), list(audiences.CONSENTS.items()), _("None ticked: makes no difference."))

    class Meta:
        model = Announcement
        fields = ("edition", "subject", "body")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        webinars = Webinar.objects.select_related("edition").order_by("-edition__year", "number", "pk")
        self.fields["webinars"].choices = [
            (row.pk, f"{row.edition.year} · {row.number}. {row.title}") for row in webinars
        ]
        self.show(self.instance.audience)

    def show(self, data):
        try:
            audience = audiences.read(data)
        except ValidationError:
            return  # written by another hand: chosen anew, from what widens nothing
        for name, value in audience.as_json().items():
            if name in self.fields:
                self.fields[name].initial = value
        if self.instance.pk:
            self.fields["reach"].initial = IN_EDITION if audience.editions else EVERYBODY

    def clean(self):
        data = super().clean()
        for field, words in announcements.slips(data):
            if field in self.fields:
                self.add_error(field, words)
        if self.errors:
            return data
        self.audience = audiences.read(self.filters(data))
        for name, words in audiences.objections(self.audience).items():
            self.add_error(name if name in self.fields else "reach", words)
        return data

    def filters(self, data):
        names = ("webinars", "statuses", "provinces", "languages", "organisation_kinds", "consents")
        chosen = {name: list(data[name]) for name in names if data.get(name)}
        about = data.get("about") or audiences.NEWS
        is_of_edition = data.get("reach") != EVERYBODY or about == audiences.OWN_WEBINARS
        editions = {"editions": [data["edition"].pk]} if is_of_edition else {}
        return {"about": about, "attended": data.get("attended", ""), **editions, **chosen}

    def save(self, commit=True):
        self.instance.audience = self.audience.as_json()
        return super().save(commit)


class SendForm(forms.Form):
    when = forms.ChoiceField(
        label=_("When"),
        choices=[("now", _("Now")), ("later", _("At the hour below"))],
        initial="now",
        widget=UnfoldAdminRadioSelectWidget,
    )
    send_at = forms.SplitDateTimeField(
        label=_("Day and hour"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("In WITA. Whoever is meant at that hour gets it."),
    )

    def clean(self):
        data = super().clean()
        if data.get("when") == "later" and "send_at" not in self.errors:
            if not data.get("send_at"):
                self.add_error("send_at", _("Write the day and the hour."))
            elif data["send_at"] <= timezone.now():
                self.add_error("send_at", _("This hour has passed."))
        return data
