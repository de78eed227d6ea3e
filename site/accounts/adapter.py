"""Where allauth asks us: words, who a new person is, what to do when an e-mail cannot be sent."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.services import people as services
from config.formats import Formats
from models import User

logger = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("E-mail address and password do not belong together. Check both."),
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait five minutes, or reset your password."),
        "email_taken": gettext_lazy("There is an account with this e-mail address. Sign in, or reset its password."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_password": gettext_lazy("This is not your password."),
    }

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        formats = Formats.from_accept_language(request.headers.get("Accept-Language", ""))
        services.person_begin(user=user, name=form.cleaned_data.get("name", ""), formats=formats)
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not cost a new person their account."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:
            logger.exception("The e-mail %s could not be sent", template_prefix)
            messages.error(self.request, _("We could not send an e-mail just now. Try again in a few minutes."))

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Who asks for an address that is taken learns nothing; its owner does."""
        address = emailconfirmation.email_address
        if services.is_taken(email=address.email, by_other_than=address.user_id):
            self.send_account_already_exists_mail(address.email)
        else:
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """An address that somebody took since the link was sent cannot be confirmed."""
        if services.is_taken(email=email_address.email, by_other_than=email_address.user_id):
            words = {"email": email_address.email}
            self.add_message(request, messages.ERROR, "account/messages/email_confirmation_failed.txt", words)
            return False
        return bool(super().confirm_email(request, email_address))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:profile")
