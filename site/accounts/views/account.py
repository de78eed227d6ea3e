"""A person's data: take them along, or delete everything."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.account import DeleteForm
from accounts.services import account as services
from accounts.services.export import export_begin
from config.limits import at_most
from machines.engine.errors import DataError
from machines.services.texts import sentence
from machines.views.access import person, sent
from models import Machine

HOUR = 3600


@login_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    machines = Machine.objects.visible_to(person(request)).filter(machine_owner_user=person(request))
    return render(request, "accounts/data.html", {"machines": machines.count()})


@login_required
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """After the password one is back at the button: a file that came at once would leave the question standing."""
    try:
        response: HttpResponseBase = _archive(request)
    except ReauthenticationRequired:
        back = urlencode({"next": reverse("accounts:data", query={"ready": ""})})
        return redirect(f"{reverse('account_reauthenticate')}?{back}")
    return response


@reauthentication_required
@at_most(5, HOUR)
def _archive(request: HttpRequest) -> HttpResponseBase:
    name = f"easyautoml-{timezone.now():%Y-%m-%d}.zip"
    return StreamingHttpResponse(
        export_begin(user=person(request)),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def delete(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = DeleteForm(sent(request), user=user)
    plan = services.deletion_of(user)
    if form.is_valid() and plan.is_possible:
        email = user.email
        try:
            services.account_delete(user=user)
        except services.AccountKeptError:
            return redirect("accounts:delete")
        except DataError as error:
            messages.error(request, sentence(error.notice))
            return redirect("accounts:delete")
        logout(request)
        get_adapter(request).send_notification_mail("account/email/account_deleted", user, email=email)
        return redirect("accounts:deleted")
    return render(request, "accounts/delete.html", {"form": form, "plan": plan})


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    """Say that it is done, to a visitor again."""
    return render(request, "accounts/deleted.html")
