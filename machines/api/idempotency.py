"""`Idempotency-Key`: who repeats a call gets the answer of the first one, and nothing is made or paid for twice."""

from collections.abc import Callable, Iterator
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from machines.api.calls import Call, key_of
from machines.api.exceptions import Malformed
from machines.services.repeats import call_answered, call_claim, call_forget

HEADER = "Idempotency-Key"
MOST_CHARACTERS = 200

C = TypeVar("C", bound=Call)
P = ParamSpec("P")
Handler = Callable[Concatenate[C, Request, P], Response]


def idempotent(handler: Handler[C, P]) -> Handler[C, P]:
    """Make a call repeatable for those who send the header. What was refused made nothing, so it may be tried again."""

    @wraps(handler)
    def once(view: C, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        call, is_ours = call_claim(api_key=key_of(request), key=_checked(key), fingerprint=_fingerprint(request))
        if not is_ours:
            return Response(call.body, status=call.status, headers={"Idempotent-Replayed": "true"})
        try:
            response = handler(view, request, *args, **kwargs)
        except BaseException:
            call_forget(call=call)
            raise
        call_answered(call=call, status=response.status_code, body=response.data)
        return response

    return once


def _checked(key: str) -> str:
    if 0 < len(key) <= MOST_CHARACTERS and key.isascii() and key.isprintable():
        return key
    words = _("Send an Idempotency-Key of 1 to %(most)s plain characters, such as a UUID.") % {"most": MOST_CHARACTERS}
    raise Malformed(words, {HEADER: [words]})


def _fingerprint(request: Request) -> str:
    """Return the digest of all that makes this call this call; files go through it piece by piece."""
    digest = sha256(orjson.dumps([request.method, request.get_full_path()]))
    for part in _parts(request.data):
        digest.update(part)
    return digest.hexdigest()


def _parts(sent: Any) -> Iterator[bytes]:
    if not isinstance(sent, QueryDict):
        try:
            yield orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # lists in lists, deeper than it writes although it reads them
            raise Malformed(_("The body is nested too deeply.")) from None
        return
    for name, values in sorted(sent.lists()):
        for value in values:
            yield orjson.dumps([name, _digest(value) if isinstance(value, UploadedFile) else value])


def _digest(file: UploadedFile[bytes]) -> list[str]:
    digest = sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return [file.name or "", digest.hexdigest()]
