"""Public links in words: what the sharing pages show."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from models import GraphLink, PublicLink
from models.shared_link import LinkState

TAGS = {LinkState.OPEN: "is-good", LinkState.STOPPED: "is-warn"}
FRAME = '<iframe src="{}" title="{}" width="100%" height="900" loading="lazy"></iframe>'
Link = TypeVar("Link", PublicLink, GraphLink)


@dataclass(frozen=True)
class _Row(Generic[Link]):
    link: Link

    @property
    def is_open(self) -> bool:
        return self.link.state is LinkState.OPEN

    @property
    def can_be_revoked(self) -> bool:
        """One that has stopped may come back with its maker's role; what is used up or over does not."""
        return self.link.state in {LinkState.OPEN, LinkState.STOPPED}

    @property
    def tag(self) -> str:
        return TAGS.get(self.link.state, "")

    @property
    def ends(self) -> str:
        """Return the last moment on which it works; a whole day reads as that day."""
        if self.link.expires_at is None:
            return _("never")
        return current_formats().moment(self.link.expires_at - timedelta(seconds=1))

    @property
    def why(self) -> str:
        """Say why it no longer works, where the state alone does not."""
        if self.link.state is not LinkState.STOPPED:
            return ""
        return _("Whoever made it may no longer publish it.")

    @property
    def about(self) -> str:
        """Say who made it."""
        who = self.link.created_by.get_full_name() if self.link.created_by else _("a deleted account")
        return _("made by %(who)s") % {"who": who}

    @property
    def uses(self) -> str:
        return current_formats().number(self.link.uses)

    @property
    def framed(self) -> str:
        """Return the address that a frame shows."""
        return self.link.link

    @property
    def frame(self) -> str:
        """Return the HTML by which an allowed site shows it, as text to copy; "" when no site may."""
        return FRAME.format(escape(self.framed), escape(self.link.title)) if self.link.embedders else ""


class LinkRow(_Row[PublicLink]):
    """A link to a machine's form."""

    @property
    def what(self) -> str:
        return self.link.title

    @property
    def about(self) -> str:
        """Say what it asks, and who made it."""
        count = len(self.link.questions)
        what = ngettext("%(n)s question", "%(n)s questions", count) % {"n": count} if count else _("The whole form")
        return f"{what}, {super().about}"

    @property
    def uses(self) -> str:
        most = self.link.max_uses
        if most is None:
            return super().uses
        return _("%(given)s of %(most)s") % {"given": super().uses, "most": current_formats().number(most)}


class GraphLinkRow(_Row[GraphLink]):
    """A link to graphs."""

    @property
    def what(self) -> str:
        return self.link.graph.name if self.link.graph else _("The whole page of graphs")

    @property
    def framed(self) -> str:
        return f"{self.link.link}?embed"
