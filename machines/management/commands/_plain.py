"""What the commands for files share: they need neither database nor account, and refuse bad input in one sentence."""

import atexit
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from os import W_OK, access, sysconf
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from machines.child import OUT_OF_MEMORY, SPARE_MB
from machines.engine import job
from machines.engine.errors import DataError, gettext_noop

BAD_INPUT = 2  # exit status
INTERRUPTED = 130
UNHEARD = 0.5  # seconds after an alarm by which the block must have heard it
LONGEST_START = 60.0  # seconds; a process that claims to be older has a clock we cannot trust

BAD_OPTION = gettext_noop("%(message)s. Run the command with --help to see how it is used.")
NO_FOLDER = gettext_noop("The folder “%(folder)s” of --save does not exist. Make it first, or save elsewhere.")
NO_WRITING = gettext_noop("“%(path)s” cannot be written. Save to another place.")
SAME_FILE = gettext_noop("--save names “%(path)s”, which is also read. Save to another place.")
NO_FILE = gettext_noop("There is no file “%(path)s”.")
NOT_OPEN = gettext_noop("The file “%(path)s” cannot be opened: %(why)s.")


class PlainCommand(BaseCommand):
    """Bad input: one sentence on standard error and exit status 2; called from Python, a DataError."""

    requires_system_checks = []
    is_own_process = False  # started from the command line, so that the process is ours alone

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = _refuse_option  # type: ignore[method-assign]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        self.is_own_process = True
        try:
            super().run_from_argv(argv)
        except DataError as error:
            _refuse(error)
        except KeyboardInterrupt:
            _leave(INTERRUPTED)
        _leave(0)

    def warn(self, sentences: Sequence[object]) -> None:
        for sentence in sentences:
            self.stderr.write(f"Warning: {sentence}")


def _refuse_option(message: str) -> NoReturn:
    raise DataError(BAD_OPTION, message=message[:1].upper() + message[1:])


def check_readable(path: Path) -> None:
    """Raise DataError unless this is a file that can be opened."""
    try:
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise DataError(NO_FILE, path=path) from None
    except (OSError, ValueError) as error:
        raise DataError(NOT_OPEN, path=path, why=getattr(error, "strerror", None) or error) from None


def check_place(path: Path, read: Sequence[Path]) -> None:
    """Raise DataError unless a file can be saved here without overwriting one of those that are read."""
    if not path.parent.is_dir():
        raise DataError(NO_FOLDER, folder=path.parent)
    if (path.exists() and not path.is_file()) or not path.name or not access(path.parent, W_OK):
        raise DataError(NO_WRITING, path=path)
    if path.exists() and any(path.samefile(other) for other in read):
        raise DataError(SAME_FILE, path=path)


@contextmanager
def sentence_for_disk(path: Path) -> Iterator[None]:
    """Say in a sentence that the disk is full or read-only."""
    try:
        yield
    except OSError as error:
        raise DataError(NO_WRITING, path=path) from error


@contextmanager
def within_memory(megabytes: int) -> Iterator[None]:
    """Let the system refuse this process, for good, what goes beyond; say so in a sentence."""
    most = (megabytes + SPARE_MB) * 2**20
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(word in str(error) for word in OUT_OF_MEMORY):
            raise DataError(job.OUT_OF_MEMORY) from error
        raise


def process_age() -> float:
    """Seconds since this process was started, imports included."""
    try:
        started = int(Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started / sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):  # not Linux
        age = -1.0
    return age if 0 <= age < LONGEST_START else time.process_time()


def _refuse(error: DataError) -> NoReturn:
    print(" ".join(str(error).split()), file=sys.stderr)
    _leave(BAD_INPUT)


def _leave(status: int) -> NoReturn:
    """End this process at once: to take torch and a large table down in order takes a second or more."""
    atexit._run_exitfuncs()  # removes temporary folders; multiprocessing ends its processes so, too
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError, ValueError):  # who reads is gone
            stream.flush()
    os._exit(status)


@contextmanager
def alarm(seconds: float, error: DataError) -> Iterator[None]:
    """Raise `error` in this thread, the main one, if the block is not done after `seconds`.

    A library that computes does not hear of it: if the block goes on, the process ends as if the error had been raised.
    """

    def ring(*_: object) -> NoReturn:
        raise error

    last = threading.Timer(max(0.1, seconds) + UNHEARD, _refuse, [error])
    last.daemon = True
    last.start()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds), 0.5)
    try:
        yield
    finally:
        last.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
