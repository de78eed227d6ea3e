"""Sharing a machine: its team, and links to its form and its graphs for people without an account."""

from datetime import datetime

from django.db import transaction

from machines.services.predictions import description_of
from models import Graph, GraphLink, Machine, PublicLink, Team, User
from models.audit import AuditAction, record
from models.shared_link import LinkState


@transaction.atomic
def machine_move(*, machine: Machine, team: Team | None, user: User) -> bool:
    """Put a machine into a team, or back to its owner alone; return whether that changes anything.

    Public links of people who may no longer publish it are revoked: nothing stays open that they opened.
    """
    before = machine.machine_owner_team
    still = Machine.objects.filter(pk=machine.pk, machine_owner_team=before)  # somebody may have been faster
    if before == team or not still.update(machine_owner_team=team):
        return False
    machine.machine_owner_team = team
    if before:
        record(AuditAction.MACHINE_TAKEN_OUT, actor=user, team=before, target=machine)
    if team:
        record(AuditAction.MACHINE_SHARED, actor=user, team=team, target=machine)
    shown = machine.graph_links.backed().select_related("graph", "machine").filter(revoked_at=None)
    for link in [*machine.public_links.backed().filter(revoked_at=None), *shown]:
        if link.state is LinkState.STOPPED and link.revoke():
            record(AuditAction.LINK_REVOKED, actor=user, team=before, target=link, name=link.title)
    return True


@transaction.atomic
def link_publish(
    *,
    machine: Machine,
    user: User,
    name: str,
    questions: list[str],
    allowed_sites: list[str],
    max_uses: int | None,
    expires_at: datetime | None,
) -> PublicLink:
    """Return a new link to a machine's form; no `questions` means all of them. Raises NotTrainedError."""
    description_of(machine)
    link = PublicLink.objects.create(
        machine=machine,
        created_by=user,
        name=name,
        questions=questions,
        allowed_sites=allowed_sites,
        max_uses=max_uses,
        expires_at=expires_at,
    )
    record(AuditAction.LINK_PUBLISHED, actor=user, team=machine.machine_owner_team, target=link, name=link.title)
    return link


@transaction.atomic
def graphs_publish(
    *, machine: Machine, graph: Graph | None, user: User, allowed_sites: list[str], expires_at: datetime | None
) -> GraphLink:
    """Return a new link to one graph, or to all graphs of a machine."""
    link = GraphLink.objects.create(
        machine=machine, graph=graph, created_by=user, allowed_sites=allowed_sites, expires_at=expires_at
    )
    record(AuditAction.GRAPHS_PUBLISHED, actor=user, team=machine.machine_owner_team, target=link, name=link.title)
    return link


@transaction.atomic
def link_revoke(*, link: PublicLink | GraphLink, user: User) -> bool:
    """End a link at once; return whether this call did it."""
    is_done = link.revoke()
    if is_done:
        team = link.machine.machine_owner_team
        record(AuditAction.LINK_REVOKED, actor=user, team=team, target=link, name=link.title)
    return is_done
