"""Where allauth asks us: words, who a new person is, what to do when an e-mail cannot be sent."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import encryption, kept_invite
from accounts.browsers import browser_of
from accounts.services import people as services
from accounts.services.mail import mail_works
from accounts.services.security import session_forget
from config.formats import Formats
from config.origin import ip_of
from models import User
from models.audit import AuditAction, record

logger = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):
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

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell a person what was done with their account. It is done: a mail that cannot be sent changes nothing."""
        words = {
            "when": user.formats.moment(timezone.now()),
            "ip": ip_of(self.request),
            "browser": browser_of(self.request.headers.get("User-Agent", "")),
        }
        try:
            super().send_mail(template_prefix, email or user.email or "", words | (context or {}))
        except OSError:
            logger.exception("The e-mail %s could not be sent", template_prefix)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **more: Any
    ) -> None:
        """Without a mail server nothing was sent, so nothing is said of a link."""
        if mail_works() or message_template != "account/messages/email_confirmation_sent.txt":
            super().add_message(request, level, message_template, *args, **more)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note who could not sign in. The library counts attempts before it asks, so what it refuses is not noted."""
        actor = User.objects.filter(email=(credentials.get("email") or "").strip().lower()).first()
        record(AuditAction.SIGN_IN_FAILED, actor=actor)

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            record(AuditAction.SIGNED_OUT, actor=request.user)
            session_forget(key=request.session.session_key)
        super().logout(request)

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

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Who comes by the link that was mailed to an address reads its mail: no second message is needed."""
        return kept_invite.proves(request, email) or bool(super().is_email_verified(request, email))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Who came with an invitation joins now, after the last step of signing in."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        url = kept_invite.arrive(request, user)
        return HttpResponseRedirect(url) if url else response

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        user = self.request.user
        url = kept_invite.arrive(self.request, user) if user.pk == email_address.user_id else None
        return url or str(super().get_email_verification_redirect_url(email_address))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:security")


class SecondFactorAdapter(DefaultMFAAdapter):
    encrypt, decrypt = staticmethod(encryption.encrypt), staticmethod(encryption.decrypt)
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code does not fit. A code counts for 30 seconds and once: take the newest."
        ),
        "unverified_email": gettext_lazy("Confirm your e-mail address first: else you could lock its owner out."),
        "cannot_generate_recovery_codes": gettext_lazy("Recovery codes come with the second factor. Turn it on first."),
    }
