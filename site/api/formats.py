"""JSON in, JSON out, by orjson. What a client says it accepts changes nothing: there is one format."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from machines.api.exceptions import TooLarge

MOST_BYTES = 20_000_000  # of a body; parsed, it takes some ten times as much
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_SERIALIZE_NUMPY


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLarge(_("The body is larger than %(mb)s MB. Send less at once.") % {"mb": MOST_BYTES // 1_000_000})
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(_("The body is no valid JSON: %(why)s.") % {"why": error}, code="malformed") from error


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_plain, option=OPTIONS)


def _plain(value: object) -> str:
    if isinstance(value, Promise):  # a text that is translated when it is shown
        return str(value)
    raise TypeError(type(value).__name__)


class OneFormat(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(  # type: ignore[override]  # the stubs name the suffix otherwise
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], str(renderers[0].media_type)


class Pages(PageNumberPagination):
    """A list stays a list; where its other pages are, the Link header says (RFC 8288)."""

    page_size = 100

    def get_paginated_response(self, data: Any) -> Response:
        pages = {"next": self.get_next_link(), "prev": self.get_previous_link()}
        links = ", ".join(f'<{url}>; rel="{name}"' for name, url in pages.items() if url)
        return Response(data, headers={"Link": links} if links else None)
