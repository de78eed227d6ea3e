"""Data in: upload, reading options, columns, more rows."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from config.limits import at_most
from config.shortcuts import is_partial, redirect_to, render_page
from machines.engine.errors import DataError
from machines.forms.data import ColumnForm, LevelForm, ReadOptionsForm, RowsForm, UploadForm, safe_name, upload_limit_mb
from machines.presenters import ColumnRow, SplitQuestion, level_choices, source_context
from machines.services.copies import copies_set_aside
from machines.services.datasets import dataset_read_again, dataset_upload, rows_add
from machines.services.rows import latest_reading
from machines.services.texts import sentence
from machines.services.training import seconds_by_level, training_start
from machines.services.works import work_cancel
from machines.views.access import check_whole, machine_for, person, sent
from machines.views.workspace import workspace_of
from machines.work_view import WorkView
from models import Column, Machine, Team, Work
from models.access import Action

COLUMNS_PER_PAGE = 100


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def upload(request: HttpRequest) -> HttpResponse:
    check_whole(request)
    teams = Team.objects.allowing(person(request), Action.CREATE)
    initial = {"team": workspace_of(request).team}
    form = UploadForm(sent(request), request.FILES or None, teams=teams, initial=initial)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            machine = dataset_upload(
                user=person(request),
                name=form.cleaned_data["name"],
                team=form.cleaned_data.get("team"),
                file_name=safe_name(file.name),
                chunks=file.chunks(),
            )
        except DataError as error:
            form.add_error("file", sentence(error.notice))
        else:
            return redirect_to(request, reverse("machines:columns", args=[machine.pk]))
    context = {"form": form, "limit_mb": upload_limit_mb()}
    return render_page(request, "machines/upload.html", context, partial="upload")


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def source(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.EDIT)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    form = ReadOptionsForm(sent(request), initial=ReadOptionsForm.initial_from(machine.source_options))
    if request.method == "POST" and form.is_valid():
        try:
            is_read = dataset_read_again(machine=machine, options=form.options(), user=person(request))
        except DataError as error:
            form.add_error(None, sentence(error.notice))
        else:
            return redirect("machines:source" if is_read else "machines:columns", pk=pk)
    return render(request, "machines/source.html", {"machine": machine, "form": form} | source_context(machine))


@login_required
@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.EDIT)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    if (work := latest_reading(machine)) and (work.is_active or not machine.columns.exists()):
        return reading(request, machine, work)
    if request.method == "GET" and is_partial(request):
        return HttpResponseClientRefresh()  # the page that watched the reading: now there are columns
    page = Paginator(machine.columns.all(), COLUMNS_PER_PAGE).get_page(request.GET.get("page"))
    is_training = "train" in request.POST
    chosen = {"level": request.POST.get("level", machine.machine_level)}
    level = LevelForm(request.POST if is_training else None, initial=chosen)
    rows = [column_row(column, sent(request)) for column in page]
    question = SplitQuestion(machine, sent(request))
    parts: list[ColumnRow | SplitQuestion] = [*rows, question]
    saved = [request.method == "POST" and part.save() for part in parts]  # every one, also after one that is wrong
    if saved and all(saved) and copies_told(request, machine, rows):
        return redirect(f"{request.path}?page={page.number}")
    if saved and all(saved):
        rows = [column_row(column) for column in page]  # a new type changes which fields there are
        if not is_training:
            messages.success(request, _("Saved."))
        elif level.is_valid() and is_started(request, machine, level):
            return redirect("machines:training", pk=pk)
    levels = level_choices(level, seconds_by_level(machine))
    context = {"machine": machine, "page": page, "rows": rows, "level": level, "levels": levels}
    context |= {"question": question, "wrong_rows": [row for row in rows if row.form.errors]}
    return render(request, "machines/columns.html", context | source_context(machine))


def is_started(request: HttpRequest, machine: Machine, level: LevelForm) -> bool:
    """Start a training, or say on the form of its level why not."""
    try:
        training_start(machine=machine, user=person(request), level=level.cleaned_data["level"])
    except DataError as error:
        level.add_error(None, sentence(error.notice))
        return False
    return True


def reading(request: HttpRequest, machine: Machine, work: Work) -> HttpResponse:
    """Show how far a large file has been read, or why it could not be."""
    context = {"machine": machine, "view": WorkView(work), "is_partial": is_partial(request)}
    return render_page(request, "machines/reading.html", context, partial="reading")


@login_required
@require_POST
def reading_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    work = latest_reading(machine_for(request, pk, Action.EDIT))
    if work:
        work_cancel(work=work, user=person(request))
    return redirect("machines:columns", pk=pk)


def copies_told(request: HttpRequest, machine: Machine, rows: list[ColumnRow]) -> bool:
    """Look for columns that repeat a newly chosen output; say which were set aside, and whether any were."""
    outputs = [row.column for row in rows if row.is_new_output]
    names = [name for output in outputs for name in copies_set_aside(machine=machine, output=output)]
    if names:
        told = _("Set to Ignored, because they say the same as the output: %(names)s. You can overrule this.")
        messages.warning(request, told % {"names": ", ".join(names)})
    return bool(names)


def column_row(column: Column, data: QueryDict | None = None) -> ColumnRow:
    return ColumnRow(column, ColumnForm(data, instance=column, prefix=str(column.pk)))


@login_required
@require_POST
def column(request: HttpRequest, pk: int, column_pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.EDIT)
    item = get_object_or_404(machine.columns.all(), pk=column_pk)
    row = column_row(item, request.POST)
    saved = row.save()
    if not is_partial(request):
        return redirect("machines:columns", pk=pk)
    if saved and copies_told(request, machine, [row]):
        return HttpResponseClientRefresh()  # other rows changed too
    if saved:
        row = column_row(item)
    return render(request, "machines/columns.html#row", {"machine": machine, "row": row})


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.EDIT)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    check_whole(request)
    form = RowsForm(sent(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            added = rows_add(
                machine=machine, file_name=safe_name(file.name), chunks=file.chunks(), user=person(request)
            )
        except DataError as error:
            form.add_error("file", sentence(error.notice))
        else:
            if added is None:
                return redirect_to(request, reverse("machines:columns", args=[pk]))
            messages.success(request, ngettext("%(n)s row added.", "%(n)s rows added.", added) % {"n": added})
            return redirect_to(request, reverse("machines:training", args=[pk]))
    context = {"machine": machine, "form": form, "limit_mb": upload_limit_mb()}
    return render_page(request, "machines/rows.html", context, partial="upload")
