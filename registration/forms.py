"""The sign-up form of the public contract: it cleans input, writes nothing."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import phonenumbers
from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.core import context, ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from conference.models import Organisation, Webinar
from registration import addresses, consents, regions
from registration.models import Consent, Participant, User
from registration.models.people import E164, leads_elsewhere
from registration.signup import Answers, Person


def one_line(text: str) -> str:
    """Without control characters and doubled blanks, as names and organisations are kept."""
    visible = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} else char for char in text)
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def plain_name(name: str) -> str:
    """A name in a mail to others leads nowhere."""
    if leads_elsewhere(name):
        raise forms.ValidationError(_("Write only the name here."), code="link")
    return name


class LineField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return one_line(super().to_python(value) or "")


class PhoneField(forms.CharField):
    """08..., 62... and +62... alike, and foreign numbers with +; kept as E.164."""

    default_error_messages = {
        "invalid": _("This is no phone number. Write it like 0812 3456 7890 or +62 812 3456 7890.")
    }

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        if not text:
            return ""
        digits = "".join(char for char in text if char.isdigit())
        try:
            number = phonenumbers.parse(f"+{digits}" if digits.startswith("62") else text, "ID")
        except phonenumbers.NumberParseException as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        full = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        # Some countries' numbers may be longer than E.164 allows, and so longer than our column.
        is_whole = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
        if not is_whole or not E164.fullmatch(full):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return full


# Asked for when they are needed: 514 regencies in a form's own copy of its fields cost more than all its other work.


def provinces() -> list[Any]:
    return [("", _("Choose")), *regions.province_choices()]


def regencies() -> list[Any]:
    return [("", _("Not said")), *regions.regency_choices()]


@cache
def regency_options() -> str:
    """Without closing tags, which HTML allows: the list is a third of the page's weight."""
    return "".join(
        format_html("<optgroup label='{}'>{}", province, format_html_join("", "<option value={}>{}", rows))
        for province, rows in regions.regency_choices()
    )


class RegencySelect(forms.Select):
    """A select of 514 options, written in one go: a template for each of them costs more than the rest of the page."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen, options = str(value or ""), regency_options()
        if chosen.isdecimal():
            options = options.replace(f"value={chosen}>", f"value={chosen} selected>", 1)
        attributes = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        select = "<select{}><option value=''>{}{}</select>"
        safe_options = mark_safe(options)  # nosec B308 B703  # our own table
        return format_html(select, attributes, _("Not said"), safe_options)


class AddressField(forms.EmailField):
    """In lower case, as addresses are kept."""

    default_error_messages = {
        "required": _("Write your email address."),
        "invalid": _("This is no complete email address. It looks like name@example.org."),
    }

    def clean(self, value: Any) -> str:
        address = str(super().clean(value)).lower()
        if not addresses.can_be_written_to(address):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return address


class PartnersField(forms.MultipleChoiceField):
    """Slugs of host organisations, or `on` for all hosts of the chosen webinars."""

    ALL = "on"

    def valid_value(self, value: str) -> bool:
        return value == self.ALL or super().valid_value(value)


class ProvinceField(forms.ChoiceField):
    """A code of hundreds: looked up, where Django would read the whole list for each person of a list."""

    def valid_value(self, value: str) -> bool:
        return value == regions.OUTSIDE_INDONESIA or value in regions.provinces()


class RegencyField(forms.ChoiceField):
    def valid_value(self, value: str) -> bool:
        return value in regions.names() and value not in regions.provinces()


NOT_IN_LIST = _("“%(value)s” is not in the list. Choose from it, or leave this empty.")


class PersonForm(forms.Form):
    """What is asked of everybody who attends."""

    name = LineField(
        label=_("Name"),
        max_length=120,
        help_text=_("One word is enough. Your certificate will carry this name."),
        error_messages={"required": _("Write your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    province = ProvinceField(
        label=_("Province"),
        choices=provinces,
        help_text=_("So that the hours in your mail are those of your clock."),
        error_messages={
            "required": _("Choose your province."),
            "invalid_choice": _("Choose a province from the list."),
        },
    )
    regency = RegencyField(
        label=_("Regency or city"),
        required=False,
        choices=regencies,
        widget=RegencySelect,
        error_messages={"invalid_choice": _("Choose a regency or city from the list.")},
    )
    phone = PhoneField(
        label=_("Phone"),
        required=False,
        max_length=30,
        help_text=_("So that the organisers can reach you if the link doesn't arrive."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    gender = forms.ChoiceField(
        label=_("Gender"),
        required=False,
        choices=Participant.Gender.choices,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": NOT_IN_LIST},
    )
    age_group = forms.ChoiceField(
        label=_("Age group"),
        required=False,
        choices=[("", _("Not said")), *Participant.AgeGroup.choices],
        error_messages={"invalid_choice": NOT_IN_LIST},
    )
    guardian_name = LineField(
        label=_("Name of your parent or guardian"),
        required=False,
        max_length=120,
        help_text=_("Only if you are under 18."),
    )
    guardian_consent = forms.BooleanField(label=consents.STATEMENTS[Consent.Purpose.GUARDIAN], required=False)
    organisation = LineField(
        label=_("Organisation or community"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    organisation_kind = forms.ChoiceField(
        label=_("Kind of organisation"),
        required=False,
        choices=[("", _("Not said")), *Participant.OrganisationKind.choices],
    )

    def clean(self) -> None:
        self.check_regency()
        self.check_guardian()

    def check_regency(self) -> None:
        province, regency = self.cleaned_data.get("province"), self.cleaned_data.get("regency")
        if province == regions.OUTSIDE_INDONESIA and regency:
            self.add_error(
                "regency",
                _("Outside Indonesia there are no regencies: leave this field empty, or choose the province."),
            )
        elif province and regency and not regency.startswith(province):
            message = _("%(regency)s is not in %(province)s. Change one of the two, or leave the regency empty.")
            names = {"regency": regions.names()[regency], "province": regions.province_name(province)}
            self.add_error("regency", forms.ValidationError(message, params=names))

    def check_guardian(self) -> None:
        if self.cleaned_data.get("age_group") != Participant.AgeGroup.UNDER_18:
            self.cleaned_data["guardian_name"] = ""
            return
        self.fields["guardian_name"].required = True  # shown so beside the error
        if not self.cleaned_data.get("guardian_name"):
            self.add_error("guardian_name", _("You are under 18: write the name of your parent or guardian."))
        if not self.cleaned_data.get("guardian_consent"):
            self.add_error("guardian_consent", _("You are under 18: your parent or guardian must agree."))


class SignUpForm(PersonForm):
    field_order = ["webinars", "name", "email"]
    # The address that a question stands about, and the one that was probably meant.
    asked = ""
    meant: str | None = None

    webinars = forms.MultipleChoiceField(
        label=_("Which webinars do you want to attend?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one webinar."),
            "invalid_choice": _("There is no webinar “%(value)s” to sign up for. Choose from the list."),
        },
    )
    email = AddressField(
        label=_("Email"),
        max_length=254,
        help_text=_("Your code and your personal links are sent to this address."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    # Only in the form where a question about the address stands.
    email_asked = forms.CharField(required=False, max_length=254)
    email_meant = forms.CharField(required=False, max_length=254)
    consent_processing = forms.BooleanField(
        label=consents.STATEMENTS[Consent.Purpose.PROCESSING],
        error_messages={"required": _("Without this consent we can't register you. Tick it to go on.")},
    )
    consent_partners = PartnersField(
        label=consents.STATEMENTS[Consent.Purpose.PARTNER],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("“%(value)s” hosts none of the webinars. Choose from the list.")},
    )
    consent_news = forms.BooleanField(label=consents.STATEMENTS[Consent.Purpose.NEWS], required=False)
    website = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, webinars: Sequence[Webinar], **kwargs: Any) -> None:
        """`webinars` are those open for registration, with their hosts prefetched."""
        super().__init__(*args, **kwargs)
        self.open_webinars = {webinar.slug: webinar for webinar in webinars}
        self.hosts = {host.slug: host for webinar in webinars for host in webinar.hosts.all()}
        self.fields["webinars"].choices = [(slug, webinar.title) for slug, webinar in self.open_webinars.items()]
        self.fields["consent_partners"].choices = [(slug, host.name) for slug, host in self.hosts.items()]

    @property
    def explanations(self) -> dict[str, str]:
        """What stands under each consent, by purpose."""
        return {purpose: consents.explanation_of(purpose) for purpose in Consent.Purpose}

    def clean(self) -> None:
        super().clean()
        if (email := self.cleaned_data.get("email")) and email != self.initial.get("email"):
            self.ask_about(email)

    def ask_about(self, email: str) -> None:
        """Once, and never a refusal: whoever sends the form again keeps her address."""
        meant = addresses.likely_meant(email)
        if not meant and not addresses.is_disposable(email):
            return
        self.asked, self.meant = email, meant
        if meant and self.cleaned_data.get("email_meant") == meant:
            self.cleaned_data["email"] = meant
        elif self.cleaned_data.get("email_asked") != email:
            self.add_error("email", forms.ValidationError(self.question(), code="question"))

    def question(self) -> str:
        if self.meant:
            text = _("Did you mean %(meant)s? If %(email)s is right, send the form once more.")
            return text % {"meant": self.meant, "email": self.asked}
        text = _(
            "Mailboxes at %(domain)s soon end, and your links are sent by mail until the conference. An address that lasts is better. If you want to keep this one, send the form once more."
        )
        return text % {"domain": self.asked.rpartition("@")[2]}

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            message = _("A hidden field that only machines see was filled in. Send the form once more.")
            self.data = self.data.copy()
            self.data["website"] = ""
            raise forms.ValidationError(message, code="machine")
        return ""

    def chosen_webinars(self) -> list[Webinar]:
        return [self.open_webinars[slug] for slug in self.cleaned_data["webinars"]]

    def chosen_partners(self) -> list[Organisation]:
        chosen = self.cleaned_data["consent_partners"]
        if PartnersField.ALL in chosen:
            hosts = {host.pk: host for webinar in self.chosen_webinars() for host in webinar.hosts.all()}
            return list(hosts.values())
        return [self.hosts[slug] for slug in chosen]

    def answers(self, *, now: datetime) -> Answers:
        return {
            "person": {field: str(self.cleaned_data[field]) for field in Person.__annotations__},  # type: ignore[typeddict-item]
            "webinars": [webinar.pk for webinar in self.chosen_webinars()],
            "partners": [organisation.pk for organisation in self.chosen_partners()],
            "news": self.cleaned_data["consent_news"],
            "language": get_language() or "id",
            "given_at": now.isoformat(),
        }


class CodeForm(ConfirmLoginCodeForm):
    """allauth's form, in our words and with a keypad for digits; blanks from copying are forgiven."""

    code = forms.CharField(
        label=_("Six-digit code"),
        error_messages={"required": _("Type the six digits from the mail.")},
        widget=forms.TextInput(attrs={"class": "code", "inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        digits = "".join(char for char in self.cleaned_data["code"] if char.isdigit())
        if not compare_user_code(actual=digits, expected=self.expected_code):
            message = _("This is not the code we sent. Look at the newest mail and type its six digits.")
            raise forms.ValidationError(message, code="incorrect")
        return digits


class SignInForm(RequestLoginCodeForm):
    email = AddressField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )

    def clean_email(self) -> str:
        """As allauth's, but however she writes her address she is one person, with one limit."""
        email = self.cleaned_data["email"]
        key = addresses.key(email)
        if not ratelimit.consume(context.request, action="request_login_code", key=key):
            raise get_adapter().validation_error("too_many_login_attempts")
        self._user = User.objects.filter(email_key=key, is_active=True).first()
        return email
