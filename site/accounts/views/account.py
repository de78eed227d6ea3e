"""A person's data: take them along, or delete everything."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.exports import ExportView
from accounts.forms.account import DeleteForm
from accounts.services import account as services
from accounts.services import export as exports
from accounts.services.export import export_of
from config.limits import at_most
from config.shortcuts import is_partial, render_page
from machines.engine.errors import DataError
from machines.services.texts import sentence
from machines.views.access import person, sent
from models import Machine

HOUR = 3600


@login_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    user = person(request)
    machines = Machine.objects.visible_to(user).filter(machine_owner_user=user)
    view = ExportView(export_of(user))
    context = {"machines": machines.count, "view": view, "is_partial": is_partial(request)}
    return render_page(request, "accounts/data.html", context, partial="export")


@login_required
@require_POST
@reauthentication_required
@at_most(5, HOUR)
def export(request: HttpRequest) -> HttpResponse:
    exports.export_ask(user=person(request))
    return redirect("accounts:data")


@login_required
@require_POST
def export_delete(request: HttpRequest) -> HttpResponse:
    """Delete the file, or stop preparing it."""
    exports.export_drop(user=person(request))
    messages.success(request, _("Nothing of it is kept."))
    return redirect("accounts:data")


@login_required
@require_safe
def export_file(request: HttpRequest) -> HttpResponseBase:
    """After the password one is back at the link: a file that came at once would leave the question standing."""
    try:
        response: HttpResponseBase = _file(request)
    except ReauthenticationRequired:
        back = urlencode({"next": reverse("accounts:data", query={"ready": ""})})
        return redirect(f"{reverse('account_reauthenticate')}?{back}")
    return response


@reauthentication_required
def _file(request: HttpRequest) -> HttpResponseBase:
    user = person(request)
    file = exports.export_open(user=user)
    if file is None and export_of(user) is None:
        raise Http404
    if file is None:
        messages.info(request, _("That file is not there any more."))
        return redirect("accounts:data")
    name = f"easyautoml-{timezone.now():%Y-%m-%d}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


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
