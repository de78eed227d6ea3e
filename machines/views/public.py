"""A machine's form for strangers, at /p/<token>/: no account, no cookie (config.middleware), one answer at a time."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config.limits import count_up, too_many
from config.origin import ip_of
from config.shortcuts import render_page
from machines.answers import answer_views
from machines.forms.prediction import PredictionForm
from machines.services.hosting import ModelFailedError
from machines.services.public import LinkClosedError, open_link, public_answer, questions_of
from machines.services.texts import sentence
from models import PublicLink

MOST_ANSWERS = 60  # a minute, from one address by one link
MOST_MISSES = 30  # a minute, from one address: nobody meets so many closed forms
WINDOW = 60  # seconds


class NoFiles(FileUploadHandler):
    """The form has no files: one that is sent along all the same is read past and never kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called: there is no new file."""

    def file_complete(self, file_size: int) -> None:
        """Never called either."""


@csrf_exempt  # no cookie counts here, so there is nothing that another site could forge in a person's name
@require_http_methods(["GET", "POST"])
def public_form(request: HttpRequest, token: str) -> HttpResponse:
    request.upload_handlers = [NoFiles(request)]
    try:
        link = open_link(token=token)
        response = _too_many(request, link) or _page(request, link)
        let_embed(response, link.embedders)
    except LinkClosedError:
        response = _closed(request)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _page(request: HttpRequest, link: PublicLink) -> HttpResponse:
    description = questions_of(link=link)
    columns = {column.name: column for column in link.machine.columns.inputs().defer("profile")}
    form = PredictionForm(description, columns, request.POST if request.method == "POST" else None)
    context = {"link": link, "form": form, "outputs": description["outputs"]}
    if request.method == "POST" and form.is_valid():
        warnings = form.warn_out_of_range()
        try:
            answers, reasons = public_answer(link=link, values=form.values)
            context |= {"answers": answer_views(answers, description, reasons), "warnings": warnings}
        except ModelFailedError as error:
            form.add_error(None, sentence(error.notice))
    return render_page(request, "public/form.html", context, partial="work")


def _too_many(request: HttpRequest, link: PublicLink) -> HttpResponse | None:
    if request.method == "POST" and count_up(f"public:{link.pk}:{ip_of(request)}", WINDOW) > MOST_ANSWERS:
        return too_many(request, WINDOW, "public/slow.html")
    return None


def _closed(request: HttpRequest) -> HttpResponse:
    """Say the same to everybody, whatever the reason: a guess must not learn what it hit."""
    if count_up(f"public-miss:{ip_of(request)}", WINDOW) > MOST_MISSES:
        return too_many(request, WINDOW, "public/slow.html")
    return render_page(request, "public/closed.html", partial="work", status=404)


def let_embed(response: HttpResponse, sites: list[str]) -> None:
    """Let these sites show the page in a frame; X-Frame-Options cannot name them, so it goes only then."""
    if sites:
        response.xframe_options_exempt = True  # read by Django's middleware
        response._csp_replace = {"frame-ancestors": sites}  # type: ignore[attr-defined]  # read by django-csp
