"""The forms of the person's own data page: correcting it, and the questions that are asked with more care."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registration import consents
from registration.forms import AddressField, PersonForm, one_line, plain_name
from registration.models import Consent, Participant, SensitiveAnswers
from registration.needs import Needs
from registration.rights import CORRECTABLE

Difficulty = SensitiveAnswers.Difficulty

# The Washington Group Short Set: its six questions, all of them, in its order and with its four answers, to which only
# "rather not say" is added. No question before them asks whether they apply.
QUESTIONS = {
    "seeing": _("Do you have difficulty seeing, even if wearing glasses?"),
    "hearing": _("Do you have difficulty hearing, even if using a hearing aid?"),
    "walking": _("Do you have difficulty walking or climbing steps?"),
    "remembering": _("Do you have difficulty remembering or concentrating?"),
    "self_care": _("Do you have difficulty with self-care, such as washing all over or dressing?"),
    "communicating": _(
        "Using your usual language, do you have difficulty communicating, for example understanding or being understood?"
    ),
}
ANSWERS = [
    (Difficulty.NONE, _("No, no difficulty")),
    (Difficulty.SOME, _("Yes, some difficulty")),
    (Difficulty.A_LOT, _("Yes, a lot of difficulty")),
    (Difficulty.CANNOT, _("Cannot do it at all")),
    (Difficulty.UNDISCLOSED, Difficulty.UNDISCLOSED.label),
]


class CorrectForm(PersonForm):
    def __init__(self, *args: Any, participant: Participant, may_ask_for_phone: bool, **kwargs: Any) -> None:
        self.participant, self.may_ask_for_phone = participant, may_ask_for_phone
        super().__init__(*args, initial={name: getattr(participant, name) for name in CORRECTABLE}, **kwargs)

    def clean_phone(self) -> str:
        """Who has no address of her own is known by her phone. Nothing is said about whose the number is."""
        phone = self.cleaned_data["phone"]
        if not self.participant.is_in_care or phone in ("", self.participant.phone):
            return phone
        if not self.may_ask_for_phone:
            raise forms.ValidationError(
                _("That is very much for one hour. Nothing you typed is lost: try again in an hour."), code="limit"
            )
        if Participant.objects.filter(email="", phone=phone).exists():
            raise forms.ValidationError(
                _("This number can't be used here. Leave the field empty, or write another."), code="taken"
            )
        return phone

    def clean_name(self) -> str:
        """The name of somebody in care stands in a mail to whomever her carer hands her over."""
        name = self.cleaned_data["name"]
        return plain_name(name) if self.participant.is_in_care else name

    def check_guardian(self) -> None:
        """The consent that the same guardian gave before still stands."""
        given = self.participant.consents.in_force().filter(purpose=Consent.Purpose.GUARDIAN)
        is_same = bool(self.cleaned_data.get("guardian_name")) and not self.has_changed_guardian()
        if is_same and given.exists():
            self.cleaned_data["guardian_consent"] = True
        super().check_guardian()

    def has_changed_guardian(self) -> bool:
        return self.cleaned_data.get("guardian_name") != self.participant.guardian_name

    def answers(self) -> dict[str, str]:
        return {name: str(self.cleaned_data[name]) for name in CORRECTABLE}


class AddressForm(forms.Form):
    email = AddressField(
        label=_("New email address"),
        max_length=254,
        help_text=_("We send a code there, so that nobody writes to a stranger."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )


class NeedsForm(forms.Form):
    seeing, hearing, walking, remembering, self_care, communicating = (
        forms.ChoiceField(label=question, required=False, choices=ANSWERS, widget=forms.RadioSelect)
        for question in QUESTIONS.values()
    )
    needs = forms.MultipleChoiceField(
        label=_("What do you need to take part well?"),
        required=False,
        choices=SensitiveAnswers.Need.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    access_needs = forms.CharField(
        label=_("Something else you need"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    consent_sensitive = forms.BooleanField(
        label=consents.STATEMENTS[Consent.Purpose.SENSITIVE],
        required=False,
    )

    def __init__(self, *args: Any, in_care: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statement = consents.statement_of(Consent.Purpose.SENSITIVE, in_care=in_care)
        self.fields["consent_sensitive"].label = statement  # as it is kept with the consent

    def clean_access_needs(self) -> str:
        return one_line(self.cleaned_data["access_needs"])

    def clean(self) -> None:
        if any(self.needs_given().values()) and not self.cleaned_data.get("consent_sensitive"):
            self.add_error(
                "consent_sensitive", _("Tick the consent too, so that we may keep your answers, or leave all empty.")
            )

    def needs_given(self) -> Needs:
        return {name: self.cleaned_data.get(name) or ([] if name == "needs" else "") for name in Needs.__annotations__}  # type: ignore[return-value]
