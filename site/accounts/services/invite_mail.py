"""Mail about invitations, sent by the worker. The invitation's row says what became of it."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse
from django.utils import timezone

from accounts.services.invites import ROLE_WORDS
from accounts.services.joining import landing_words
from accounts.services.mail import SECONDS, mail_send, mail_works
from models import Invite, InviteRequest, Team, User
from models.access import Action, Role
from models.invite import MailState

logger = logging.getLogger(__name__)
FAILURES = (OSError, ValueError)  # SMTP's errors are OSErrors; ValueError: an address no server takes


def invites_send(*, pks: Iterable[int]) -> None:
    """Mail the invitations that wait for it. What cannot be sent says so in its row, and can be sent again."""
    waiting = Invite.objects.filter(pk__in=list(pks), mail_state=MailState.WAITING)
    waiting.exclude(pk__in=Invite.objects.usable().values("pk")).update(mail_state=MailState.NONE)
    connection = get_connection(timeout=SECONDS)
    try:
        connection.open()
    except FAILURES:
        logger.exception("The mail server cannot be reached")
        waiting.update(mail_state=MailState.FAILED)
        return
    for invite in waiting.select_related("team", "invited_by").order_by("pk"):
        _send(invite, connection)
    connection.close()


def _send(invite: Invite, connection: BaseEmailBackend) -> None:
    try:
        mail_send(
            template="invites/email/invite",
            to=[invite.email],
            language=invite.language,
            connection=connection,
            invite=invite,
            landing=landing_words(invite),
            can=ROLE_WORDS[Role(invite.role)],
        )
    except FAILURES:
        logger.exception("Invitation %s could not be mailed", invite.pk)
        _note(invite, mail_state=MailState.FAILED)
    else:
        _note(invite, mail_state=MailState.SENT, sent_at=timezone.now())


def _note(invite: Invite, **what: object) -> None:
    """Write the outcome, unless the invitation got a new link meanwhile: then another message is on its way."""
    Invite.objects.filter(pk=invite.pk, mail_hash=invite.mail_hash).update(**what)


def request_tell(*, request: InviteRequest) -> None:
    """Tell everybody who may answer that somebody asks for a new invitation."""
    team = request.invite.team
    address = f"{settings.SITE_URL}{reverse('teams:invites', args=[team.pk])}"
    for person in _who_may_invite(team) if mail_works() else []:
        try:
            mail_send(
                template="invites/email/asked", to=[person.email or ""], language="", request=request, url=address
            )
        except FAILURES:
            logger.exception("A request for an invitation could not be mailed")


def _who_may_invite(team: Team) -> list[User]:
    admins = User.objects.filter(memberships__team=team, memberships__role__in=Role.which_may(Action.INVITE))
    people = admins | User.objects.filter(administered_teams=team)
    return list(people.filter(is_active=True).distinct().order_by("pk"))
