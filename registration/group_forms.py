"""The forms of a group: one person in care, the list as a file, the address of a handover. They clean and write nothing."""

import logging
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conference import spreadsheets
from conference.models import Organisation, Webinar
from registration import care, consents
from registration.forms import AddressField, LineField, PartnersField, PersonForm, plain_name
from registration.models import Consent, Participant, SensitiveAnswers, User

Purpose = Consent.Purpose
logger = logging.getLogger(__name__)


class InCareForm(PersonForm):
    field_order = ["name", "gender", "age_group", "province", "regency", "webinars"]

    is_namesake = forms.BooleanField(label=_("This is another person with the same name."), required=False)
    contact_email = AddressField(
        label=_("Email of this person"),
        required=False,
        max_length=254,
        help_text=_(
            "Nothing is sent there now: mails come to you. It is used if you hand this person over to an account of their own."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
    webinars = forms.MultipleChoiceField(
        label=_("Which webinars does this person want to attend?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one webinar."),
            "invalid_choice": _(
                "There is no webinar “%(value)s” to sign up for. Write the numbers of those that are open, such as 1, 3."
            ),
        },
    )
    guardian_is_me = forms.BooleanField(label=_("I am the parent or guardian."), required=False)
    needs = forms.MultipleChoiceField(
        label=_("What does this person need to take part?"),
        required=False,
        choices=SensitiveAnswers.Need.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("“%(value)s” is not in the list of needs.")},
    )
    access_needs = LineField(label=_("Something else that is needed"), required=False, max_length=500)
    consent_sensitive = forms.BooleanField(label=consents.STATEMENTS_IN_CARE[Purpose.SENSITIVE], required=False)
    consent_processing = forms.BooleanField(
        label=consents.STATEMENTS_IN_CARE[Purpose.PROCESSING],
        error_messages={"required": _("Without this consent nobody can be registered.")},
    )
    consent_partners = PartnersField(
        label=consents.STATEMENTS_IN_CARE[Purpose.PARTNER],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("“%(value)s” hosts none of the webinars. Choose from the list.")},
    )

    def __init__(self, *args: Any, carer: User, webinars: Sequence[Webinar], **kwargs: Any) -> None:
        """`webinars` with their hosts prefetched: those open for registration, or that she is in."""
        super().__init__(*args, **kwargs)
        self.carer = carer
        self.offered = {webinar.slug: webinar for webinar in webinars}
        self.hosts = {host.slug: host for webinar in webinars for host in webinar.hosts.all()}
        del self.fields["organisation"], self.fields["organisation_kind"]
        self.fields["webinars"].choices = [(slug, webinar.title) for slug, webinar in self.offered.items()]
        self.fields["consent_partners"].choices = [(slug, host.name) for slug, host in self.hosts.items()]
        self.say_of_another()

    def say_of_another(self) -> None:
        """In place of the words that a person reads who fills the form in for herself."""
        self.fields["name"].help_text = _("One word is enough. The certificate will carry this name.")
        self.fields["name"].error_messages["required"] = _("Write the name.")
        self.fields["province"].help_text = _("So that the hours are those of the clock there.")
        self.fields["province"].error_messages["required"] = _("Choose the province.")
        self.fields["phone"].help_text = _("Only if the phone is this person's alone.")
        self.fields["guardian_name"].label = _("Name of the parent or guardian")
        self.fields["guardian_name"].help_text = _("Only for people under 18.")
        self.fields["guardian_consent"].label = consents.STATEMENTS_IN_CARE[Purpose.GUARDIAN]
        needs = dict(SensitiveAnswers.Need.choices) | {SensitiveAnswers.Need.COMPANION: _("A person who assists")}
        self.fields["needs"].choices = list(needs.items())
        for name in ("name", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        return plain_name(self.cleaned_data["name"])

    def clean(self) -> None:
        super().clean()
        self.check_needs()

    def check_guardian(self) -> None:
        if self.cleaned_data.get("age_group") != Participant.AgeGroup.UNDER_18:
            self.cleaned_data["guardian_name"] = ""
            return
        self.fields["guardian_name"].required = True  # shown so beside the error
        if self.cleaned_data.get("guardian_is_me"):
            self.cleaned_data["guardian_name"] = self.cleaned_data["guardian_name"] or self.carer.name
        if not self.cleaned_data.get("guardian_name"):
            self.add_error("guardian_name", _("This person is under 18: write the name of the parent or guardian."))
        if not self.cleaned_data.get("guardian_consent"):
            self.add_error("guardian_consent", _("This person is under 18: the parent or guardian must agree."))

    def check_needs(self) -> None:
        has_needs = self.cleaned_data.get("needs") or self.cleaned_data.get("access_needs")
        if has_needs and not self.cleaned_data.get("consent_sensitive"):
            words = _("Needs are kept only with the person's consent. Tick it, or leave the needs empty.")
            self.add_error("consent_sensitive", words)

    def chosen_partners(self) -> list[Organisation]:
        chosen = self.cleaned_data["consent_partners"]
        if PartnersField.ALL in chosen:
            webinars = [self.offered[slug] for slug in self.cleaned_data["webinars"]]
            return list({host.pk: host for webinar in webinars for host in webinar.hosts.all()}.values())
        return [self.hosts[slug] for slug in chosen]

    def entry(self) -> care.Entry:
        answers = self.cleaned_data
        return {
            **{field: str(answers[field]) for field in care.PERSONAL},  # type: ignore[typeddict-item]
            "webinars": [self.offered[slug].pk for slug in answers["webinars"]],
            "partners": [host.pk for host in self.chosen_partners()],
            "needs": answers["needs"],
            "access_needs": answers["access_needs"],
            "is_namesake": answers["is_namesake"],
        }


class CorrectForm(InCareForm):
    """Of somebody in the group already: what was agreed to stays agreed, and all webinars may be given up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["consent_processing"]
        self.fields["webinars"].required = False


class ListForm(forms.Form):
    """The file, and the webinars of those for whom it names none."""

    file = forms.FileField(
        label=_("Your file"),
        help_text=_("CSV or Excel (.xlsx), at most 200 people and 500 kB."),
        widget=forms.FileInput(attrs={"accept": spreadsheets.OFFERED}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty."),
            "missing": _("Choose a file."),
        },
    )
    webinars = forms.MultipleChoiceField(
        label=_("Which webinars do they want to attend?"),
        required=False,
        help_text=_("For everybody whose row names no webinar."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, webinars: Sequence[Webinar], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["webinars"].choices = [(webinar.slug, webinar.title) for webinar in webinars]

    def clean_file(self) -> spreadsheets.Grid:
        """Its rows as text."""
        upload = self.cleaned_data["file"]
        try:
            return spreadsheets.read(upload.read(spreadsheets.A_LIST.largest + 1))
        except spreadsheets.Unreadable as error:
            logger.warning("A list of a group was refused: %d bytes", upload.size)
            raise forms.ValidationError(str(error), code="unreadable") from error


class HandoverForm(forms.Form):
    email = AddressField(
        label=_("Email of this person"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
