"""What the calls have in common: who asks, and what their key may do, which is a query as on the pages."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from config.formats import Formats, use_formats
from machines.api.answers import Caller
from machines.services.access import explain
from machines.views.access import note_denial
from models import ApiKey, Machine, User, Work
from models.access import Action
from models.api_key import Scope

FAILED = "api.failed"  # in a request's environment: what asking on the short way (api.lane) ended with
FORMATS = Formats(date_format="YMD", date_separator="-", decimal_separator=".")  # of every key, whoever made it


class Call(GenericAPIView[Any]):
    """One address. Sentences in its answers write numbers and dates as its values do."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with use_formats(FORMATS):
            response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, private"
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if FAILED in request.META:
            raise request.META[FAILED]


def machines_of(request: Request, action: Action) -> Any:
    """Return the machines with which the key of this call may do this; 403 when its scopes leave it out."""
    return scoped(request, action).machines(action)


def machine_for(request: Request, pk: int, action: Action, **which: bool) -> Machine:
    """Return the machine if the key may do this with it; else 404, or 403 with the reason if it may see it."""
    found: Machine | None = machines_of(request, action).light().filter(pk=pk, **which).first()
    if found is None:
        _refuse(request, action, pk=pk, **which)
    return found


def work_for(request: Request, pk: int, action: Action) -> Work:
    """Return the work if the key may do this with it; else 404, or 403 with the reason if it may see it."""
    found = scoped(request, action).works(action).filter(pk=pk).first()
    if found is None:
        _refuse(request, action, Work__pk=pk)
    return found


def scoped(request: Request, action: Action) -> ApiKey:
    """Return the key of this call; 403 when its scopes leave this action out."""
    key = key_of(request)
    if key.has_scope(action):
        return key
    scope = Scope.of(action)
    words = {"scope": scope.value, "meaning": scope.label}
    raise exceptions.PermissionDenied(
        _("This key is not for this: it takes the scope “%(scope)s” (%(meaning)s).") % words, code="scope"
    )


def _refuse(request: Request, action: Action, **which: int) -> NoReturn:
    """Note the refusal, and say why if the key may see the machine that it is about."""
    key = key_of(request)
    seen = key.machines(Action.SEE).light().filter(**which).first()
    note_denial(key.user, action, seen or Machine.objects.light().filter(**which).first(), key=key.start)
    if seen is None or seen.machine_owner_team is None:
        raise Http404
    raise PermissionDenied(explain(team=seen.machine_owner_team, person=key.user, action=action).sentence)


def caller_of(request: Request) -> Caller:
    """Return for whom a model answers, and on whose account."""
    key = key_of(request)
    return Caller(key.pk, key.user_id)


def key_of(request: Request) -> ApiKey:
    """Return the key of this call."""
    assert isinstance(request.auth, ApiKey) and isinstance(request.user, User)
    return request.auth
