"""What happens to people: they begin, they change their profile and their e-mail address."""

from collections.abc import Iterable
from dataclasses import asdict

from allauth.account.models import EmailAddress
from django.db import transaction

from config.formats import Formats
from models import User


def person_begin(*, user: User, name: str, formats: Formats) -> None:
    """Give a new person their name and the formats their browser suggests; the caller saves."""
    user.first_name, _space, user.last_name = (part or None for part in name.strip().partition(" "))
    for preference, value in asdict(formats).items():
        setattr(user, preference, value)


@transaction.atomic
def profile_save(*, user: User, changed: Iterable[str]) -> None:
    """Store the changed fields only, so that a balance booked meanwhile stays as it is."""
    fields = list(changed)
    if fields:
        user.save(update_fields=fields)


def address_to_confirm(*, user: User) -> EmailAddress | None:
    """Return the new address that waits for its owner, else the current one while it is unconfirmed."""
    EmailAddress.objects.get_or_create(user=user, email=user.email)
    waiting = EmailAddress.objects.filter(user=user, verified=False).order_by("-pk")
    return waiting.exclude(email=user.email).first() or waiting.first()


@transaction.atomic
def email_change_begin(*, user: User, email: str) -> EmailAddress:
    """Note the address a person wants to have. The current one counts until the new one is confirmed."""
    email_change_cancel(user=user)
    address, _is_new = EmailAddress.objects.get_or_create(user=user, email=email)
    return address


def email_change_cancel(*, user: User) -> None:
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()


def is_taken(*, email: str, by_other_than: int) -> bool:
    """Return whether another person signs in with this address, confirmed or not."""
    others = User.objects.filter(email__iexact=email).exclude(pk=by_other_than)
    return bool(others.exists())
