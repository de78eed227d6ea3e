"""Machines as such: the list, one machine, its file, its end."""

from typing import BinaryIO

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.search import matching, rest_of_query, typed
from machines.engine.errors import DataError
from machines.reports import report_view
from machines.services.access import actions_of, actions_on
from machines.services.machines import machine_delete, machine_download
from machines.services.texts import sentence
from machines.views.access import machine_for, person
from machines.views.workspace import workspace_of
from models import Machine
from models.access import Action

PAGE_SIZE = 24


@login_required
@require_GET
def machine_list(request: HttpRequest) -> HttpResponse:
    user, workspace, text = person(request), workspace_of(request), typed(request)
    visible = workspace.of(Machine.objects.visible_to(user), user).filter(matching(text, "machine_name"))
    machines = visible.light().select_related("machine_owner_team", "machine_owner_user").order_by("-pk")
    page = Paginator(machines, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = actions_on(user=user, machines=page)
    context = {"page": page, "rows": rows, "workspace": workspace, "q": text, "query": rest_of_query(q=text)}
    return render(request, "machines/list.html", context)


@login_required
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.SEE)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    may = actions_of(user=person(request), machine=machine)
    if machine.machine_status == "new" and Action.EDIT in may:
        return redirect("machines:columns", pk=pk)
    if machine.training_nn_model_id is None:
        return redirect("machines:training", pk=pk)
    context = {"machine": machine, "report": report_view(machine), "may": may}
    return render(request, "machines/detail.html", context)


@login_required
@require_GET
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    machine = machine_for(request, pk, Action.DOWNLOAD)
    if machine.uploaded_version_id:
        return redirect("uploaded:version-file", pk=pk, number=machine.model_version)
    file = machine_download(machine=machine, user=person(request))
    if file is None:
        raise Http404
    return file_response(machine, file)


def file_response(machine: Machine, file: BinaryIO) -> FileResponse:
    """Send a trained machine as ONNX; an uploaded model as the file that it was, under its own name."""
    name = machine.source_name if machine.machine_is_uploaded_model else ""
    name = name or f"{slugify(machine.machine_name) or 'machine'}.onnx"
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(
        file, as_attachment=True, filename=name, content_type="application/octet-stream", headers=headers
    )


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.DELETE)
    if request.method == "POST":
        try:
            machine_delete(machine=machine, user=person(request))
        except DataError as error:
            messages.error(request, sentence(error.notice))
            return redirect("machines:delete", pk=pk)
        messages.success(request, _("“%(name)s” and its data are deleted.") % {"name": machine.machine_name})
        return redirect("uploaded:list" if machine.machine_is_uploaded_model else "machines:list")
    return render(request, "machines/delete.html", {"machine": machine})
