"""Uploaded models over REST: list, look, ask, delete, versions. Uploads stand in machines.api.uploads."""

from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from machines.api.answers import version_answer
from machines.api.calls import Call, caller_of, key_of, machine_for, machines_of
from machines.api.exceptions import NotReady
from machines.api.idempotency import idempotent
from machines.api.uploads import Upload
from machines.forms.model_call import UploadCallForm, VersionCallForm
from machines.services.hosting import host_of
from machines.services.machines import machine_delete
from machines.services.texts import sentence
from machines.services.uploads import version_use
from models import Machine, ModelVersion
from models.access import Action
from models.model_version import VersionState

STATUSES = {VersionState.READY: "uploaded", VersionState.CHECKING: "checking", VersionState.REFUSED: "refused"}
LISTED = 100  # versions of a model told with it; the rest stand in their own list


class ModelList(Call):
    def get(self, request: Request) -> Response:
        newest = ModelVersion.objects.filter(machine=OuterRef("pk")).order_by("-number").values("framework")[:1]
        machines = machines_of(request, Action.SEE).filter(machine_is_uploaded_model=True).order_by("-pk")
        framework = Coalesce("uploaded_version__framework", Subquery(newest))
        page = self.paginate_queryset(machines.values("pk", "machine_name", framework=framework))
        return self.get_paginated_response([_summary(row) for row in page or ()])


class ModelUpload(Upload):
    form_class = UploadCallForm

    @idempotent
    def post(self, request: Request) -> Response:
        version = self.upload(request)
        return Response({"id": version.machine_id, "status": "uploaded"}, status=status.HTTP_201_CREATED)


class ModelDetail(Call):
    def get(self, request: Request, pk: int) -> Response:
        return Response(_details(model_for(request, pk, Action.SEE)))

    def delete(self, request: Request, pk: int) -> Response:
        machine_delete(machine=model_for(request, pk, Action.DELETE), user=key_of(request).user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ModelPredict(Call):
    throttle_scope = "predict"

    def post(self, request: Request, pk: int) -> Response:
        version = answering(model_for(request, pk, Action.PREDICT))
        return Response(version_answer(host_of(version), pk, request.data, caller_of(request)))


class VersionList(Upload):
    form_class = VersionCallForm

    def get(self, request: Request, pk: int) -> Response:
        machine = model_for(request, pk, Action.SEE)
        page = self.paginate_queryset(machine.versions.light())
        return self.get_paginated_response([_version(version, machine) for version in page or ()])

    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        version = self.upload(request, model_for(request, pk, Action.EDIT))
        told = {"id": pk, "version": version.number, "status": "uploaded"}
        return Response(told, status=status.HTTP_201_CREATED)


class VersionUse(Call):
    def post(self, request: Request, pk: int, number: int) -> Response:
        machine = model_for(request, pk, Action.EDIT)
        version = machine.versions.light().filter(number=number).first()
        if version is None:
            raise Http404
        version_use(version=version, user=key_of(request).user)
        return Response(_version(version, model_for(request, pk, Action.EDIT)))


def model_for(request: Request, pk: int, action: Action) -> Machine:
    """Return the uploaded model if the key may do this with it; else 404, or 403 with the reason if it may see it."""
    return machine_for(request, pk, action, machine_is_uploaded_model=True)


def answering(machine: Machine) -> ModelVersion:
    """Return the version that answers, without its file. Raises NotReady while there is none."""
    versions = machine.versions.light()
    if machine.uploaded_version_id is not None:
        return versions.get(pk=machine.uploaded_version_id)
    newest = versions.first()
    if newest is not None and newest.state == VersionState.REFUSED:
        raise NotReady(_("This model was refused: %(why)s") % {"why": _reason(newest)})
    raise NotReady(_("This model is still being checked. Ask again in a moment."))


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["pk"], "name": row["machine_name"], "framework": row["framework"]}


def _details(machine: Machine) -> dict[str, Any]:
    versions = list(machine.versions.light()[:LISTED])
    shown = next((version for version in versions if version.pk == machine.uploaded_version_id), None)
    shown = shown or machine.uploaded_version or next(iter(versions), None)
    if shown is None:
        raise Http404
    signature, described = shown.signature or {"inputs": [], "outputs": []}, shown.description
    return {
        "id": machine.pk,
        "name": machine.machine_name,
        "framework": shown.framework,
        "status": STATUSES[VersionState(shown.state)],
        "version": shown.number,
        "inputs": [_tensor(tensor, described) for tensor in signature["inputs"]],
        "outputs": [_tensor(tensor, described) for tensor in signature["outputs"]],
        "columns": described.get("inputs", []) if described.get("has_form") else [],
        "size_bytes": shown.size_bytes,
        "sha256": shown.sha256,
        "safety": _safety(shown),
        "created_at": shown.created_at,
        "versions": [_version(version, machine) for version in versions],
    }


def _tensor(tensor: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """Return an input or output with the names of the values in a row, in their order, where a person gave them some."""
    feeds = [part for feed in described.get("feeds", []) if feed["tensor"] == tensor["name"] for part in feed["parts"]]
    reads = [part for part in described.get("reads", []) if part["tensor"] == tensor["name"]]
    names = [part["name"] for part in sorted([*feeds, *reads], key=lambda part: part["at"])]
    return {key: tensor[key] for key in ("name", "dtype", "shape")} | {"columns": names}


def _safety(version: ModelVersion) -> dict[str, Any]:
    """Return what the check found, in words where there are words."""
    report = version.report
    about = {"format": version.format, "served": version.served, "reason": _reason(version)}
    about |= {"why_native": sentence(why) if (why := report.get("why_native")) else ""}
    return dict(report) | about | {"notices": [sentence(notice) for notice in report.get("notices", [])]}


def _reason(version: ModelVersion) -> str:
    """Say why a version was refused; nothing where it was not."""
    return sentence(version.notice) if version.notice else ""


def _version(version: ModelVersion, machine: Machine) -> dict[str, Any]:
    return {
        "version": version.number,
        "status": STATUSES[VersionState(version.state)],
        "answers": version.pk == machine.uploaded_version_id,
        "framework": version.framework,
        "file_name": version.file_name,
        "size_bytes": version.size_bytes,
        "sha256": version.sha256,
        "created_at": version.created_at,
    }
