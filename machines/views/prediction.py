"""The prediction form and its answer."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from config.limits import at_most
from config.shortcuts import redirect_to, render_page
from machines.answers import answer_views
from machines.forms.prediction import PredictionForm
from machines.services.predictions import (
    ModelFailedError,
    NotTrainedError,
    description_of,
    prediction_make,
    reasons_find,
)
from machines.services.texts import sentence
from machines.views.access import fetch, person
from models import Machine
from models.access import Action


@login_required
@require_http_methods(["GET", "POST"])
@at_most(600, seconds=60)
def predict(request: HttpRequest, pk: int) -> HttpResponse:
    machines = Machine.objects.light().select_related("enc_dec_configuration")
    machine: Machine = fetch(request, machines, Action.PREDICT, pk)
    try:
        return _page(request, machine)
    except NotTrainedError:  # not yet, or replaced by a newer model at this very moment
        return redirect_to(request, reverse("machines:training", args=[pk]))


def _page(request: HttpRequest, machine: Machine) -> HttpResponse:
    description = description_of(machine)
    if not description.get("has_form", True):  # more values than anybody would type
        return redirect_to(request, reverse("uploaded:detail", args=[machine.pk]))
    columns = {column.name: column for column in machine.columns.inputs().defer("profile")}
    form = PredictionForm(description, columns, request.POST if request.method == "POST" else None)
    context = {"machine": machine, "form": form, "outputs": description["outputs"]}
    if request.method == "POST" and form.is_valid():
        warnings = form.warn_out_of_range()
        try:
            answers = prediction_make(machine=machine, values=form.values, caller=f"user {person(request).pk}")
            reasons = reasons_find(machine=machine, values=form.values)
        except ModelFailedError as error:
            return _failed(request, context, error)
        context |= {"answers": answer_views(answers, description, reasons), "warnings": warnings}
    return render_page(request, "machines/predict.html", context, partial="work")


def _failed(request: HttpRequest, context: dict[str, Any], error: ModelFailedError) -> HttpResponse:
    """Show the form as it was filled in, with the reason: what a model does is no fault of this server."""
    context["form"].add_error(None, sentence(error.notice))
    return render_page(request, "machines/predict.html", context, partial="work", status=422)
