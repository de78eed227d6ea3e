"""Many rows at once: upload them, watch how they are answered, take the answers along."""

from contextlib import suppress
from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.limits import at_most
from config.shortcuts import is_partial, redirect_to, render_page
from machines.engine.errors import DataError
from machines.forms.data import safe_name, upload_limit_mb
from machines.forms.solving import SolveForm
from machines.services.solving import answers_forget, answers_path, errors_path, solving_start, solvings_of
from machines.services.texts import sentence
from machines.services.works import work_cancel
from machines.solved import SolvingView
from machines.views.access import check_whole, machine_for, person, sent
from models import Work
from models.access import Action

MOST_SHOWN = 5
TYPES = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet"}


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def solve(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.PREDICT)
    check_whole(request)
    form = SolveForm(sent(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, format = form.cleaned_data["file"], form.cleaned_data["format"]
        given = {"file_name": safe_name(file.name), "chunks": file.chunks(), "format": format}
        try:
            work = solving_start(machine=machine, user=person(request), **given)
        except DataError as error:
            form.add_error("file", sentence(error.notice))
        else:
            return redirect_to(request, reverse("machines:answers", args=[pk, work.pk]))
    latest = [SolvingView(work) for work in solvings_of(machine=machine, user=person(request))[:MOST_SHOWN]]
    context = {"machine": machine, "form": form, "limit_mb": upload_limit_mb(), "latest": latest}
    return render_page(request, "machines/solve.html", context, partial="upload")


def _work(request: HttpRequest, pk: int, work_pk: int) -> Work:
    """Return what this person asked for, as long as they may ask this machine."""
    machine = machine_for(request, pk, Action.PREDICT)
    work: Work = get_object_or_404(solvings_of(machine=machine, user=person(request)), pk=work_pk)
    work.machine = machine
    return work


@login_required
@require_GET
def answers(request: HttpRequest, pk: int, work_pk: int) -> HttpResponse:
    work = _work(request, pk, work_pk)
    context = {"machine": work.machine, "view": SolvingView(work), "is_partial": is_partial(request)}
    return render_page(request, "machines/answers.html", context, partial="progress")


@login_required
@require_GET
def answers_file(request: HttpRequest, pk: int, work_pk: int) -> HttpResponseBase:
    work = _work(request, pk, work_pk)
    return _file(work, answers_path(work), "answers")


@login_required
@require_GET
def answers_errors(request: HttpRequest, pk: int, work_pk: int) -> HttpResponseBase:
    work = _work(request, pk, work_pk)
    return _file(work, errors_path(work), "errors")


def _file(work: Work, path: Path | None, what: str) -> HttpResponseBase:
    """Send a file piece by piece; where there is none, the page says why."""
    if path:
        with suppress(FileNotFoundError):  # deleted this very moment
            return _attached(path, f"{Path(work.parameters['file']).stem or 'rows'}-{what}{path.suffix}")
    return redirect("machines:answers", pk=work.machine_id, work_pk=work.pk)


def _attached(path: Path, name: str) -> FileResponse:
    response = FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=TYPES[path.suffix])
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response


@login_required
@require_POST
def answers_cancel(request: HttpRequest, pk: int, work_pk: int) -> HttpResponse:
    work_cancel(work=_work(request, pk, work_pk), user=person(request))
    return redirect("machines:answers", pk=pk, work_pk=work_pk)


@login_required
@require_POST
def answers_delete(request: HttpRequest, pk: int, work_pk: int) -> HttpResponse:
    answers_forget(work=_work(request, pk, work_pk))
    return redirect("machines:answers", pk=pk, work_pk=work_pk)
