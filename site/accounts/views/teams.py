"""Teams: the list, one team with its people, its settings, its end."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms.teams import DeleteForm, RoleForm, TeamForm, TransferForm, WhyForm
from accounts.members import matrix, people_of, teams_of
from accounts.services import teams as services
from accounts.views.team_page import team_page
from config.limits import at_most
from config.search import rest_of_query, typed
from config.shortcuts import render_page
from machines.services.access import Explanation, explain
from machines.views.access import person, sent
from machines.views.workspace import choose
from models import Team, User
from models.access import Action, Role

PAGE_SIZE = 50
read_write = require_http_methods(["GET", "POST"])


@login_required
@require_GET
def team_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(teams_of(person(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    for team in page:
        team.role_name = Role(team.role).label
    return render(request, "teams/list.html", {"page": page})


@login_required
@read_write
@at_most(30, 3600)
def new(request: HttpRequest) -> HttpResponse:
    form = TeamForm(sent(request))
    if form.is_valid():
        team = services.team_make(user=person(request), name=form.cleaned_data["name"])
        messages.success(request, _("“%(team)s” is made. Invite the people you work with.") % {"team": team.name})
        return redirect("teams:detail", pk=team.pk)
    return render(request, "teams/new.html", {"form": form})


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    if not choose(request, request.POST.get("workspace", "")):
        messages.info(request, _("You are in no such team now, so you see all your machines."))
    goal = request.POST.get("next", "")
    is_local = goal.startswith("/") and url_has_allowed_host_and_scheme(goal, {request.get_host()}, request.is_secure())
    return redirect(goal if is_local else reverse("dashboards:home"))


@login_required
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.SEE, "members")
    text = typed(request)
    page = Paginator(people_of(context["team"], text), PAGE_SIZE).get_page(request.GET.get("page"))
    for member in page:
        member.role_name = Role(member.role).label
    more = {"page": page, "q": text, "query": rest_of_query(q=text), "roles": list(Role), "matrix": matrix()}
    counts = {"machines": context["team"].machines.count(), "is_alone": not text and page.paginator.count == 1}
    return render(request, "teams/detail.html", context | more | counts)


@login_required
@read_write
def member(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.MANAGE if request.method == "POST" else Action.SEE, "members")
    team, who = context["team"], _somebody_in(context["team"], user_pk)
    form = RoleForm(sent(request), initial={"role": who.role})
    if form.is_valid():
        role = form.cleaned_data["role"]
        services.role_change(team=team, person=who, role=role, by=person(request))
        words = {"name": who.get_full_name(), "role": role.label}
        messages.success(request, _("%(name)s is %(role)s now.") % words)
        return redirect("teams:member", pk=pk, user_pk=user_pk)
    powers = [(action.label, Role(who.role).may(action)) for action in Action]
    more = {"who": who, "role_name": Role(who.role).label, "powers": powers, "form": form, "why_form": WhyForm()}
    return render(request, "teams/member.html", context | more | {"is_owner": who.role == Role.OWNER})


def _somebody_in(team: Team, pk: int | str) -> Any:
    """Return one of the team's people, with their `role`. A number from a query string may be anything."""
    is_number = isinstance(pk, int) or (pk.isdecimal() and len(pk) < 19)
    found = people_of(team).filter(pk=pk).first() if is_number else None
    if found is None:
        raise Http404
    return found


@login_required
@read_write
def remove(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.MANAGE, "members")
    team, who = context["team"], _somebody_in(context["team"], user_pk)
    if request.method == "POST":
        services.member_remove(team=team, person=who, by=person(request))
        messages.success(request, _("%(name)s is no longer in the team.") % {"name": who.get_full_name()})
        return redirect("teams:detail", pk=pk)
    more = {"who": who, "is_owner": who.role == Role.OWNER, "leaving": services.leaving_of(team=team, person=who)}
    return render(request, "teams/remove.html", context | more)


@login_required
@require_GET
def why(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.SEE, "members")
    asked = typed(request, "person")
    who: User = _somebody_in(context["team"], asked) if asked else person(request)
    form = WhyForm(request.GET if "action" in request.GET else None)
    if form.is_valid():
        answer = explain(team=context["team"], person=who, action=form.cleaned_data["action"])
        context |= {"answer": answer, "would_help": context["may_manage"] and _role_would_help(answer)}
    return render_page(request, "teams/why.html", context | {"who": who, "why_form": form}, partial="why")


def _role_would_help(answer: Explanation) -> bool:
    return answer.role is not None and answer.needed in Role.stored() and not answer.role.may(answer.action)


@login_required
@read_write
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.MANAGE if request.method == "POST" else Action.SEE, "settings")
    name = context["team"].name
    form = TeamForm(sent(request), instance=context["team"])
    if form.is_valid():
        services.team_rename(team=context["team"], name=form.cleaned_data["name"], by=person(request))
        messages.success(request, _("The team is called “%(name)s” now.") % {"name": form.cleaned_data["name"]})
        return redirect("teams:settings", pk=pk)
    return render(request, "teams/settings.html", context | {"form": form, "name": name})


@login_required
@read_write
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.SEE, "settings")
    if not context["is_member"]:
        raise Http404
    team, who = context["team"], person(request)
    if request.method == "POST":
        services.team_leave(team=team, person=who)
        messages.success(request, _("You have left “%(team)s”.") % {"team": team.name})
        return redirect("teams:list")
    more = {"is_owner": team.admin_user_id == who.pk, "leaving": services.leaving_of(team=team, person=who)}
    return render(request, "teams/leave.html", context | more)


@login_required
@read_write
@reauthentication_required(allow_get=True)
def transfer(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.TRANSFER, "settings")
    form = TransferForm(sent(request), team=context["team"])
    if form.is_valid():
        to = form.cleaned_data["to"]
        services.team_transfer(team=context["team"], to=to, by=person(request))
        words = {"name": to.get_full_name(), "team": context["team"].name}
        messages.success(request, _("%(name)s owns “%(team)s” now.") % words)
        return redirect("teams:detail", pk=pk)
    return render(request, "teams/transfer.html", context | {"form": form})


@login_required
@read_write
@reauthentication_required(allow_get=True)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.TRANSFER, "settings")
    team = context["team"]
    form = DeleteForm(sent(request), team=team)
    if form.is_valid():
        count = services.team_delete(team=team, by=person(request))
        words = {"team": team.name, "n": count}
        text = ngettext(
            "“%(team)s” is deleted. %(n)d machine is with its owner alone now.",
            "“%(team)s” is deleted. %(n)d machines are with their owners alone now.",
            count,
        )
        messages.success(request, (text if count else _("“%(team)s” is deleted.")) % words)
        return redirect("teams:list")
    counts = {"machines": team.machines.count(), "members": team.memberships.count()}
    return render(request, "teams/delete.html", context | counts | {"form": form})
