"""Invitations as those see them who may invite: one at a time, many at once, and those that wait."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.invites import MOST_ADDRESSES, BulkForm, InviteForm, RoleForm
from accounts.services import invite_requests as asking
from accounts.services import invites as services
from accounts.services.mail import may_mail
from accounts.views.team_page import team_page
from config.limits import at_most
from machines.views.access import person, sent
from models import Invite, InviteRequest, Team
from models.access import Action, Role

PAGE_SIZE = 25
MOST_ENDED = 50
MOST_REQUESTS = 50


@login_required
@require_http_methods(["GET", "POST"])
@at_most(100, 3600)
def invite_list(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.INVITE, "invites")
    team = context["team"]
    asked = {key: request.GET[key] for key in ("machine", "landing") if key in request.GET}
    form = InviteForm(sent(request), team=team, user=person(request), power=context["role"], initial=asked)
    if form.is_valid():
        is_mail, email = form.cleaned_data["way"] == "mail", form.cleaned_data["email"]
        invite = services.invite_make(team=team, user=person(request), terms=form.terms, email=email, send=is_mail)
        if is_mail:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": email})
            return redirect("teams:invites", pk=pk)
        return _show_link(invite)
    return render(request, "invites/list.html", context | _lists(request, team) | {"form": form})


def _show_link(invite: Invite) -> HttpResponse:
    """Go to the list, where the link stands ready to be copied. The number in the address opens nothing."""
    return redirect(f"{reverse('teams:invites', args=[invite.team_id])}?made={invite.pk}")


def _lists(request: HttpRequest, team: Team) -> dict[str, Any]:
    mine = _invites_of(request, team)
    waiting = mine.usable()
    requests = InviteRequest.objects.visible_to(person(request)).filter(invite__team=team).waiting()
    return {
        "page": Paginator(waiting, PAGE_SIZE).get_page(request.GET.get("page")),
        "made": waiting.filter(pk=_number(request.GET.get("made"))).first(),
        "ended": mine.exclude(pk__in=waiting.order_by().values("pk"))[:MOST_ENDED],
        "requests": requests[:MOST_REQUESTS],
        "role_names": Role.stored_choices(),
    }


def _number(text: str | None) -> int:
    """Return the number of a row; 0, which no row has, for what is none."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


def _invites_of(request: HttpRequest, team: Team) -> Any:
    return Invite.objects.visible_to(person(request)).filter(team=team).select_related("invited_by", "team")


@login_required
@require_http_methods(["GET", "POST"])
@at_most(20, 3600)
def invite_bulk(request: HttpRequest, pk: int) -> HttpResponse:
    context = team_page(request, pk, Action.INVITE, "invites")
    team = context["team"]
    form = BulkForm(sent(request), team=team, user=person(request), power=context["role"])
    if form.is_valid():
        new = _left_out(request, team, form.cleaned_data["addresses"])
        made = services.invites_make(team=team, user=person(request), terms=form.terms, emails=new)
        which = f"?from={made[0].pk}" if made else ""
        return redirect(reverse("teams:invites-bulk", args=[pk]) + which)
    return render(request, "invites/bulk.html", context | {"form": form, "made": _just_made(request, team)})


def _left_out(request: HttpRequest, team: Team, emails: list[str]) -> list[str]:
    """Return the addresses without those that need no invitation, and say which these are."""
    members = services.members_among(team=team, emails=emails)
    waiting = services.waiting_among(team=team, emails=emails) - members
    for words, found in (
        (_("Left out, because they are in the team already: %(names)s."), members),
        (_("Left out, because an invitation waits for them already: %(names)s."), waiting),
    ):
        if found:
            messages.info(request, words % {"names": ", ".join(sorted(found))})
    return [email for email in emails if email not in members | waiting]


def _just_made(request: HttpRequest, team: Team) -> "QuerySet[Invite] | None":
    if "from" not in request.GET:
        return None
    first = _number(request.GET["from"])
    made = _invites_of(request, team).usable().filter(invited_by=person(request), pk__gte=first)
    found: QuerySet[Invite] = made.exclude(email="").order_by("pk")[:MOST_ADDRESSES]
    return found


@login_required
@require_POST
@at_most(200, 3600)
def invite_change(request: HttpRequest, pk: int, invite_pk: int) -> HttpResponse:
    team = team_page(request, pk, Action.INVITE, "invites")["team"]
    invite = _invites_of(request, team).filter(pk=invite_pk).first()
    action = ACTIONS.get(request.POST.get("action", ""))
    if invite is None or action is None:
        raise Http404
    return action(request, invite) or redirect("teams:invites", pk=pk)


def _renew(request: HttpRequest, invite: Invite) -> HttpResponse | None:
    if invite.revoked_at or invite.uses >= invite.max_uses:
        messages.error(request, _("This invitation has ended. Make a new one."))
        return None
    services.invite_renew(invite=invite, user=person(request))
    if not (invite.email and may_mail(person(request))):
        messages.success(request, _("This is the new link. The old one leads nowhere now."))
        return _show_link(invite)
    messages.success(request, _("The invitation to %(email)s is on its way again.") % {"email": invite.email})
    return None


def _change_role(request: HttpRequest, invite: Invite) -> None:
    form = RoleForm(request.POST)
    if form.is_valid():
        role = form.cleaned_data["role"]
        services.invite_role_change(invite=invite, user=person(request), role=role)
        messages.success(request, _("Whoever comes with it will be %(role)s.") % {"role": role.label})
    else:
        messages.error(request, _("There is no such role. Nothing was changed."))


def _revoke(request: HttpRequest, invite: Invite) -> None:
    services.invite_revoke(invite=invite, user=person(request))
    messages.success(request, _("The invitation is revoked. Its link leads nowhere from now on."))


def _answer(request: HttpRequest, invite: Invite) -> HttpResponse | None:
    """Grant or ignore a wish for a new invitation."""
    wish = invite.requests.waiting().filter(pk=_number(request.POST.get("request"))).first()
    if wish is None:
        messages.info(request, _("Somebody has answered this already."))
    elif request.POST.get("action") == "ignore":
        asking.request_close(request=wish)
    else:
        new = asking.request_grant(request=wish, user=person(request))
        messages.success(request, _("A new invitation for %(email)s is made.") % {"email": new.email})
        return None if may_mail(person(request)) else _show_link(new)
    return None


ACTIONS = {"renew": _renew, "role": _change_role, "revoke": _revoke, "grant": _answer, "ignore": _answer}
