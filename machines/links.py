"""A public link in words: what the sharing page shows."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from models import PublicLink
from models.public_link import PublicLinkState

TAGS = {PublicLinkState.OPEN: "is-good", PublicLinkState.STOPPED: "is-warn"}
FRAME = '<iframe src="{}" title="{}" width="100%" height="900" loading="lazy"></iframe>'


@dataclass(frozen=True)
class LinkRow:
    link: PublicLink

    @property
    def is_open(self) -> bool:
        return self.link.state is PublicLinkState.OPEN

    @property
    def can_be_revoked(self) -> bool:
        """One that has stopped may come back with its maker's role; what is used up or over does not."""
        return self.link.state in {PublicLinkState.OPEN, PublicLinkState.STOPPED}

    @property
    def tag(self) -> str:
        return TAGS.get(self.link.state, "")

    @property
    def questions(self) -> str:
        count = len(self.link.questions)
        return ngettext("%(n)s question", "%(n)s questions", count) % {"n": count} if count else _("The whole form")

    @property
    def answers(self) -> str:
        number, link = current_formats().number, self.link
        if link.max_uses is None:
            return number(link.uses)
        return _("%(given)s of %(most)s") % {"given": number(link.uses), "most": number(link.max_uses)}

    @property
    def ends(self) -> str:
        """Return the last moment on which it answers; a whole day reads as that day."""
        if self.link.expires_at is None:
            return _("never")
        return current_formats().moment(self.link.expires_at - timedelta(seconds=1))

    @property
    def why(self) -> str:
        """Say why it no longer answers, where the state alone does not."""
        if self.link.state is not PublicLinkState.STOPPED:
            return ""
        return _("Whoever made it may no longer publish it.")

    @property
    def maker(self) -> str:
        return self.link.created_by.get_full_name() if self.link.created_by else _("a deleted account")

    @property
    def frame(self) -> str:
        """Return the HTML by which an allowed site shows the form, as text to copy; "" when no site may."""
        return FRAME.format(escape(self.link.link), escape(self.link.title)) if self.link.embedders else ""
