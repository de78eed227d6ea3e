"""Training: start it, watch it, end it early."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from config.shortcuts import is_partial, render_page
from machines.engine.errors import DataError
from machines.forms.training import TrainingForm
from machines.presenters import level_choices
from machines.services import training as service
from machines.services.access import actions_of
from machines.services.network import network_wishes
from machines.services.texts import sentence
from machines.services.training import latest_work
from machines.services.works import work_cancel, work_finish_early
from machines.views.access import machine_for, person, sent
from machines.work_view import WorkView
from models.access import Action


@login_required
@require_http_methods(["GET", "POST"])
def training(request: HttpRequest, pk: int) -> HttpResponse:
    machine = machine_for(request, pk, Action.SEE if request.method == "GET" else Action.EDIT)
    if machine.machine_is_uploaded_model:
        return redirect("uploaded:detail", pk=pk)
    level = TrainingForm(sent(request), level=machine.machine_level, wishes=network_wishes(machine))
    if request.method == "POST" and level.is_valid():
        try:
            service.training_start(
                machine=machine, user=person(request), level=level.cleaned_data["level"], wishes=level.wishes
            )
        except DataError as error:
            level.add_error(None, sentence(error.notice))
        else:
            return redirect("machines:training", pk=pk)
    view = WorkView(latest_work(machine))
    context = {
        "machine": machine,
        "view": view,
        "level": level,
        "levels": level_choices(level, service.seconds_by_level(machine)),
        "may": actions_of(user=person(request), machine=machine),
        "is_partial": is_partial(request),
    }
    return render_page(request, "machines/training.html", context, partial="progress")


@login_required
@require_POST
def training_finish(request: HttpRequest, pk: int) -> HttpResponse:
    work = latest_work(machine_for(request, pk, Action.EDIT))
    if work:
        work_finish_early(work=work)
    return redirect("machines:training", pk=pk)


@login_required
@require_POST
def training_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    work = latest_work(machine_for(request, pk, Action.EDIT))
    if work:
        work_cancel(work=work, user=person(request))
    return redirect("machines:training", pk=pk)
