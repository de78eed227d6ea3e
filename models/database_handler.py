"""The logging handler that writes EasyAutoMLLogger rows.

A file of its own, because logging is set up before models can be imported.
"""

import logging
import socket
import threading
import traceback
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connection, transaction

from config.logs import without_secrets

if TYPE_CHECKING:
    from .logger import EasyAutoMLLogger

NEVER = ("django.db.backends",)  # its records come from the connection that would write them
_writing = threading.local()


class DatabaseHandler(logging.Handler):
    """Writes records as rows. Never makes anything else fail: what cannot be written is only on the console."""

    def emit(self, record: logging.LogRecord) -> None:
        if not self._can_write(record):
            return
        _writing.is_on = True
        try:
            with transaction.atomic():  # a savepoint, so that a refused row does not spoil the caller's transaction
                row(record).save(force_insert=True)
        except Exception:  # noqa: S110  # nothing to tell and nobody to tell it to
            pass
        finally:
            _writing.is_on = False

    @staticmethod
    def _can_write(record: logging.LogRecord) -> bool:
        is_spoiled = connection.in_atomic_block and connection.needs_rollback
        is_recursive = getattr(_writing, "is_on", False) or record.name.startswith(NEVER)
        return apps.ready and not is_spoiled and not is_recursive


def row(record: logging.LogRecord) -> "EasyAutoMLLogger":
    """Return the record as an unsaved row, secrets hidden."""
    from .logger import EasyAutoMLLogger

    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    request = getattr(record, "request", None)
    return EasyAutoMLLogger(
        traceback=without_secrets(trace),
        level=record.levelname,
        logger=record.name,
        main_module=record.module,
        main_function=record.funcName or "",
        message=without_secrets(record.getMessage()),
        host_name=socket.gethostname(),
        ip=str(getattr(request, "META", {}).get("REMOTE_ADDR", "")),
    )
