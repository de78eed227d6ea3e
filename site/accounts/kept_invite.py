"""The invitation somebody brings along through sign-up and sign-in: its hash, in their session."""

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.services.joining import Outcome, invite_accept, is_by_mail, landing_url
from models import Invite, User
from models.access import Role

KEY = "invite"  # the token itself stands in no session and no address but its own


def keep(request: HttpRequest, hashed: str) -> None:
    request.session[KEY] = hashed


def drop(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def kept_hash(request: HttpRequest) -> str:
    return str(request.session.get(KEY, ""))


def kept(request: HttpRequest) -> Invite | None:
    """Return the invitation that was brought along, while it can be used."""
    hashed = kept_hash(request)
    return Invite.objects.by_hash(hashed).usable().select_related("team", "invited_by").first() if hashed else None


def proves(request: HttpRequest, email: str) -> bool:
    """Return whether the link that was brought along was mailed to this address."""
    invite = kept(request)
    return invite is not None and is_by_mail(invite, kept_hash(request)) and invite.email == email.strip().lower()


def arrive(request: HttpRequest, user: User) -> str | None:
    """Join with the invitation that was brought along; return where to go, or None when there is none."""
    hashed = kept_hash(request)
    if not hashed:
        return None
    invite = kept(request)
    return reverse("invites:kept") if invite is None else join(request, invite, user, hashed)


def join(request: HttpRequest, invite: Invite, user: User, hashed: str) -> str:
    """Join and return the first page; the page of the invitation when something stands in the way."""
    outcome = invite_accept(invite=invite, user=user, by_mail=is_by_mail(invite, hashed))
    if outcome not in {Outcome.JOINED, Outcome.MEMBER}:
        keep(request, hashed)
        return reverse("invites:kept")
    drop(request)
    if outcome is Outcome.JOINED:
        words = {"team": invite.team.name, "role": Role(invite.role).label}
        messages.success(request, _("Welcome to “%(team)s”. You are %(role)s here.") % words)
    return landing_url(invite=invite, user=user)
