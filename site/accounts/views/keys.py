"""API keys of a person and of a team: made here, shown once, revoked at once."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.keys import KeyForm
from accounts.services import keys as services
from accounts.views.team_page import team_page
from config.limits import at_most
from machines.views.access import fetch, person, sent
from models import ApiKey, Team
from models.access import Action
from models.api_key import ApiKeyQuerySet

PAGE_SIZE = 24


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_keys(request: HttpRequest) -> HttpResponse:
    keys = ApiKey.objects.visible_to(person(request)).filter(team=None)
    page: HttpResponse = _page(request, "keys/own.html", keys, {"team": None})
    return page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_keys(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.KEYS, "keys")
    keys = ApiKey.objects.visible_to(person(request)).filter(team=pk)
    page: HttpResponse = _page(request, "keys/team.html", keys, context)
    return page


@reauthentication_required(enabled=lambda request: request.method == "POST")
@never_cache  # a new key stands in the answer to the form, and nowhere else
@at_most(20, seconds=60)
def _page(request: HttpRequest, template: str, keys: ApiKeyQuerySet, context: dict[str, Any]) -> HttpResponse:
    form, made, secret = KeyForm(sent(request), keys=keys), None, ""
    if form.is_bound and form.is_valid():
        chosen = {"name": form.cleaned_data["name"], "scopes": form.cleaned_data["scopes"], "lasts": form.lasts}
        made, secret = services.key_make(user=person(request), team=context["team"], **chosen)
        form = KeyForm(keys=keys)
    page = Paginator(keys.with_maker(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, template, context | {"form": form, "made": made, "secret": secret, "page": page})


@login_required
@require_POST
def own_key(request: HttpRequest, key_pk: int) -> HttpResponse:
    keys = ApiKey.objects.editable_by(person(request)).filter(team=None)
    return _revoke(request, keys, key_pk, reverse("accounts:keys"))


@login_required
@require_POST
def team_key(request: HttpRequest, pk: int, key_pk: int) -> HttpResponse:
    team: Team = fetch(request, Team.objects.all(), Action.KEYS, pk)
    keys = ApiKey.objects.editable_by(person(request)).filter(team=team)
    return _revoke(request, keys, key_pk, reverse("teams:keys", args=[pk]))


def _revoke(request: HttpRequest, keys: ApiKeyQuerySet, key_pk: int, back: str) -> HttpResponse:
    key = keys.select_related("team").filter(pk=key_pk).first()
    if key is None:
        raise Http404
    services.key_revoke(key=key, user=person(request))
    messages.success(request, _("“%(name)s” is revoked. It stopped working just now.") % {"name": key.name})
    return redirect(back)
