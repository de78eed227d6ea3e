"""Machines as such: the list, one machine, its file, its end."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.formats import current_formats
from machines.engine.errors import DataError
from machines.reports import report_view
from machines.services.machines import machine_delete
from machines.services.texts import sentence
from machines.views.access import machine_for, may, person
from models import Machine
from models.access import Action

PAGE_SIZE = 24


@login_required
@require_GET
def machine_list(request: HttpRequest) -> HttpResponse:
    visible = Machine.objects.visible_to(person(request)).light()
    machines = visible.select_related("machine_owner_team", "machine_owner_user").order_by("-pk")
    return render(
        request, "machines/list.html", {"page": Paginator(machines, PAGE_SIZE).get_page(request.GET.get("page"))}
    )


@login_required
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.SEE)
    may_edit = may(request, machine, Action.EDIT)
    if machine.machine_status == "new" and may_edit:
        return redirect("machines:columns", pk=pk)
    if machine.training_nn_model_id is None:
        return redirect("machines:training", pk=pk)
    context = {"machine": machine, "report": report_view(machine), "may_edit": may_edit}
    context["decimal"] = current_formats().decimal_separator
    return render(request, "machines/detail.html", context)


@login_required
@require_GET
def download(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.DOWNLOAD)
    model = machine.training_nn_model
    if model is None or not model.nn_model:
        raise Http404
    file_name = f"{slugify(machine.machine_name) or 'machine'}.onnx"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(model.nn_model), content_type="application/octet-stream", headers=headers)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.DELETE)
    if request.method == "POST":
        try:
            machine_delete(machine=machine)
        except DataError as error:
            messages.error(request, sentence(error.notice))
            return redirect("machines:delete", pk=pk)
        messages.success(request, _("“%(name)s” and its data are deleted.") % {"name": machine.machine_name})
        return redirect("machines:list")
    return render(request, "machines/delete.html", {"machine": machine})
