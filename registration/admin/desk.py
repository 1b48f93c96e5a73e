"""Forms and pages of what organisers do by hand: each says what will happen before it does it."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    SELECT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from conference.models import Edition
from registration import addresses, care
from registration.forms import AddressField, PersonForm
from registration.models import Participant, User
from registration.signup import Person

LANGUAGES = [("id", "Bahasa Indonesia"), ("en", "English")]


# ---- Signing a person up


class SignUpForm(PersonForm):
    """As the public form, from paper or the telephone, and about her, not to her."""

    field_order = ["name", "email", "carer", "same_person", "webinars"]

    email = AddressField(
        label=_("Her email"),
        max_length=254,
        required=False,
        help_text=_("Her links go there. Leave it empty for a person without an address of her own."),
        widget=UnfoldAdminEmailInputWidget,
    )
    carer = forms.EmailField(
        label=_("Whose account gets her mail"),
        required=False,
        help_text=_(
            "Only for a person without an address: the email of an account that exists already. Left empty it is your "
            "own account, and you pass the links on, for example by phone."
        ),
        widget=UnfoldAdminEmailInputWidget,
    )
    same_person = forms.BooleanField(
        label=_("I have looked at it: go on all the same"),
        required=False,
        help_text=_("Only if this form has asked you about a person who is known already."),
        widget=UnfoldBooleanWidget,
    )
    webinars = forms.MultipleChoiceField(
        label=_("Webinars"),
        help_text=_(
            "Only those that are open for registration. Where no seat is left she comes onto the waiting list."
        ),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": _("Choose at least one webinar.")},
    )
    language = forms.ChoiceField(
        label=_("Language of her mails"), choices=LANGUAGES, initial="id", widget=UnfoldAdminSelectWidget
    )
    consent_processing = forms.BooleanField(
        label=_("She has agreed that her data is used so that she can take part."),
        error_messages={"required": _("Without this consent she can't be registered.")},
        widget=UnfoldBooleanWidget,
    )
    consent_partners = forms.MultipleChoiceField(
        label=_("She has agreed that these organisations receive her data"),
        required=False,
        help_text=_("Only what she has ticked on the form or said in so many words."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    note = forms.CharField(
        label=_("Where her consent is kept"),
        max_length=280,
        help_text=_("Such as: paper form of 12 May, folder Kupang. It stands in her history."),
        error_messages={"required": _("Write where her consent is kept, or how she gave it.")},
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args, actor, now, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        edition = Edition.objects.current()
        self.open_webinars = edition.open_webinars(now) if edition else []
        self.fields["webinars"].choices = [(webinar.pk, webinar.title) for webinar in self.open_webinars]
        hosts = {host.pk: host.name for webinar in self.open_webinars for host in webinar.hosts.all()}
        self.fields["consent_partners"].choices = list(hosts.items())
        self.speak_of_her()
        self.dress()

    def speak_of_her(self):
        words = {
            "name": (_("Name"), _("One word is enough. Her certificate will carry this name.")),
            "province": (_("Province"), _("So that the hours in her mail are those of her clock.")),
            "phone": (_("Phone"), _("So that you can reach her. A person without an address is known by it.")),
            "guardian_name": (_("Name of her parent or guardian"), _("Only if she is under 18.")),
            "guardian_consent": (_("Her parent or guardian has agreed."), ""),
        }
        for name, (label, help_text) in words.items():
            self.fields[name].label, self.fields[name].help_text = label, help_text
        self.fields["name"].error_messages["required"] = _("Write her name.")
        self.fields["province"].error_messages["required"] = _("Choose her province.")

    def dress(self):
        for name in ("name", "phone", "guardian_name", "organisation"):
            self.fields[name].widget.attrs["class"] = " ".join(INPUT_CLASSES)
        self.fields["regency"].widget.attrs["class"] = " ".join(SELECT_CLASSES)
        for name in ("province", "age_group", "organisation_kind"):
            self.fields[name].widget = UnfoldAdminSelectWidget(choices=self.fields[name].choices)
        self.fields["gender"].widget = UnfoldAdminRadioSelectWidget(choices=self.fields["gender"].choices)
        self.fields["guardian_consent"].widget = UnfoldBooleanWidget()

    def check_guardian(self):
        if self.cleaned_data.get("age_group") != Participant.AgeGroup.UNDER_18:
            self.cleaned_data["guardian_name"] = ""
            return
        if not self.cleaned_data.get("guardian_name"):
            self.add_error("guardian_name", _("She is under 18: write the name of her parent or guardian."))
        if not self.cleaned_data.get("guardian_consent"):
            self.add_error("guardian_consent", _("She is under 18: her parent or guardian must agree."))

    def clean(self):
        super().clean()
        self.check_carer()
        self.check_known()

    def check_carer(self):
        email, carer = self.cleaned_data.get("email"), self.cleaned_data.get("carer")
        if "email" in self.errors or "carer" in self.errors:
            return
        if email and carer:
            self.add_error("carer", _("She has an address of her own. Leave one of the two empty."))
        self.carer = User.objects.filter(email_key=addresses.key(carer)).first() if carer else self.actor
        if carer and not self.carer:
            self.add_error("carer", _("There is no account of this address."))

    def check_known(self):
        """A slip in an address must not sign up somebody else."""
        email = self.cleaned_data.get("email")
        known = Participant.objects.filter(email_key=addresses.key(email)).first() if email else None
        name = self.cleaned_data.get("name", "")
        if known and known.name.casefold() != name.casefold() and not self.cleaned_data.get("same_person"):
            words = _("This address belongs to %(name)s. If that is the same person, tick the box below.")
            self.add_error("email", forms.ValidationError(words, params={"name": known.name}))

    def answers(self, *, now):
        return {
            "person": {field: str(self.cleaned_data[field]) for field in Person.__annotations__},
            "webinars": [int(pk) for pk in self.cleaned_data["webinars"]],
            "partners": [int(pk) for pk in self.cleaned_data["consent_partners"]],
            "language": self.cleaned_data["language"],
            "given_at": now.isoformat(),
        }

    def entry(self):
        """The same for somebody in another's care."""
        fields = {field: str(self.cleaned_data.get(field, "")) for field in care.PERSONAL}
        return {
            **fields,
            "webinars": [int(pk) for pk in self.cleaned_data["webinars"]],
            "partners": [int(pk) for pk in self.cleaned_data["consent_partners"]],
            "needs": [],
            "access_needs": "",
            "is_namesake": self.cleaned_data["same_person"],
        }

    def refuse(self, problems):
        """In the organiser's words: she may know who else has the number."""
        words = {
            "phone": _("Another person without an address has this number. Look her up under Participants."),
            "name": _(
                "This account has a person of this name in its care, with other answers. If it is another person, tick "
                "the box below."
            ),
        }
        for problem in problems:
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, words.get(problem.field, problem.words))


# ---- One registration


class MoveForm(forms.Form):
    webinar = forms.ChoiceField(label=_("To which webinar"), widget=UnfoldAdminRadioSelectWidget)

    def __init__(self, *args, webinars, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["webinar"].choices = [(webinar.pk, webinar.title) for webinar in webinars]


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_("It stands in the mail and in the history. Leave it empty to give none."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
