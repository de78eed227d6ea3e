"""What went wrong on this site, for its staff."""

from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from machines.views.access import person
from models import EasyAutoMLLogger

PAGE_SIZE = 50
LEVELS = [("", _("All")), *((level, level.capitalize()) for level in ("CRITICAL", "ERROR", "WARNING", "INFO"))]


class LogFilter(forms.Form):
    """What of the log is shown. What cannot be understood is not filtered by."""

    level = forms.ChoiceField(label=_("Level"), choices=LEVELS, required=False)
    text = forms.CharField(label=_("Contains"), max_length=200, required=False)

    @property
    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if not user.is_staff:
        raise Http404
    form = LogFilter(request.GET)
    chosen = form.chosen
    entries = EasyAutoMLLogger.objects.visible_to(user).about(chosen.get("text", ""))
    if "level" in chosen:
        entries = entries.filter(level=chosen["level"])
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    query = f"{urlencode(chosen)}&" if chosen else ""
    return render(request, "dashboards/log.html", {"form": form, "page": page, "query": query})
