"""The forms that give roles. They clean and write nothing."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation
from registration import roles
from registration.forms import AddressField, LineField, plain_name
from registration.models import Role, User


class NameForm(forms.Form):
    """Of who takes up a role: others of her team know her by it."""

    name = LineField(
        label=_("Your name"),
        max_length=120,
        help_text=_("So your team and the organisers know who you are."),
        error_messages={"required": _("Write your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, is_known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_known:
            del self.fields["name"]

    def clean_name(self) -> str:
        return plain_name(self.cleaned_data["name"])


class ColleagueForm(forms.Form):
    """Of a partner's manager."""

    email = AddressField(
        label=_("Email of your colleague"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        widget=forms.RadioSelect,
        initial=Role.PARTNER_VIEWER,
        choices=[
            (Role.PARTNER_VIEWER, _("Viewer: sees and takes the lists")),
            (Role.PARTNER_MANAGER, _("Manager: also invites and removes colleagues, and sees who took which list")),
        ],
    )


class TeamForm(forms.Form):
    """Of an owner or an organiser; each may give the roles that are hers to give."""

    email = AddressField(label=_("Email"), max_length=254)
    role = forms.ChoiceField(label=_("Role"))
    organisation = forms.ModelChoiceField(
        Organisation.objects.order_by("name_ind", "pk"),
        label=_("Organisation"),
        required=False,
        help_text=_("For a partner's role."),
    )
    language = forms.ChoiceField(label=_("Language of the mail"), choices=User._meta.get_field("language").choices)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # None is chosen beforehand: the first one would be the owner's, and a slip would give everything away.
        self.fields["role"].choices = [("", "---------"), *((r.value, r.label) for r in roles.roles_to_give(actor))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "role" in data and "organisation" in data:
            is_partners = Role(data["role"]).is_partners
            if is_partners and data["organisation"] is None:
                self.add_error("organisation", _("Choose the organisation in which this role holds."))
            elif not is_partners:
                data["organisation"] = None
        return data
