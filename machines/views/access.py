"""The one way a view gets what a person asks for: by a query that holds the rule. Not yours means 404.

What somebody may see but not do, because of their role in a team, is a 403 that says which role it takes.
"""

from typing import Any, Protocol, TypeVar

from django.core.exceptions import BadRequest, PermissionDenied
from django.core.handlers.wsgi import LimitedStream
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, QueryDict

from config.limits import count_up
from machines.services.access import explain
from models import Machine, Team, User
from models.access import Action
from models.audit import AuditAction, record

MOST_DENIALS_NOTED = 30  # a minute and person: a script that guesses numbers must not fill the log

M = TypeVar("M", bound=Model, covariant=True)


class Guarded(Protocol[M]):
    """A queryset whose rows know who may do what with them: machines, teams."""

    model: Any

    def allowing(self, user: User, action: Action) -> "QuerySet[Any]": ...


def person(request: HttpRequest) -> User:
    """Return the signed-in user of a view behind login_required."""
    assert isinstance(request.user, User)
    return request.user


def fetch(request: HttpRequest, rows: Guarded[M], action: Action, pk: int) -> M:
    """Return the row if this person may do this with it.

    Raises Http404 when they may not even see it, PermissionDenied with the reason when their role is too low.
    """
    user = person(request)
    found: M | None = rows.allowing(user, action).filter(pk=pk).first()
    if found is not None:
        return found
    seen = rows.allowing(user, Action.SEE).filter(pk=pk).first()
    note_denial(user, action, rows.model.objects.filter(pk=pk).first() if seen is None else seen)
    team = _team_of(seen)
    if seen is None or team is None:
        raise Http404
    raise PermissionDenied(explain(team=team, person=user, action=action).sentence)


def _team_of(row: Model | None) -> Team | None:
    return row.machine_owner_team if isinstance(row, Machine) else row if isinstance(row, Team) else None


def note_denial(user: User, action: Action, row: Model | None, **details: str) -> None:
    if row is not None and count_up(f"denied:{user.pk}", 60) <= MOST_DENIALS_NOTED:
        record(AuditAction.DENIED, actor=user, team=_team_of(row), target=row, wanted=action.value, **details)


def machine_for(request: HttpRequest, pk: int, action: Action) -> Machine:
    """Return the machine without its big columns, which are read when used."""
    return fetch(request, Machine.objects.light(), action, pk)


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form sent, even if it is nothing; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def check_whole(request: HttpRequest) -> None:
    """Refuse a body that broke off before its announced end: Django takes half a file for a whole one."""
    _ = request.POST  # reads the body to its end
    stream = getattr(request, "_stream", None)
    if isinstance(stream, LimitedStream) and stream._pos < stream.limit:  # type: ignore[attr-defined]  # not public
        raise BadRequest("The body of the request broke off.")
