"""Who can see a machine's graphs without an account: public links to all of them or to one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from config.limits import at_most
from config.shortcuts import render_page
from dashboards.graph_forms import GraphLinkForm
from machines.links import GraphLinkRow
from machines.services.sharing import graphs_publish
from machines.views.access import machine_for, person, sent
from machines.views.sharing import revoked
from models.access import Action

PAGE_SIZE = 20


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def sharing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the public links to a machine's graphs; a POST makes one."""
    machine = machine_for(request, pk, Action.PUBLISH)
    form = GraphLinkForm(machine, sent(request), initial={"graph": request.GET.get("graph")})
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("graph", "allowed_sites")}
        graphs_publish(machine=machine, user=person(request), expires_at=form.expires_at, **given)
        messages.success(request, _("Whoever has the link can see it. Copy it below."))
        return redirect("graphs:sharing", pk=pk)
    links = machine.graph_links.backed().select_related("created_by", "graph")
    page = Paginator(links, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"machine": machine, "form": form, "page": page, "rows": [GraphLinkRow(link) for link in page]}
    return render_page(request, "dashboards/graphs/sharing.html", context)


@login_required
@require_POST
def link_revoke(request: HttpRequest, pk: int, link_pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.PUBLISH)
    return revoked(request, get_object_or_404(machine.graph_links.all(), pk=link_pk), "graphs:sharing")
