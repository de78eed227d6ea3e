"""How somebody signs in, where they are signed in, and what they did."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.browsers import browser_of
from accounts.services import people
from accounts.services import security as services
from machines.views.access import person
from models import AuditEntry
from models.audit import AuditAction

RECENT = 10
PAGE_SIZE = 50
MOST_SESSIONS = 50


@login_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    user = person(request)
    here = request.session.session_key
    sessions = [
        {"row": row, "browser": browser_of(row.user_agent), "is_this": row.session_key == here}
        for row in services.sessions_of(user)[:MOST_SESSIONS]
    ]
    context = {
        "sessions": sorted(sessions, key=lambda each: not each["is_this"]),
        "second_factor": services.second_factor_of(user),
        "unconfirmed": people.address_to_confirm(user=user),
        "entries": _own_entries(request)[:RECENT],
    }
    return render(request, "accounts/security.html", context)


def _own_entries(request: HttpRequest) -> QuerySet[AuditEntry]:
    """Return what this person did. Refusals are left out: they would tell what exists."""
    user = person(request)
    return AuditEntry.objects.visible_to(user).filter(actor=user).exclude(action=AuditAction.DENIED)


@login_required
@require_POST
def session_end(request: HttpRequest, session_pk: int) -> HttpResponse:
    user = person(request)
    session = services.sessions_of(user).filter(pk=session_pk).first()
    if session is None:
        raise Http404
    if session.session_key == request.session.session_key:
        return redirect("account_logout")
    services.session_end(session=session, user=user)
    messages.success(request, _("That session is ended."))
    return redirect("accounts:security")


@login_required
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    count = services.other_sessions_end(user=person(request), but=request.session.session_key)
    text = ngettext("%(n)s session is ended.", "%(n)s sessions are ended.", count) % {"n": count}
    messages.success(request, text if count else _("There is no other session."))
    return redirect("accounts:security")


@login_required
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    entries = _own_entries(request).select_related("team")
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "accounts/activity.html", {"page": page})
