"""The training report as a file: HTML that needs no site, or a PDF."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.limits import at_most
from dashboards.exporting import colours, paper
from dashboards.exporting.colours import Paint
from dashboards.exporting.document import Document, document, file_name
from dashboards.report_views import effects_of
from dashboards.reporting.build import report_page
from dashboards.reporting.choice import choice_of
from machines.engine.errors import DataError
from machines.services.access import actions_of
from machines.services.texts import sentence
from machines.views.access import machine_for, person
from models import Machine
from models.access import Action

TEMPLATE = "dashboards/export/report.html"
SAFE = "sandbox; default-src 'none'; style-src 'unsafe-inline'"  # should a browser show it instead of saving it


@dataclass(frozen=True)
class Asked:
    """Which report, and when."""

    machine: Machine
    now: datetime

    def document(self, request: HttpRequest, paint: Paint) -> Document | None:
        """The report with the costs of the address; None before the machine is trained.

        Effects are worked out, if they are not kept; if that fails the file says so and has all else.
        """
        may = actions_of(user=person(request), machine=self.machine)
        effects, missing = None, ""
        try:
            effects = effects_of(self.machine, may, may_wait=True)
        except DataError as error:
            missing = sentence(error.notice)
        choice = replace(choice_of(request.GET), column=None, answer=0, is_paper=True)
        page = report_page(self.machine, choice, effects, may)
        return document(page, self.now, paint, missing) if page else None

    def file(self, content: bytes, type: str, ending: str) -> HttpResponse:
        name = file_name(self.machine.machine_name, self.now, ending)
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": SAFE,
            "X-Content-Type-Options": "nosniff",
        }  # fmt: skip
        return HttpResponse(content, content_type=type, headers=headers)


@login_required
@require_GET
def report_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole report in one file, which follows the reader's light or dark."""
    asked = Asked(machine_for(request, pk, Action.SEE), timezone.now())
    told = asked.document(request, colours.named)
    if told is None:
        return redirect("dashboards:report", pk=pk)
    text = render_to_string(TEMPLATE, {"told": told, "root": colours.root()})
    return asked.file(text.encode(), "text/html; charset=utf-8", "html")


@login_required
@require_GET
@at_most(30, seconds=600, method="GET")
def report_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The report on paper; a sentence where it cannot be made."""
    asked = Asked(machine_for(request, pk, Action.SEE), timezone.now())
    told = asked.document(request, colours.light)
    if told is None:
        return redirect("dashboards:report", pk=pk)
    try:
        content = paper.pdf(told, asked.now)
    except DataError as error:
        return HttpResponse(sentence(error.notice), status=409, content_type="text/plain; charset=utf-8")
    return asked.file(content, "application/pdf", "pdf")
