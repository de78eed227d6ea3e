"""What is asked before an account is deleted."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models import User


class DeleteForm(forms.Form):
    """The e-mail address, typed: nobody deletes an account by a slip."""

    email = forms.CharField(
        label=_("Your e-mail address, to be sure"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if email != self.user.email:
            raise forms.ValidationError(_("This is not the address of your account."))
        return email
