"""The end of an account: what will happen, and that it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.services.export import export_drop
from accounts.services.security import sessions_end
from machines.services.machines import machine_delete
from machines.services.solving import solvings_end
from models import ApiKey, Invite, Machine, Membership, Team, User, Work
from models.audit import AuditAction, record
from models.machine import MachineQuerySet


class AccountKeptError(Exception):
    """The account cannot be deleted yet: see Deletion.blocking and Deletion.is_last_admin."""


@dataclass(frozen=True)
class Deletion:
    """What deleting an account would do."""

    own_machines: int
    passed_machines: int
    teams_ended: Sequence[Team]  # nobody else is in them
    blocking: Sequence[Team]  # others are: they must be passed on or deleted first
    invites: int
    keys: int
    money: Decimal
    tokens: Decimal
    coupons: Decimal
    is_last_admin: bool

    @property
    def is_possible(self) -> bool:
        return not self.blocking and not self.is_last_admin


def deletion_of(user: User) -> Deletion:
    own = _own_machines(user).count()
    return Deletion(
        own_machines=own,
        passed_machines=Machine.objects.filter(machine_owner_user=user).count() - own,
        teams_ended=list(_teams(user, has_others=False)),
        blocking=list(_teams(user, has_others=True)),
        invites=Invite.objects.filter(invited_by=user).open().count(),
        keys=ApiKey.objects.filter(user=user).usable().count(),
        money=user.user_balance,
        tokens=user.user_ixioo_balance,
        coupons=user.coupon_balance,
        is_last_admin=_is_last_admin(user),
    )


def account_delete(*, user: User) -> None:
    """Delete a person with what is theirs alone. What they shared in other people's teams goes to those teams' owners.

    Raises AccountKeptError, and DataError while rows of a machine are being read: machines whose turn came before
    are deleted then, the account is as it was.
    """
    _check(user)
    for machine in _own_machines(user).light():
        machine_delete(machine=machine, user=user)  # with its training and its files
    solvings_end(works=Work.objects.asked_by(user))  # of other people's machines
    with transaction.atomic():
        _hold(user)
        _check(user)  # somebody may have joined meanwhile, or another administrator gone
        record(AuditAction.ACCOUNT_DELETED, actor=user, target=user)
        sessions_end(user=user)
        export_drop(user=user)
        user.delete()


def _hold(user: User) -> None:
    """Make others wait who join this person's teams, and administrators who go at the same time."""
    administrators = User.objects.filter(is_super_admin=True) if user.is_super_admin else User.objects.none()
    for rows in (Team.objects.filter(admin_user=user), administrators):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def _check(user: User) -> None:
    if _is_last_admin(user) or _teams(user, has_others=True).exists():
        raise AccountKeptError


def _own_machines(user: User) -> MachineQuerySet:
    """Return what no other person's team has a share in."""
    alone = Q(machine_owner_team=None) | Q(machine_owner_team__admin_user=None) | Q(machine_owner_team__admin_user=user)
    return Machine.objects.filter(alone, machine_owner_user=user)


def _teams(user: User, *, has_others: bool) -> "QuerySet[Team]":
    others = Exists(Membership.objects.filter(team=OuterRef("pk")).exclude(user=user))
    owned = Team.objects.filter(admin_user=user).annotate(people=Count("memberships"))
    return owned.filter(others if has_others else ~others)


def _is_last_admin(user: User) -> bool:
    others = User.objects.filter(is_super_admin=True, is_active=True).exclude(pk=user.pk)
    return user.is_super_admin and not others.exists()
