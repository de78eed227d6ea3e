"""Graphs for strangers, at /g/<token>/: no account, no cookie (config.middleware), nothing but the graphs."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from config.limits import count_up, too_many
from config.origin import ip_of
from config.shortcuts import is_partial, render_page
from dashboards.graph_shown import csv_response, shown
from machines.engine.errors import DataError
from machines.views.public import MOST_MISSES, WINDOW, let_embed
from models import Graph, GraphLink, Machine

MOST_LOOKS = 240  # a minute, from one address by one link: a page of graphs asks for each of them


def open_link(token: str) -> GraphLink | None:
    """Return the link with what it shows, in one query; None when it shows nothing, whatever the reason."""
    big = [f"machine__{name}" for name in Machine.big_fields()]
    return GraphLink.objects.usable().by_token(token).select_related("machine", "graph").defer(*big).first()


def graphs_of(link: GraphLink) -> "QuerySet[Graph]":
    return link.machine.graphs.filter(pk=link.graph_id) if link.graph_id else link.machine.graphs.all()


def _public(request: HttpRequest, token: str, answer: Callable[[GraphLink], HttpResponse]) -> HttpResponse:
    """Answer for a link that is open; say the same to everybody else: a guess must not learn what it hit."""
    link = open_link(token)
    if link is None:
        response = _closed(request)
    else:
        is_too_quick = count_up(f"graphs:{link.pk}:{ip_of(request)}", WINDOW) > MOST_LOOKS
        response = too_many(request, WINDOW, "public/slow.html") if is_too_quick else answer(link)
        let_embed(response, link.embedders)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _closed(request: HttpRequest) -> HttpResponse:
    if count_up(f"public-miss:{ip_of(request)}", WINDOW) > MOST_MISSES:
        return too_many(request, WINDOW, "public/slow.html")
    return render_page(request, "dashboards/graphs/public_closed.html", status=404)


@require_GET
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the one graph of a link, or places for all of them, which ask for themselves when they are scrolled to."""

    def answer(link: GraphLink) -> HttpResponse:
        if not is_partial(request):
            link.note_use()
        graphs = [] if link.graph_id else list(graphs_of(link))
        context = {"link": link, "token": token, "graphs": graphs, "is_embedded": "embed" in request.GET}
        if link.graph_id:
            context["shown"] = shown(request, graphs_of(link).get())
        return render_page(request, "dashboards/graphs/public.html", context)

    return _public(request, token, answer)


@require_GET
def graph(request: HttpRequest, token: str, graph_pk: int) -> HttpResponse:
    """Show one graph of a link: a page of its own, or the part of a page that asks for it."""

    def answer(link: GraphLink) -> HttpResponse:
        found = get_object_or_404(graphs_of(link), pk=graph_pk)
        context = {"link": link, "token": token, "shown": shown(request, found), "is_embedded": "embed" in request.GET}
        return render_page(request, "dashboards/graphs/public.html", context, partial="drawn")

    return _public(request, token, answer)


@require_GET
def table(request: HttpRequest, token: str, graph_pk: int) -> HttpResponse:
    def answer(link: GraphLink) -> HttpResponse:
        found = get_object_or_404(graphs_of(link), pk=graph_pk)
        try:
            return csv_response(found)
        except DataError:  # its own page says why
            return redirect("shown:graph", token=token, graph_pk=graph_pk)

    return _public(request, token, answer)
