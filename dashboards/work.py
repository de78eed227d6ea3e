"""A person's work: what they asked for and what became of it, and the news of its end."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.shortcuts import is_partial, render_page
from dashboards.news import News, numbers, tell
from dashboards.work_lines import WorkLine, shown
from machines.services.access import explain
from machines.services.works import work_cancel, work_finish_early
from machines.views.access import note_denial, person
from models import Machine, User, Work
from models.access import Action

PAGE_SIZE = 25
OF_MACHINES = "machines"  # of `?of=`: the work of everybody on the machines that this person may train


@login_required
@require_safe
def work_list(request: HttpRequest) -> HttpResponse:
    user, is_of_machines = person(request), request.GET.get("of") == OF_MACHINES
    works = Work.objects.editable_by(user) if is_of_machines else Work.objects.visible_to(user).asked_by(user)
    page = Paginator(shown(works).select_related("user"), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = _lines(page, user)
    context = {
        "page": page,
        "lines": lines,
        "is_of_machines": is_of_machines,
        "is_active": any(line.work.is_active for line in lines),
        "query": f"of={OF_MACHINES}&" if is_of_machines else "",
        "place": place_of(request),
    }
    return render_page(request, "dashboards/work.html", context, partial="own-work")


def _lines(page: Page[Work], user: User) -> list[WorkLine]:
    active = [work.pk for work in page if work.is_active]
    mine = set(Work.objects.editable_by(user).filter(pk__in=active).order_by().values_list("pk", flat=True))
    return [WorkLine(work, may_end=work.pk in mine, is_mine=work.user_id == user.pk) for work in page]


@login_required
@require_POST
def cancel(request: HttpRequest, work_pk: int) -> HttpResponse:
    if not work_cancel(work=work_for(request, work_pk), user=person(request)):
        messages.info(request, _("It had ended already."))
    return back_to(request, "dashboards:work")


@login_required
@require_POST
def finish(request: HttpRequest, work_pk: int) -> HttpResponse:
    if not work_finish_early(work=work_for(request, work_pk)):
        messages.info(request, _("It had ended already."))
    return back_to(request, "dashboards:work")


def place_of(request: HttpRequest) -> str:
    """Return which part of a list is looked at, as it stands in the address."""
    return f"?{request.GET.urlencode()}" if request.GET else ""


def back_to(request: HttpRequest, name: str) -> HttpResponse:
    """Lead back to the list, where the person left it."""
    return redirect(reverse(name) + place_of(request))


def work_for(request: HttpRequest, pk: int) -> Work:
    """Return the work if this person may end it; else 404, or 403 with the reason if they may see it."""
    user = person(request)
    found = Work.objects.editable_by(user).filter(pk=pk).first()
    if found is not None:
        return found
    seen = Machine.objects.visible_to(user).light().filter(Work__pk=pk).first()
    note_denial(user, Action.EDIT, seen or Machine.objects.light().filter(Work__pk=pk).first())
    if seen is None or seen.machine_owner_team is None:
        raise Http404
    raise PermissionDenied(explain(team=seen.machine_owner_team, person=user, action=Action.EDIT).sentence)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """Tell what is new and not on the page yet; sent back, its numbers say what the person has been told."""
    if request.method == "POST":
        tell(user=person(request), works=numbers(request.POST.getlist("work")))
        return HttpResponse() if is_partial(request) else redirect("dashboards:work")
    news = News.of(request, known=numbers(request.GET.getlist("work")))
    return render(request, "components/_news.html", {"news": news, "oob": True})
