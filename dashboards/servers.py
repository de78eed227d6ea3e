"""The workers of the site, what they do and what waits for them: for its staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from config.shortcuts import is_partial, render_page
from dashboards.server_lines import SECTIONS, counts, of_section, throughput
from dashboards.services import server_drain
from dashboards.work import back_to, place_of
from machines.engine.errors import DataError
from machines.services.texts import sentence
from machines.services.works import work_cancel, work_retry
from machines.views.access import person
from models import Server, Work

PAGE_SIZE = 25
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_staff(view: View[P]) -> View[P]:
    """Let the staff in; to everybody else there is nothing here."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not person(request).is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@for_staff
def servers(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("show", "")
    section = wanted if wanted in SECTIONS else SECTIONS[0]
    rows, lines_of = of_section(section)
    page: Any = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": lines_of(page),
        "section": section,
        "counts": counts(),
        "query": f"show={section}&",
        "place": place_of(request),
        "throughput": throughput() if section == SECTIONS[0] and not is_partial(request) else None,
    }
    return render_page(request, "dashboards/servers.html", context, partial="servers")


@require_POST
@for_staff
def drain(request: HttpRequest, server_pk: int, is_draining: bool) -> HttpResponse:
    server = Server.objects.filter(pk=server_pk).first()
    if server is None:
        raise Http404
    server_drain(server=server, user=person(request), is_draining=is_draining)
    return back_to(request, "dashboards:servers")


@require_POST
@for_staff
def cancel(request: HttpRequest, work_pk: int) -> HttpResponse:
    work = _work(work_pk)
    if not work_cancel(work=work, user=person(request)):
        messages.info(request, _("It had ended already."))
    return back_to(request, "dashboards:servers")


@require_POST
@for_staff
def retry(request: HttpRequest, work_pk: int) -> HttpResponse:
    try:
        is_waiting = work_retry(work=_work(work_pk), user=person(request))
    except DataError as error:
        messages.error(request, sentence(error.notice))
    else:
        messages.success(request, _("It waits in the queue again.") if is_waiting else _("It has not failed."))
    return back_to(request, "dashboards:servers")


def _work(pk: int) -> Work:
    """Return any work: the staff look after everybody's."""
    work = Work.objects.select_related("user").filter(pk=pk).first()
    if work is None:
        raise Http404
    return work
