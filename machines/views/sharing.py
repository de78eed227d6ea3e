"""Who can use a machine: its team, and public links to its form."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from config.limits import at_most
from machines.forms.sharing import LinkForm, ShareForm
from machines.links import LinkRow
from machines.services.access import actions_of
from machines.services.predictions import NotTrainedError, description_of
from machines.services.sharing import link_publish, link_revoke, machine_move
from machines.views.access import machine_for, person, sent
from models import GraphLink, Machine, PublicLink
from models.access import Action

PAGE_SIZE = 20


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def sharing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who can use the machine; a POST makes a public link."""
    machine = machine_for(request, pk, Action.PUBLISH)
    form = _link_form(machine, sent(request))
    if form and form.is_valid():
        link_publish(machine=machine, user=person(request), **form.chosen())
        messages.success(request, _("The form is public. Copy its link below."))
        return redirect("machines:sharing", pk=pk)
    return _page(request, machine, link_form=form)


@login_required
@require_POST
def sharing_team(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the machine into a team, or take it out: it stays with its owner."""
    machine = machine_for(request, pk, Action.DELETE)
    form = ShareForm(machine, person(request), request.POST)
    if not form.is_valid():
        return _page(request, machine, share_form=form)
    team = form.cleaned_data["team"]
    if machine_move(machine=machine, team=team, user=person(request)):
        name = machine.machine_name
        if team:
            messages.success(request, _("“%(name)s” is shared with “%(team)s”.") % {"name": name, "team": team.name})
        else:
            messages.success(request, _("“%(name)s” is back with its owner alone.") % {"name": name})
    if Action.PUBLISH in actions_of(user=person(request), machine=machine):
        return redirect("machines:sharing", pk=pk)
    return redirect("machines:list")  # who took it out of the team can no longer see it


@login_required
@require_POST
def sharing_revoke(request: HttpRequest, pk: int, link_pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.PUBLISH)
    return revoked(request, get_object_or_404(machine.public_links.all(), pk=link_pk), "machines:sharing")


def revoked(request: HttpRequest, link: PublicLink | GraphLink, page: str) -> HttpResponse:
    """End a link, say so, and go back to the page of links."""
    if link_revoke(link=link, user=person(request)):
        messages.success(request, _("“%(name)s” is closed; nobody can use that link any more.") % {"name": link.title})
    return redirect(page, pk=link.machine_id)


def _page(
    request: HttpRequest, machine: Machine, share_form: ShareForm | None = None, link_form: LinkForm | None = None
) -> HttpResponse:
    links = machine.public_links.backed().select_related("created_by")
    page = Paginator(links, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "machine": machine,
        "share_form": share_form or ShareForm(machine, person(request)),
        "link_form": link_form or _link_form(machine),
        "page": page,
        "rows": [LinkRow(link) for link in page],
        "is_owner": machine.machine_owner_user_id == request.user.pk,
    }
    return render(request, "machines/sharing.html", context)


def _link_form(machine: Machine, data: QueryDict | None = None) -> LinkForm | None:
    """Return the form for a new link; None while the machine cannot answer, or takes more than a form can ask for."""
    try:
        description = description_of(machine)
    except NotTrainedError:
        return None
    return LinkForm(description, data) if description.get("has_form", True) else None
