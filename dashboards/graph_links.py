"""Public links to graphs: made, ended, and in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.html import escape
from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.links import FRAME, TAGS
from models import Graph, GraphLink, Machine, User
from models.audit import AuditAction, record
from models.public_link import PublicLinkState


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
def graphs_revoke(*, link: GraphLink, user: User) -> bool:
    """End a link at once; return whether this call did it."""
    is_done = link.revoke()
    if is_done:
        team = link.machine.machine_owner_team
        record(AuditAction.LINK_REVOKED, actor=user, team=team, target=link, name=link.title)
    return is_done


@dataclass(frozen=True)
class GraphLinkRow:
    """What the page of links shows of one."""

    link: GraphLink

    @property
    def is_open(self) -> bool:
        return self.link.state is PublicLinkState.OPEN

    @property
    def can_be_revoked(self) -> bool:
        """One that has stopped may come back with its maker's role."""
        return self.link.state in {PublicLinkState.OPEN, PublicLinkState.STOPPED}

    @property
    def tag(self) -> str:
        return TAGS.get(self.link.state, "")

    @property
    def what(self) -> str:
        return self.link.graph.name if self.link.graph else _("The whole page of graphs")

    @property
    def maker(self) -> str:
        return self.link.created_by.get_full_name() if self.link.created_by else _("a deleted account")

    @property
    def ends(self) -> str:
        if self.link.expires_at is None:
            return _("never")
        return current_formats().moment(self.link.expires_at - timedelta(seconds=1))

    @property
    def frame(self) -> str:
        """Return the HTML by which an allowed site shows it, as text to copy; "" when no site may."""
        if not self.link.embedders:
            return ""
        return FRAME.format(escape(f"{self.link.link}?embed"), escape(self.link.title))
