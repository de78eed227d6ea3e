"""The log of a team: who did what, when and from where."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from accounts.audit_lines import csv_of, details_of, object_of
from accounts.forms.teams import LogForm
from accounts.views.team_page import team_page
from config.search import matching, rest_of_query, typed
from models import AuditEntry
from models.access import Action
from models.audit import AuditGroup

PAGE_SIZE = 50


@login_required
@require_GET
def log(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.AUDIT, "log")
    group, who = typed(request, "group"), typed(request, "who")
    names = ("actor_name", "actor__first_name", "actor__last_name", "object_name")
    entries = AuditEntry.objects.of_team(context["team"]).filter(matching(who, *names)).select_related("actor")
    if group in AuditGroup.values:
        entries = entries.in_group(group)
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = [(entry, object_of(entry), details_of(entry)) for entry in page]
    form = LogForm(initial={"group": group, "who": who})
    more = {"page": page, "lines": lines, "form": form, "query": rest_of_query(group=group, who=who)}
    return render(request, "teams/log.html", context | more | {"is_narrow": bool(group or who)})


@login_required
@require_GET
def log_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    team = team_page(request, pk, Action.AUDIT, "log")["team"]
    lines = csv_of(AuditEntry.objects.of_team(team).iterator(chunk_size=2000))
    name = f"log-{slugify(team.name) or team.pk}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
