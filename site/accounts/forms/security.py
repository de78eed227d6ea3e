"""Codes of the second factor."""

from typing import Any

from allauth.mfa.base import forms as allauth
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.utils.translation import gettext_lazy as _

from accounts.forms.people import Calm


class _Code(Calm):
    """A code is typed from another device: digits first, no correction, in whatever groups it is shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(  # type: ignore[attr-defined]  # mixed into forms
            inputmode="numeric", spellcheck="false", autofocus=True
        )


class CodeForm(_Code, allauth.AuthenticateForm):
    labels = {"code": _("Code of your app, or a recovery code")}


class CodeAgainForm(_Code, allauth.ReauthenticateForm):
    labels = {"code": _("Code of your app, or a recovery code")}


class FirstCodeForm(_Code, ActivateTOTPForm):
    labels = {"code": _("The code your app shows now")}
