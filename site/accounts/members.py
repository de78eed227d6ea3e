"""The people of a team, as its pages show them."""

from typing import Any

from django.db.models import Case, CharField, Count, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf

from config.search import matching
from models import Machine, Membership, Team, User
from models.access import Action, Role


def people_of(team: Team, text: str = "") -> "QuerySet[Any]":
    """Return the people whose name or address matches `text`, each with `role` and `joined_at`; the owner first."""
    place = FilteredRelation("memberships", condition=Q(memberships__team=team))
    role = Case(When(pk=team.admin_user_id, then=Value(Role.OWNER.value)), default=F("place__role"))
    is_first = Case(When(pk=team.admin_user_id, then=Value(0)), default=Value(1))
    name = Lower(Coalesce(NullIf("first_name", Value("")), "email"))
    people = User.objects.annotate(place=place).filter(Q(place__isnull=False) | Q(pk=team.admin_user_id))
    found = people.filter(matching(text, "first_name", "last_name", "email"))
    result: QuerySet[Any] = found.annotate(role=role, joined_at=F("place__joined_at")).order_by(is_first, name, "pk")
    return result


def teams_of(user: User) -> "QuerySet[Any]":
    """Return the teams of this person, each with their `role` and the counts `members` and `machines_count`."""
    own = Membership.objects.filter(team=OuterRef("pk"), user=user).order_by().values("role")
    role = Case(When(admin_user=user, then=Value(Role.OWNER.value)), default=Subquery(own), output_field=CharField())
    return Team.objects.of(user).annotate(
        role=role,
        members=_count(Membership.objects.filter(team=OuterRef("pk")), "team"),
        machines_count=_count(Machine.objects.filter(machine_owner_team=OuterRef("pk")), "machine_owner_team"),
    )


def _count(rows: "QuerySet[Any]", key: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(key).annotate(n=Count("pk")).values("n")), 0)


def matrix() -> list[tuple[Any, list[bool]]]:
    """Return the one table of roles and actions, line by line: the action, and which roles may do it."""
    return [(action.label, [role.may(action) for role in Role]) for action in Action]
