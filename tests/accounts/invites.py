"""What tests of invitations share: one is made, its links are read, the worker's tasks are done."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from models import Invite, Membership, Team, User

CONSOLE = "django.core.mail.backends.console.EmailBackend"
FORM = {"role": "predictor", "days": "7", "uses": "1", "landing": "home", "way": "link"}
NEWCOMER = {"email": "eve@example.org", "password1": "a quiet sentence"}


def make_invite(team: Team, **kwargs: Any) -> Invite:
    kwargs.setdefault("invited_by", team.admin_user)
    return Invite.objects.create(team=team, **kwargs)


def past() -> Any:
    return timezone.now() - timedelta(minutes=1)


def path_of(invite: Invite, by_mail: bool = False) -> str:
    return urlsplit(invite.mail_link if by_mail else invite.link).path


def token_of(link: str) -> str:
    return urlsplit(link).path.split("/")[2]


def role_in(team: Team, user: User) -> str | None:
    return Membership.objects.filter(team=team, user=user).values_list("role", flat=True).first()


def confirmed(user: User) -> User:
    """Somebody who has proved their address."""
    proof = {"verified": True, "primary": True}
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults=proof)
    return user


def work_off() -> int:
    """Do what the worker would do, with the arguments as they came back from the database."""
    rows = list(DBTaskResult.objects.order_by("enqueued_at"))
    for row in rows:
        row.task.call(*row.args_kwargs["args"], **row.args_kwargs["kwargs"])
        row.delete()
    return len(rows)
