"""What each kind of work has to say about itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from machines.child import Child
from machines.engine.errors import DataError, Notice, gettext_noop
from models import Work

Request: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, Any]

NO_RESULT = {
    "deadline": gettext_noop("This took longer than it may and was stopped."),
    "memory": gettext_noop("This needed more memory than this server allows."),
    "crash": gettext_noop("This stopped with an error of ours. Its details are in the server's log."),
    "lost": gettext_noop("The server that did this stopped several times. Ask who runs the site to look at its log."),
    "disk": gettext_noop("The disk of the server is full. Ask who runs it to make room, then try again."),
}


def answer_of(message: Answer) -> Answer:
    """Return the last message of a child. Raises DataError with the sentence that it ended with instead."""
    if message.get("kind") == "error":
        notice = Notice.from_json(message["error"])
        raise DataError(notice.template, **notice.values)
    return message


def _as_it_is(work: Work, folder: Path, answer: Answer, on_tick: Callable[[Child], None]) -> Answer:
    return answer


def _nothing(*args: Any) -> None:
    return


@dataclass(frozen=True)
class Job:
    """How one kind of work is done: `prepare` asks a child process, `record` keeps what it answered.

    `check` and `prepare` raise DataError for what a person has to know. `record` runs in one transaction with the end of
    the work: it calls `work.finish` first, and changes nothing when that says no. `failed`, `cancelled` and `retried` tell
    whom it concerns, in the transaction of that transition.
    """

    module: str  # of the child, run as `python -m`; speaks as machines.engine.job says
    seconds: Callable[[Work], float]  # hard deadline of the child
    prepare: Callable[[Work, Path], Request]  # the folder is the work's own, and still there after a crash
    record: Callable[[Work, Path, Answer], None]
    looked: Callable[[Work, Path, Answer, Callable[[Child], None]], Answer] = _as_it_is  # before the transaction
    check: Callable[[Work], None] = _nothing  # whether who asked still may
    failed: Callable[[Work, Notice], None] = _nothing
    cancelled: Callable[[Work], None] = _nothing
    retried: Callable[[Work], None] = _nothing
    keeps_folder: bool = False  # after it is finished: there lies what it made
    tidied: Callable[[Path], None] = _nothing  # such a folder
    tries_again: bool = True  # after a crash, or memory that ran out: it may have been bad luck
    file_gb: int = 4  # no file that the child writes may grow larger
    scratch_gb: int | None = None  # its temporary files together, where a stranger's program may write them
    line_mb: int = 256  # what it says at a time
    words: "dict[str, str] | None" = None  # instead of NO_RESULT

    def sentence(self, reason: str) -> str:
        return (self.words or {}).get(reason) or NO_RESULT[reason]
