"""What a worker runs for people. Arguments hold no secret: numbers, addresses and hashes."""

from django_tasks import task

from accounts.services.invite_mail import invites_send, request_tell
from accounts.services.invite_requests import request_note


@task()
def invites_mail(pks: list[int]) -> None:
    invites_send(pks=pks)


@task()
def invite_asked(hashed: str, email: str) -> None:
    """In the worker, so that a link that never was takes as long to answer as one that has ended."""
    request = request_note(hashed=hashed, email=email)
    if request is not None:
        request_tell(request=request)
