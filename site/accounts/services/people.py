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
    """Return the new address that waits for its owner, else the current one while it is unconfirmed; writes nothing."""
    known = EmailAddress.objects.filter(user=user)
    waiting = known.filter(verified=False).exclude(email=user.email).order_by("-pk").first()
    current = known.filter(email=user.email).first() or EmailAddress(user=user, email=user.email)
    return waiting or (None if current.verified else current)


def email_confirm_again(*, user: User) -> EmailAddress | None:
    """Return the address that is to be confirmed, on record so that a link can name it."""
    _current_on_record(user)
    return address_to_confirm(user=user)


@transaction.atomic
def email_change_begin(*, user: User, email: str) -> EmailAddress:
    """Note the address a person wants to have. The current one counts until the new one is confirmed."""
    _current_on_record(user)  # allauth tells it when another takes its place
    email_change_cancel(user=user)
    address, _is_new = EmailAddress.objects.get_or_create(user=user, email=email)
    return address


def email_change_cancel(*, user: User) -> None:
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()


def is_taken(*, email: str, by_other_than: int) -> bool:
    """Return whether another person signs in with this address, confirmed or not."""
    others = User.objects.filter(email__iexact=email).exclude(pk=by_other_than)
    return bool(others.exists())


def _current_on_record(user: User) -> None:
    """Who was made by a command or in the administration has no row at allauth yet."""
    EmailAddress.objects.get_or_create(user=user, email=user.email)
