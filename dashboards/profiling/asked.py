"""The site's end of the process that makes a profile. No rows are read here."""

from collections.abc import Sequence
from pathlib import Path

from dashboards.kept import Question, Task
from machines.engine.errors import gettext_noop
from machines.engine.schema import Column

VERSION = 3  # counts up when the same rows would be told in another way
TASK = Task(
    "dashboards.profiling.job",
    seconds=60.0,
    memory_mb=2048,
    threads=2,
    busy=gettext_noop("Another table is being looked at right now. Try again in a minute."),
    words={
        "deadline": gettext_noop(
            "This table is too large to be looked at in a minute. Ignore columns, or use fewer rows."
        ),
        "memory": gettext_noop(
            "This table needs more memory than there is to look at it. Ignore columns, or use fewer rows."
        ),
        "crash": gettext_noop("These rows could not be looked at. Try again."),
    },
)


def profile_of(parts: Sequence[Path], columns: Sequence[Column], folder: Path) -> Question:
    """The question for the profile of these rows, see `dashboards.profiling.job`."""
    return Question(TASK, parts, columns, folder, [VERSION])
