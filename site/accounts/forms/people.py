"""What people type about themselves."""

from collections.abc import Sequence
from typing import Any

from allauth.account import forms as allauth
from django import forms
from django.utils.translation import gettext_lazy as _

from config.formats import Formats
from config.shortcuts import field_of
from models import User

PASSWORD_HELP = _("At least 8 characters. A short sentence of your own is easy to remember.")


class Calm:
    """Words above the fields only: no placeholders, no lists of rules."""

    labels: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]
        for name, field in fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            if isinstance(field.widget, forms.PasswordInput):
                field.help_text = PASSWORD_HELP if name == "password1" else ""


class SignInForm(Calm, allauth.LoginForm):
    labels = {"login": _("E-mail address"), "password": _("Password")}


class SignUpForm(Calm, allauth.SignupForm):
    name = forms.CharField(max_length=140, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    field_order = ["email", "password1", "name"]
    labels = {"email": _("E-mail address"), "password1": _("Password"), "name": _("Your name (optional)")}


class PasswordResetForm(Calm, allauth.ResetPasswordForm):
    labels = {"email": _("E-mail address")}


class _OncePassword(Calm):
    """A new password is typed once: whoever mistypes it resets it."""

    labels = {"oldpassword": _("Current password"), "password1": _("New password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]  # type: ignore[attr-defined]


class PasswordChangeForm(_OncePassword, allauth.ChangePasswordForm):
    pass


class PasswordSetForm(_OncePassword, allauth.SetPasswordForm):
    pass


class PasswordFromKeyForm(_OncePassword, allauth.ResetPasswordKeyForm):
    pass


class EmailForm(forms.Form):
    """The address a person wants to have instead."""

    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if email == self.user.email:
            raise forms.ValidationError(_("This is already your e-mail address."))
        return email


class ConfirmItIsYouForm(Calm, allauth.ReauthenticateForm):
    labels = {"password": _("Password")}


class ProfileForm(forms.ModelForm[User]):
    """Who someone is to others, and how numbers and moments look to them."""

    preferences = ("decimal_separator", "date_format", "date_separator", "datetime_separator", "time_format")

    class Meta:
        model = User
        fields = (
            "first_name",
            "last_name",
            "user_profile",
            "decimal_separator",
            "date_format",
            "date_separator",
            "datetime_separator",
            "time_format",
        )
        labels = {
            "first_name": _("First name (optional)"),
            "last_name": _("Last name (optional)"),
            "user_profile": _("About me (optional)"),
            "decimal_separator": _("Decimals"),
            "date_format": _("Order of a date"),
            "date_separator": _("Between its parts"),
            "datetime_separator": _("Between date and time"),
            "time_format": _("Time of day"),
        }
        help_texts = dict.fromkeys(fields, "") | {"user_profile": _("People you work with can read this.")}
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "user_profile": forms.Textarea(attrs={"rows": 3, "maxlength": 2000}),
        }

    choices: dict[str, Sequence[tuple[str, Any]]] = {
        "decimal_separator": [(",", _("Comma: 30,5")), (".", _("Point: 30.5"))],
        "date_format": [
            ("DMY", _("Day, month, year")),
            ("MDY", _("Month, day, year")),
            ("YMD", _("Year, month, day")),
        ],
        "date_separator": [("/", _("Slash: 28/02")), ("-", _("Dash: 28-02")), (".", _("Point: 28.02"))],
        "datetime_separator": [(" ", _("A space")), ("T", _("The letter T"))],
        "time_format": [("24H", "14:30"), ("12H", "2:30 PM")],
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.formats
        for name, choices in self.choices.items():
            field_of(self, name).choices = choices

    @property
    def preference_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.preferences]

    def clean_user_profile(self) -> str:
        text: str = self.cleaned_data["user_profile"] or ""
        if len(text) > 2000:
            raise forms.ValidationError(_("Keep it to 2000 characters."))
        return text

    @property
    def formats(self) -> Formats:
        """The formats that are typed, where they are possible; else the stored ones."""
        chosen = getattr(self, "cleaned_data", {})
        return Formats(**{name: chosen.get(name) or getattr(self.stored, name) for name in self.preferences})
