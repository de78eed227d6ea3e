"""Models made elsewhere: the list, one model, its file, its versions, what its inputs mean."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from config.limits import at_most
from config.search import matching, rest_of_query, typed
from config.shortcuts import is_partial, redirect_to, render_page
from machines.engine.errors import DataError
from machines.forms.data import safe_name
from machines.forms.described import DescriptionForm
from machines.forms.uploaded import ModelFileForm, ModelForm, SampleForm
from machines.services import uploads
from machines.services.access import actions_of, actions_on
from machines.services.samples import sample_read
from machines.services.texts import sentence
from machines.services.works import work_cancel
from machines.serving import description
from machines.uploaded_view import ModelPage, ModelRow, VersionView, taken_here
from machines.views.access import check_whole, fetch, person, sent
from machines.views.workspace import workspace_of
from models import Machine, ModelVersion, Team
from models.access import Action

PAGE_SIZE = 24
VERSIONS_PER_PAGE = 10


def model_for(request: HttpRequest, pk: int, action: Action) -> Machine:
    """Return the machine of an uploaded model; one that was trained here is not found."""
    return fetch(request, Machine.objects.light().uploaded(), action, pk)


def version_for(request: HttpRequest, pk: int, number: int, action: Action) -> ModelVersion:
    machine = model_for(request, pk, action)
    version: ModelVersion = get_object_or_404(machine.versions.light(), number=number)
    version.machine = machine
    return version


@login_required
@require_GET
def model_list(request: HttpRequest) -> HttpResponse:
    user, workspace, text = person(request), workspace_of(request), typed(request)
    visible = workspace.of(Machine.objects.visible_to(user).uploaded(), user).filter(matching(text, "machine_name"))
    models = ModelRow.with_newest(visible.light()).select_related("machine_owner_team", "machine_owner_user")
    page = Paginator(models.order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = ModelRow.of(actions_on(user=user, machines=page))
    context = {"page": page, "rows": rows, "workspace": workspace, "q": text, "query": rest_of_query(q=text)}
    return render(request, "uploaded/list.html", context)


def _upload(request: HttpRequest, form: ModelFileForm, machine: Machine | None = None) -> ModelVersion | None:
    """Keep what was sent as a new model or as a version of `machine`; None, with the reason on the form, if refused."""
    given: dict[str, Any] = {"machine": machine, "name": machine.machine_name} if machine else {}
    try:
        return uploads.model_upload(user=person(request), **form.given(), **given)
    except DataError as error:
        form.add_error("file", sentence(error.notice))
    return None


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def new(request: HttpRequest) -> HttpResponse:
    check_whole(request)
    taken, initial = taken_here(), {"team": workspace_of(request).team}
    teams = Team.objects.allowing(person(request), Action.CREATE)
    form = ModelForm(sent(request), request.FILES or None, taken=taken.extensions, teams=teams, initial=initial)
    if request.method == "POST" and form.is_valid():
        version = _upload(request, form)
        if version:
            return redirect_to(request, reverse("uploaded:detail", args=[version.machine_id]))
    return render_page(request, "uploaded/new.html", {"form": form, "taken": taken}, partial="upload")


@login_required
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    machine = model_for(request, pk, Action.SEE)
    versions = Paginator(machine.versions.light().select_related("uploaded_by"), VERSIONS_PER_PAGE)
    page = versions.get_page(request.GET.get("page"))
    model = ModelPage(machine)
    if is_partial(request) and not model.newest.is_checking:
        return HttpResponseClientRefresh()  # the page that watched the check: now there is more to see
    context = {
        "machine": machine,
        "model": model,
        "page": page,
        "versions": [VersionView(version, machine) for version in page],
        "may": actions_of(user=person(request), machine=machine),
        "address": request.build_absolute_uri(f"/api/models/{pk}/predict/"),
    }
    return render_page(request, "uploaded/detail.html", context, partial="check")


@login_required
@require_http_methods(["GET", "POST"])
@at_most(60, seconds=600)
def replace(request: HttpRequest, pk: int) -> HttpResponse:
    machine, taken = model_for(request, pk, Action.EDIT), taken_here()
    check_whole(request)
    form = ModelFileForm(sent(request), request.FILES or None, taken=taken.extensions)
    if request.method == "POST" and form.is_valid() and _upload(request, form, machine):
        return redirect_to(request, reverse("uploaded:detail", args=[pk]))
    context = {"machine": machine, "form": form, "taken": taken}
    return render_page(request, "uploaded/replace.html", context, partial="upload")


@login_required
@require_POST
def checking_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    work = ModelPage(model_for(request, pk, Action.EDIT)).work
    if work:
        work_cancel(work=work, user=person(request))
    return redirect("uploaded:detail", pk=pk)


@login_required
@require_POST
def version_use(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_for(request, pk, number, Action.EDIT)
    try:
        uploads.version_use(version=version, user=person(request))
    except DataError as error:
        messages.error(request, sentence(error.notice))
    else:
        messages.success(request, _("Version %(number)s answers from now on.") % {"number": number})
    return redirect("uploaded:detail", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def version_delete(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_for(request, pk, number, Action.EDIT)
    if request.method == "GET":
        why_not = _(uploads.ANSWERS) if version.machine.uploaded_version_id == version.pk else ""
        context = {"machine": version.machine, "version": version, "why_not": why_not}
        return render(request, "uploaded/version_delete.html", context)
    try:
        uploads.version_delete(version=version, user=person(request))
    except DataError as error:
        messages.error(request, sentence(error.notice))
    else:
        messages.success(request, _("Version %(number)s is deleted.") % {"number": number})
    return redirect("uploaded:detail", pk=pk)


@login_required
@require_GET
def version_file(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    version = version_for(request, pk, number, Action.DOWNLOAD)
    file = uploads.version_download(version=version, user=person(request))
    if file is None:
        raise Http404
    response = FileResponse(
        file, as_attachment=True, filename=version.file_name, content_type="application/octet-stream"
    )
    response["Cache-Control"] = "no-store, private"
    return response


@login_required
@require_http_methods(["GET", "POST"])
@at_most(120, seconds=600)
def inputs(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what the inputs and outputs of the version that answers mean; a sample of rows fills the form."""
    machine = model_for(request, pk, Action.EDIT)
    used = ModelPage(machine).used
    if used is None or not used.version.description.get("has_form"):
        return redirect("uploaded:detail", pk=pk)
    version, is_sample = used.version, "fill-in" in request.POST
    sample = SampleForm(sent(request) if is_sample else None, request.FILES or None)
    words = version.description["words"]
    if is_sample and sample.is_valid():
        words = _words_of(sample, used) or words
    form = DescriptionForm(used.signature, words, None if is_sample else sent(request))
    if request.method == "POST" and not is_sample and form.is_valid():
        try:
            uploads.model_describe(version=version, user=person(request), **form.said())
        except DataError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved. This is the form that people see."))
            return redirect("machines:predict", pk=pk)
    context = {"machine": machine, "form": form, "sample": sample, "is_filled": is_sample and sample.is_valid()}
    return render(request, "uploaded/inputs.html", context)


def _words_of(form: SampleForm, used: VersionView) -> dict[str, Any] | None:
    """Return what a table of rows tells of the inputs; None, with the reason on its form, where it cannot be read."""
    file = form.cleaned_data["sample"]
    try:
        sample = sample_read(file_name=safe_name(file.name), chunks=file.chunks())
    except DataError as error:
        form.add_error("sample", sentence(error.notice))
        return None
    words: dict[str, Any] = description.propose(used.signature, sample)["words"]
    if not {item["name"] for item in words["inputs"]} <= sample.keys():
        form.add_error("sample", _("The columns of this table do not fill the model's inputs, one after the other."))
        return None
    return words
