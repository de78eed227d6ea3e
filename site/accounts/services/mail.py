"""E-mail in plain text: whether this site can send any, and how one message is made."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation

from models import User

SECONDS = 20  # a mail server that does not answer must not hold the worker
NOWHERE = ("console", "dummy")


def mail_works() -> bool:
    """Return whether e-mail leaves this site; without a mail server it is only printed."""
    return str(settings.EMAIL_BACKEND).split(".")[-2] not in NOWHERE


def may_mail(user: User) -> bool:
    """Return whether the site sends e-mail to others in this person's name: only who has proved their own address."""
    if settings.ACCOUNT_EMAIL_VERIFICATION == "none":
        return mail_works()
    return mail_works() and EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


def mail_send(
    *, template: str, to: list[str], language: str, connection: BaseEmailBackend | None = None, **words: Any
) -> None:
    """Send `<template>_message.txt` under `<template>_subject.txt`. Raises OSError when the mail server is away."""
    words["current_site"] = {"domain": urlsplit(settings.SITE_URL).netloc}
    with translation.override(language or settings.LANGUAGE_CODE):
        subject = render_to_string(f"{template}_subject.txt", words)
        body = render_to_string(f"{template}_message.txt", words)
    # A header is one line, whatever somebody called their team
    EmailMessage(" ".join(subject.split()), body, to=to, connection=connection).send()
