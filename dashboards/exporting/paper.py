"""The site's end of the process that sets a report on paper."""

import base64
import logging
import threading
from datetime import datetime

from dashboards.exporting.document import Document, for_paper
from machines.child import ChildFailedError, run_child
from machines.engine.errors import DataError, Notice, gettext_noop

MODULE = "dashboards.exporting.job"
SECONDS = 30.0
WAIT_SECONDS = 20.0
MEMORY_MB = 1024
LINE_MB = 64  # of its answer
WORDS = {
    "deadline": gettext_noop("Making the PDF took too long and was stopped. Try again, or take the HTML file."),
    "memory": gettext_noop("The PDF needs more memory than there is. Take the HTML file."),
    "crash": gettext_noop("The PDF could not be made. Try again, or take the HTML file."),
}
BUSY = gettext_noop("Other PDFs are being made right now. Try again in a minute.")
_PLACES = threading.BoundedSemaphore(2)  # at the same time in each process of the site
logger = logging.getLogger(__name__)


def pdf(told: Document, now: datetime) -> bytes:
    """The report as PDF. Raises DataError."""
    return _set(told, now, "pdf")[0]


def pictures(told: Document, now: datetime) -> list[bytes]:
    """Its pages as PNG. Raises DataError."""
    return _set(told, now, "png")


def _set(told: Document, now: datetime, format: str) -> list[bytes]:
    report, drawn = for_paper(told)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)  # one day, one file
    request = {"report": report, "pictures": drawn, "made": int(midnight.timestamp()), "format": format}
    if not _PLACES.acquire(timeout=WAIT_SECONDS):
        raise DataError(BUSY)
    try:
        answer = run_child(MODULE, request, seconds=SECONDS, memory_mb=MEMORY_MB, niceness=5, line_mb=LINE_MB)
    except ChildFailedError as error:
        logger.warning("A report as PDF failed (%s): %s", error.reason, error.details)
        raise DataError(WORDS.get(error.reason, WORDS["crash"])) from error
    finally:
        _PLACES.release()
    if answer["kind"] == "error":
        notice = Notice.from_json(answer["error"])
        raise DataError(notice.template, **notice.values)
    return [base64.b64decode(file) for file in answer["files"]]
