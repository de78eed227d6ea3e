"""Profile and e-mail address. Sign-up, sign-in and passwords are allauth's views with templates of our own."""

from datetime import UTC, datetime
from typing import cast

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.core.ratelimit import consume
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms.people import EmailForm, ProfileForm
from accounts.services import people as services
from accounts.services.mail import mail_works
from config.formats import Formats
from config.shortcuts import redirect_to, render_page
from models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if form.is_valid() and "preview" not in request.POST:
        services.profile_save(user=user, changed=form.changed_data)
        messages.success(request, _("Saved. Numbers and dates look like this from now on."))
        return redirect_to(request, "accounts:profile")
    context = {"form": form, "preview": _preview(form.formats)}
    return render_page(request, "accounts/profile.html", context, partial="preview")


def _preview(formats: Formats) -> dict[str, str]:
    moment = datetime(datetime.now(UTC).year, 2, 28, 14, 30, tzinfo=UTC)
    return {"number": formats.number(12345.6), "moment": formats.moment(moment)}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(enabled=lambda request: "change" in request.POST)
def email(request: HttpRequest) -> HttpResponse:
    # allauth's own page for this replaces an unconfirmed address at once, and its owner could sign in no more
    user = cast(User, request.user)
    form = EmailForm(request.POST if "change" in request.POST else None, user=user)
    if "keep" in request.POST:
        services.email_change_cancel(user=user)
    elif "again" in request.POST:
        link_again(request, user)
    elif form.is_valid():
        _send_link(request, services.email_change_begin(user=user, email=form.cleaned_data["email"]))
    else:
        context = {"form": form, "waiting": services.address_to_confirm(user=user)}
        return render_page(request, "accounts/email.html", context)
    return redirect_to(request, "account_email")


def link_again(request: HttpRequest, user: User) -> None:
    """Send the link that confirms somebody's address once more."""
    _send_link(request, services.email_confirm_again(user=user))


def _send_link(request: HttpRequest, address: EmailAddress | None) -> None:
    if address is None:
        return
    if not consume(request, action="confirm_email", key=address.email):
        messages.info(request, _("We sent a link a moment ago. Wait three minutes before you ask for another."))
        return
    address.send_confirmation(request)
    if not mail_works():
        messages.warning(request, _("This site has no mail server. The link is printed where the site runs."))
        return
    messages.success(
        request, _("We sent a link to %(email)s. Open it to confirm the address.") % {"email": address.email}
    )
