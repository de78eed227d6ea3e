"""What the staff do with servers: noted."""

from django.db import transaction

from models import Server, User
from models.audit import AuditAction, record


@transaction.atomic
def server_drain(*, server: Server, user: User, is_draining: bool) -> None:
    """Let a server take no more work, or take work again."""
    server.drain(is_draining)
    record(AuditAction.SERVER_DRAINED if is_draining else AuditAction.SERVER_RESUMED, actor=user, target=server)
