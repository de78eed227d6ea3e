"""The site's end of the process that sets a report on paper."""

import base64
from datetime import datetime

from dashboards.exporting.document import Document, for_paper
from dashboards.kept import Task
from machines.engine.errors import gettext_noop

TASK = Task(
    "dashboards.exporting.job",
    seconds=30.0,
    memory_mb=1024,
    line_mb=64,
    at_once=2,
    busy=gettext_noop("Other PDFs are being made right now. Try again in a minute."),
    words={
        "deadline": gettext_noop("Making the PDF took too long and was stopped. Try again, or take the HTML file."),
        "memory": gettext_noop("The PDF needs more memory than there is. Take the HTML file."),
        "crash": gettext_noop("The PDF could not be made. Try again, or take the HTML file."),
    },
)


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
    with TASK.place():
        answer = TASK.run(request)
    return [base64.b64decode(file) for file in answer["files"]]
