"""How the invited arrive: the page of an invitation, and sign-up and sign-in with it in hand."""

from typing import Any

from allauth.account import views as allauth
from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms.invites import AskForm
from accounts.kept_invite import drop, join, keep, kept, kept_hash
from accounts.services.joining import Outcome, invite_met, is_by_mail, landing_url, landing_words, obstacle
from accounts.tasks import invite_asked
from accounts.views.people import link_again
from config.limits import count_up, counted, too_many
from config.origin import ip_of
from machines.views.access import person
from models import Invite
from models.access import Role
from models.tokens import digest

MOST_TRIES = 10  # a minute and address: nobody shall try links in a row, or ask in a row
SIGNED_OUT = {"sign-up": "account_signup", "sign-in": "account_login", "join": "account_login"}
read_write = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@read_write
def invite_open(request: HttpRequest, token: str) -> HttpResponse:
    return _meet(request, digest(token))


@never_cache
@read_write
def invite_kept(request: HttpRequest) -> HttpResponse:
    """The invitation somebody brought along, at an address that is no secret."""
    return _meet(request, kept_hash(request))


def _meet(request: HttpRequest, hashed: str) -> HttpResponse:
    """A look changes nothing: programs that preview links must not use an invitation up."""
    tries = f"invite:{ip_of(request)}"
    if counted(tries, 60) >= MOST_TRIES:
        return too_many(request, 60)
    is_known = request.user.is_authenticated
    invite = invite_met(hashed=hashed, user=person(request) if is_known else None)
    is_wish = request.method == "POST" and request.POST.get("action") == "ask"
    if invite is None or is_wish:
        count_up(tries, 60)
    if is_wish:
        return _ask(request, invite, hashed)
    if invite is None:
        return _ended(request, AskForm(initial={"email": person(request).email} if is_known else None))
    if request.method == "POST":
        return _act(request, invite, hashed)
    return _show(request, invite, hashed)


def _ended(request: HttpRequest, form: AskForm) -> HttpResponse:
    """One page for what has ended, was used up or revoked, and for what never was."""
    return render(request, "invites/ended.html", {"form": form}, status=404)


def _ask(request: HttpRequest, invite: Invite | None, hashed: str) -> HttpResponse:
    form = AskForm(request.POST)
    if form.is_valid():
        invite_asked.enqueue(hashed, form.cleaned_data["email"].lower())
        return render(request, "invites/asked.html", {"email": form.cleaned_data["email"]})
    return _ended(request, form) if invite is None else _show(request, invite, hashed)


def _show(request: HttpRequest, invite: Invite, hashed: str) -> HttpResponse:
    context = {"invite": invite, "role": Role(invite.role).label, "landing": landing_words(invite)}
    if request.user.is_authenticated:
        user = person(request)
        context["obstacle"] = obstacle(invite=invite, user=user, by_mail=is_by_mail(invite, hashed))
        if context["obstacle"] is Outcome.MEMBER:
            context["landing_url"] = landing_url(invite=invite, user=user)
    return render(request, "invites/open.html", context)


def _act(request: HttpRequest, invite: Invite, hashed: str) -> HttpResponse:
    action = request.POST.get("action", "")
    if request.user.is_authenticated and action == "switch":
        get_adapter(request).logout(request)
        action = "sign-in"
    if action == "drop":
        drop(request)
        return redirect("account_login")
    if not request.user.is_authenticated:
        keep(request, hashed)
        return redirect(SIGNED_OUT.get(action, "account_login"))
    if action == "confirm":
        keep(request, hashed)  # who confirms joins with it
        link_again(request, person(request))
        return redirect("invites:kept")
    if action != "join":
        return _show(request, invite, hashed)
    return redirect(join(request, invite, person(request), hashed))


class _WithInvite:
    """A page of allauth's that shows the invitation somebody has in hand, and knows their address from it."""

    request: HttpRequest
    address_field = "email"

    def get_initial(self) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_initial()  # type: ignore[misc]  # mixed into views
        self.invite = kept(self.request)
        return initial | ({self.address_field: self.invite.email} if self.invite and self.invite.email else {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # the same
        return context | {"invite": getattr(self, "invite", None)}


class SignUp(_WithInvite, allauth.SignupView):
    pass


class SignIn(_WithInvite, allauth.LoginView):
    address_field = "login"


sign_up, sign_in = SignUp.as_view(), SignIn.as_view()
