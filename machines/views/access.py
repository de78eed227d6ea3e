"""The two ways a view gets a machine, without its big columns, which are read when used. Not yours means 404."""

from django.core.exceptions import BadRequest
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from models import Machine, User


def person(request: HttpRequest) -> User:
    """Return the signed-in user of a view behind login_required."""
    assert isinstance(request.user, User)
    return request.user


def machine_to_see(request: HttpRequest, pk: int) -> Machine:
    return get_object_or_404(Machine.objects.visible_to(person(request)).light(), pk=pk)


def machine_to_edit(request: HttpRequest, pk: int) -> Machine:
    return get_object_or_404(Machine.objects.editable_by(person(request)).light(), pk=pk)


def may_edit(request: HttpRequest, machine: Machine) -> bool:
    return Machine.objects.editable_by(person(request)).filter(pk=machine.pk).exists()


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form sent, even if it is nothing; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def check_whole(request: HttpRequest) -> None:
    """Refuse a body that broke off before its announced end: Django takes half a file for a whole one."""
    _ = request.POST  # reads the body to its end
    stream = getattr(request, "_stream", None)
    if isinstance(stream, LimitedStream) and stream._pos < stream.limit:  # type: ignore[attr-defined]  # not public
        raise BadRequest("The body of the request broke off.")
