"""allauth's forms for the second factor: with the digits of a phone's keyboard, and a help text for the day without the phone."""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _


def code_field(**options: Any) -> forms.CharField:
    attrs = {"inputmode": "numeric", "autocomplete": "one-time-code"}
    return forms.CharField(widget=forms.TextInput(attrs=attrs), **options)


class ConnectForm(ActivateTOTPForm):
    code = code_field(label=_("The six digits in the app"))


class FactorForm(AuthenticateForm):
    code = code_field(
        label=_("The six digits in the app"),
        help_text=_("Without the phone: one of your recovery codes, with its eight digits."),
    )


class KeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label=_("A name for it"), required=False, max_length=100, help_text=_("Such as: Maria's phone.")
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without a code by mail"),
        required=False,
        help_text=_("Only if it asks for your fingerprint, face or PIN each time."),
    )


class KeyNameForm(EditWebAuthnForm):
    name = forms.CharField(label=_("A name for it"), max_length=100)


class FactorAgainForm(ReauthenticateForm):
    code = code_field(label=_("The six digits in the app, or a recovery code"))
