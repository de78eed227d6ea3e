"""What the staff do with servers and everybody's work, and what people do with each other's: noted, and told."""

from django.db import transaction

from machines.services.works import work_cancel, work_retry
from models import Server, User, Work
from models.audit import AuditAction, record


@transaction.atomic
def work_cancel_by(*, work: Work, user: User) -> bool:
    """Cancel a work; whoever asked for it is told if it was somebody else. Return whether this call ended it."""
    is_ended = work_cancel(work=work)
    if is_ended and work.user_id != user.pk:
        Work.objects.filter(pk=work.pk).update(told_at=None)
        _note(AuditAction.WORK_CANCELLED, work, user)
    return is_ended


@transaction.atomic
def work_retry_by(*, work: Work, user: User) -> bool:
    """Let a failed work be tried again; return whether this call did that. Raises DataError where it cannot be."""
    is_waiting = work_retry(work=work)
    if is_waiting:
        _note(AuditAction.WORK_RETRIED, work, user)
    return is_waiting


@transaction.atomic
def server_drain(*, server: Server, user: User, is_draining: bool) -> None:
    """Let a server take no more work, or take work again."""
    server.drain(is_draining)
    record(AuditAction.SERVER_DRAINED if is_draining else AuditAction.SERVER_RESUMED, actor=user, target=server)


def _note(action: AuditAction, work: Work, user: User) -> None:
    team = work.machine.machine_owner_team if work.machine else None
    record(action, actor=user, team=team, target=work)
