"""Every refusal under /api/ has one shape: {"error": {"code", "message", "fields"}}, whoever refused."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

from machines.api.exceptions import Busy, Conflict, ModelFailed, NotReady, Refused, TooLarge
from machines.engine.errors import DataError
from machines.forms.rows import RowsError, TooManyRowsError
from machines.services.hosting import ModelFailedError
from machines.services.predictions import NotTrainedError
from machines.services.repeats import UNDER_WAY
from machines.services.texts import sentence
from machines.services.training import TRAINING
from machines.services.uploads import TooLargeError
from machines.work_words import ENDED

PLACE = "/api/"
A_FORM = gettext_lazy("Send a form with the file, as “Content-Type: multipart/form-data”.")
CONFLICTS = {TRAINING, ENDED, UNDER_WAY}
NOT_FOUND = gettext_lazy("There is nothing here, or it is not yours.")
SENTENCES = {  # in place of those of the framework
    400: gettext_lazy("This request cannot be read."),
    401: gettext_lazy("Send your API key as “Authorization: Bearer <key>”."),
    404: NOT_FOUND,
    405: gettext_lazy("This address does not take this method."),
    413: gettext_lazy("This is too large."),
    415: gettext_lazy("Send JSON, with the header “Content-Type: application/json”."),
    503: gettext_lazy("Too much is going on here just now. Try again in a moment."),
    500: gettext_lazy("Something went wrong here. It has been noted; try again later."),
    507: gettext_lazy(
        "The disk of this server is full, so nothing was saved. Ask who runs it to make room, then try again."
    ),
}


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to what a call raised; None leaves a fault of ours to Django, which logs it."""
    known = _known(error)
    response = exception_handler(known, dict(context))
    if response is None:
        return None
    code, message, fields = _told(known, response)
    if code == "unsupported_media_type" and MultiPartParser in _parsers(context):
        message = str(A_FORM)
    response.data = body(code, message, fields)
    return response


def _parsers(context: Mapping[str, Any]) -> set[type]:
    return {base for parser in context["view"].parser_classes for base in parser.__mro__}


def _known(error: Exception) -> Exception:
    """Return the errors of the services as answers."""
    if isinstance(error, NotTrainedError):
        return NotReady()
    if isinstance(error, TooManyRowsError):
        return TooLarge(str(error))
    if isinstance(error, TooLargeError):
        return TooLarge(sentence(error.notice))
    if isinstance(error, ModelFailedError):
        return (Busy if error.is_passing else ModelFailed)(sentence(error.notice))
    if isinstance(error, DataError):
        refusal = Conflict if error.notice.template in CONFLICTS else Refused
        return refusal(sentence(error.notice))
    return Refused(str(error), error.fields) if isinstance(error, RowsError) else error


def _told(error: Exception, response: Response) -> tuple[str, str, Mapping[str, Any]]:
    if not isinstance(error, APIException):  # Django's own 403 and 404
        is_missing = response.status_code == 404
        return ("not_found", str(NOT_FOUND), {}) if is_missing else ("permission_denied", str(error), {})
    codes, detail = error.get_codes(), error.detail
    fields = getattr(error, "fields", detail if isinstance(detail, dict) else {})
    code = codes if isinstance(codes, str) else "refused"
    if code in {"not_found", "not_authenticated", "unsupported_media_type", "method_not_allowed"}:
        return code, str(SENTENCES[response.status_code]), {}
    return code, str(detail) if isinstance(detail, str) else _("Some values cannot be used."), fields


def body(code: str, message: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": dict(fields or {})}}


class JsonErrorsMiddleware:
    """Gives that shape to what is refused outside of the calls: unknown addresses, other hosts, faults of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_ours = response.headers.get("Content-Type", "").startswith("application/json")
        if response.status_code < 400 or is_ours or not request.path_info.startswith(PLACE):
            return response
        return _as_json(response)


def _as_json(response: HttpResponseBase) -> HttpResponse:
    status = response.status_code
    code = "disk_full" if status == HTTPStatus.INSUFFICIENT_STORAGE else HTTPStatus(status).name.lower()
    message = SENTENCES.get(status) or f"{HTTPStatus(status).phrase}."
    kept = {name: value for name, value in response.headers.items() if name not in {"Content-Type", "Content-Length"}}
    told = JsonResponse(body(code, str(message)), status=status, headers=kept)
    told._has_been_logged = getattr(response, "_has_been_logged", False)  # type: ignore[attr-defined]  # by Django
    return told
