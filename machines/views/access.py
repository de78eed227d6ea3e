"""The two ways a view gets a machine. Not yours means 404."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from models import Machine, User


def person(request: HttpRequest) -> User:
    """Return the signed-in user of a view behind login_required."""
    assert isinstance(request.user, User)
    return request.user


def machine_to_see(request: HttpRequest, pk: int) -> Machine:
    return get_object_or_404(Machine.objects.visible_to(person(request)), pk=pk)


def machine_to_edit(request: HttpRequest, pk: int) -> Machine:
    return get_object_or_404(Machine.objects.editable_by(person(request)), pk=pk)
