"""A full disk is no fault of ours: whoever meets it reads a sentence, and the log has one line.

This stands where Django answers what nobody caught, and not in a middleware: a disk may be full while a body is read or a
session is saved, and no middleware sees an error of another one.
"""

import errno
import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
DATABASES = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "53100"}  # in SQLite's words, and PostgreSQL's number


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that nobody caught: 507 when a disk is full, else 500. No database is asked: it may be what is full."""
    if is_disk_full(sys.exception()):
        return HttpResponse(render_to_string("507.html"), status=HTTPStatus.INSUFFICIENT_STORAGE)
    return defaults.server_error(request)


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether this, or what led to it, was raised because a disk of ours or the database's has no room."""
    while error is not None:
        told = {getattr(error, "sqlite_errorname", None), getattr(error, "sqlstate", None)}
        if told & DATABASES or (isinstance(error, OSError) and error.errno in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
