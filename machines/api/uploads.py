"""Files of models over REST. They stream to the storage; the answer waits for the check, as long as that is short."""

from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.utils.translation import gettext as _
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from config.limits import OTHER_FIELDS
from machines.api.calls import Call, key_of, scoped
from machines.api.exceptions import Malformed, Refused, TooLarge
from machines.forms.model_call import VersionCallForm
from machines.services.machines import machine_delete
from machines.services.texts import sentence
from machines.services.uploads import check_wait, model_upload, version_delete
from machines.views.access import check_whole
from models import Machine, ModelVersion
from models.access import Action
from models.model_version import VersionState

WAIT_SECONDS = 30
WAITING = BoundedSemaphore(2)  # a check takes seconds, and each that is waited for holds a thread of this process


class WholeParser(MultiPartParser):
    """Refuses what is too large before it is read, and what broke off on its way."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        assert parser_context is not None, "the framework always tells"
        request = parser_context["request"]._request
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdecimal() and int(announced) > settings.MODEL_UPLOAD_LIMIT_BYTES + OTHER_FIELDS:
            raise _too_large()
        parsed = super().parse(stream, media_type, parser_context)
        check_whole(request)
        return parsed


class Upload(Call):
    """A call that brings a file."""

    parser_classes = (WholeParser,)
    form_class: type[VersionCallForm]

    @property
    def throttle_scope(self) -> str:
        return "upload" if self.request.method == "POST" else "other"

    def upload(self, request: Request, machine: Machine | None = None) -> ModelVersion:
        """Keep the file as a new model or as a new version of this one; wait for its check. Raises what refuses it."""
        key = scoped(request, Action.CREATE)
        form = _read(self.form_class, request)
        whose = {"name": machine.machine_name, "team": machine.machine_owner_team} if machine else {"team": key.team}
        version = _waited(model_upload(user=key.user, machine=machine, **form.given() | whose))
        if version.state == VersionState.REFUSED:
            _undo(version, request, is_first=machine is None)
        return version


def _read(form_class: type[VersionCallForm], request: Request) -> VersionCallForm:
    """Return what was sent, checked. Raises TooLarge and Malformed."""
    form = form_class(request.POST, request.FILES)
    file = request.FILES.get("file")
    if isinstance(file, File) and file.size > settings.MODEL_UPLOAD_LIMIT_BYTES:
        raise _too_large()
    if not form.is_valid():
        fields = {name: [str(words) for words in errors] for name, errors in form.errors.items()}
        raise Malformed(_("Some fields cannot be used."), fields)
    return form


def _too_large() -> TooLarge:
    words = _("This file is larger than %(limit)s MB. Save the model without the optimizer's state.")
    return TooLarge(words % {"limit": settings.MODEL_UPLOAD_LIMIT_BYTES // 1_000_000})


def _waited(version: ModelVersion) -> ModelVersion:
    """Wait for the end of the check, unless others hold all that may wait."""
    if not WAITING.acquire(blocking=False):
        return version
    try:
        return check_wait(version=version, seconds=WAIT_SECONDS)
    finally:
        WAITING.release()


def _undo(version: ModelVersion, request: Request, *, is_first: bool) -> None:
    """Leave nothing of a refused file behind, and say why it was refused."""
    others = version.machine.versions.exclude(pk=version.pk)
    if is_first and not others.exists():  # somebody may have given it another file meanwhile
        machine_delete(machine=version.machine, user=key_of(request).user)
    else:
        version_delete(version=version, user=key_of(request).user)
    raise Refused(sentence(version.notice))
