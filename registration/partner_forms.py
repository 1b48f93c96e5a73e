"""What a partner's person chooses of a list: a form whose answers stand in the address, so that a page can be kept."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registration import exports
from registration.choices import Choice
from registration.models import Participant
from registration.regions import province_choices

ALL = ("", _("All"))
ATTENDED = [ALL, ("yes", _("Attended")), ("no", _("Did not attend, or not measured"))]
ORDERS = [
    ("", _("First signed up first")),
    ("-registered_at", _("Last signed up first")),
    ("name", _("Name, A to Z")),
    ("-name", _("Name, Z to A")),
    ("email", _("Email, A to Z")),
    ("province", _("Province, by its number")),
    ("organisation", _("Organisation, A to Z")),
]


def with_all(options: Any) -> Any:
    return lambda: [ALL, *(options() if callable(options) else options)]


class ChoiceForm(forms.Form):
    """Nonsense in an address is told beside the field and narrows nothing."""

    search = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=100,
        help_text=_("Name, email, organisation or registration code"),
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    province = forms.ChoiceField(label=_("Province"), required=False, choices=with_all(province_choices))
    gender = forms.ChoiceField(label=_("Gender"), required=False, choices=with_all(Participant.Gender.choices))
    age_group = forms.ChoiceField(label=_("Age group"), required=False, choices=with_all(Participant.AgeGroup.choices))
    organisation_kind = forms.ChoiceField(
        label=_("Kind of organisation"), required=False, choices=with_all(Participant.OrganisationKind.choices)
    )
    attended = forms.ChoiceField(label=_("Attendance"), required=False, choices=ATTENDED)
    order = forms.ChoiceField(label=_("Order"), required=False, choices=ORDERS)
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        required=False,
        choices=[(name, exports.WORDS[name]) for name in exports.COLUMNS[1:]],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The registration code is always there: by it a person is found who must leave your files."),
    )

    @property
    def choice(self) -> Choice:
        self.is_valid()
        facts = dict(self.cleaned_data)
        wanted = facts.pop("columns", None) or exports.COLUMNS[1:]
        columns = tuple(name for name in exports.COLUMNS if name in wanted or name == exports.COLUMNS[0])
        return Choice(**{name: value for name, value in facts.items() if value}, columns=columns)


def fields_of(choice: Choice) -> list[tuple[str, str]]:
    """The same again in an address or a form that is sent; what is empty or whole is left out."""
    columns = choice.columns[1:] if choice.columns != exports.COLUMNS else ()
    return [*((name, getattr(choice, name)) for name in choice.used), *(("columns", name) for name in columns)]
