"""Data in: upload, reading options, columns, more rows."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from config.shortcuts import is_partial, redirect_to, render_page
from machines.engine.errors import DataError
from machines.forms.data import ColumnForm, LevelForm, ReadOptionsForm, RowsForm, UploadForm, safe_name, upload_limit_mb
from machines.presenters import ColumnRow, level_choices, source_context
from machines.services.datasets import dataset_read_again, dataset_upload, rows_add
from machines.services.texts import sentence
from machines.services.training import training_start
from machines.views.access import machine_to_edit, person

COLUMNS_PER_PAGE = 100


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            machine = dataset_upload(
                user=person(request),
                name=form.cleaned_data["name"],
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
def source(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_to_edit(request, pk)
    form = ReadOptionsForm(request.POST or None, initial=ReadOptionsForm.initial_from(machine.source_options))
    if request.method == "POST" and form.is_valid():
        try:
            dataset_read_again(machine=machine, options=form.options(), user=person(request))
        except DataError as error:
            form.add_error(None, sentence(error.notice))
        else:
            return redirect("machines:source", pk=pk)
    return render(request, "machines/source.html", {"machine": machine, "form": form} | source_context(machine))


@login_required
@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_to_edit(request, pk)
    page = Paginator(machine.columns.all(), COLUMNS_PER_PAGE).get_page(request.GET.get("page"))
    level = LevelForm(request.POST or None, initial={"level": machine.machine_level})
    if request.method == "POST":
        rows = [ColumnRow(column, ColumnForm(request.POST, instance=column, prefix=str(column.pk))) for column in page]
        if all([row.save() for row in rows]) and "train" in request.POST and level.is_valid():
            try:
                training_start(machine=machine, user=person(request), level=level.cleaned_data["level"])
            except DataError as error:
                level.add_error(None, sentence(error.notice))
            else:
                return redirect("machines:training", pk=pk)
    else:
        rows = [ColumnRow(column, ColumnForm(instance=column, prefix=str(column.pk))) for column in page]
    context = {"machine": machine, "page": page, "rows": rows, "level": level, "levels": level_choices(level)}
    return render(request, "machines/columns.html", context | source_context(machine))


@login_required
@require_POST
def column(request: HttpRequest, pk: int, column_pk: int) -> HttpResponse:
    machine = machine_to_edit(request, pk)
    item = get_object_or_404(machine.columns.all(), pk=column_pk)
    row = ColumnRow(item, ColumnForm(request.POST, instance=item, prefix=str(item.pk)))
    saved = row.save()
    if not is_partial(request):
        return redirect("machines:columns", pk=pk)
    if saved:  # a new type changes which fields there are
        row = ColumnRow(item, ColumnForm(instance=item, prefix=str(item.pk)))
    return render(request, "machines/columns.html#row", {"machine": machine, "row": row})


@login_required
@require_http_methods(["GET", "POST"])
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_to_edit(request, pk)
    form = RowsForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            added = rows_add(
                machine=machine, file_name=safe_name(file.name), chunks=file.chunks(), user=person(request)
            )
        except DataError as error:
            form.add_error("file", sentence(error.notice))
        else:
            messages.success(request, ngettext("%(n)s row added.", "%(n)s rows added.", added) % {"n": added})
            return redirect_to(request, reverse("machines:training", args=[pk]))
    context = {"machine": machine, "form": form, "limit_mb": upload_limit_mb()}
    return render_page(request, "machines/rows.html", context, partial="upload")
