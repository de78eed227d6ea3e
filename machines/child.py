"""Runs the engine in a child process that can be stopped: by a deadline, by a memory limit, or because someone asked.

The child gets one JSON line on standard input and answers with JSON lines on standard output, the last one being its result.
It never inherits the site's environment, so no secret can leak into it. Its temporary files go with it, however it ends.
"""

import json
import math
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from machines.scratch import Scratch

ROOT = Path(__file__).resolve().parent.parent
TICK_SECONDS = 0.25
END = None
GIGABYTE = 2**30
NICENESS = 10  # of what no page waits for
MOST_WAITING = 10_000  # messages that nobody has looked at yet
MOST_ERROR = 4096  # characters of one line of what it says to the log
SPARE_MB = 512  # above the memory limit, of what libraries reserve and never touch (measured with torch: 200)
OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "memory allocation of", "can't allocate memory")  # last words of libraries


class ChildFailedError(RuntimeError):
    """The child gave no result. `reason` is "deadline", "memory" or "crash"; `details` is for the log."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class Child:
    """One running child. `send` writes a line to it; `stop` ends it and everything it started."""

    def __init__(
        self,
        module: str,
        request: dict[str, Any],
        *,
        threads: int = 1,
        niceness: int = 0,
        limits: Mapping[int, int] | None = None,
        line_mb: int = 256,
    ) -> None:
        self.scratch = Scratch()
        self.most_letters, self.says_too_much = line_mb * 2**20, False
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment["TMPDIR"] = str(self.scratch.path)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
            environment[name] = str(threads)
        self.process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",  # a library may print anything; a reader that gives up would hold the child for ever
            start_new_session=True,
        )
        _limit(self.process.pid, limits or {})
        _stand_back(self.process.pid, niceness)
        self.errors: list[str] = []
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read_messages, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(self.process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.send(json.dumps(request))

    def _read_messages(self, pipe: IO[str]) -> None:
        while line := pipe.readline(self.most_letters):
            if len(line) == self.most_letters or self._messages.qsize() > MOST_WAITING:
                self.says_too_much = True  # a program of a stranger could fill our memory with it
                break
            self._take_message(line)
        self._messages.put(END)

    def _read_errors(self, pipe: IO[str]) -> None:
        while line := pipe.readline(MOST_ERROR):
            self.errors = [*self.errors[-80:], line]

    def _take_message(self, line: str) -> None:
        with suppress(ValueError, RecursionError):  # a library may print; that is not a message
            message = json.loads(line)
            if isinstance(message, dict):
                self._messages.put(message)

    def next_message(self) -> dict[str, Any] | None:
        """Return the next message, {} when none came within a tick, END when the child closed its output."""
        try:
            return self._messages.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return {}

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        if self.process.stdin.closed:
            return
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """Afterwards `errors` are complete."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        self._close()
        self.scratch.remove()

    def _close(self) -> None:
        """Close the pipes, except one that is still read: something that outlived the child holds its other end."""
        pipes = [self.process.stdout, self.process.stderr]
        idle = [pipe for pipe, reader in zip(pipes, self._readers, strict=True) if not reader.is_alive()]
        for pipe in (self.process.stdin, *idle):
            with suppress(BrokenPipeError):
                assert pipe is not None
                pipe.close()

    @property
    def memory_mb(self) -> float:
        """Resident memory in MiB; 0 where the system does not tell."""
        with suppress(OSError, ValueError, IndexError):
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return 0.0


def run_child(
    module: str,
    request: dict[str, Any],
    *,
    seconds: float,
    memory_mb: int,
    threads: int = 1,
    niceness: int = 0,
    address_mb: int | None = None,
    file_gb: int = 4,
    scratch_gb: int | None = None,
    line_mb: int = 256,
    on_message: Callable[[dict[str, Any]], None] = lambda message: None,
    on_tick: Callable[[Child], None] = lambda child: None,
) -> dict[str, Any]:
    """Run `python -m module` with `request` and return its last message.

    `on_message` sees every message before the last as it comes; `on_tick` is called four times a second and may send to
    the child or raise to stop it. As often it is stopped when it has taken more than `memory_mb`; the system itself
    refuses what it asks for soon after that, however fast it grows. No file that it writes grows beyond `file_gb`, its
    temporary files together not far beyond `scratch_gb`, and what it says at a time is shorter than `line_mb`.
    `address_mb` limits its address space, of which libraries reserve more than they use. Raises ChildFailedError.
    """
    limits = _limits(seconds, threads, memory_mb, address_mb) | {resource.RLIMIT_FSIZE: file_gb * GIGABYTE}
    child = Child(module, request, threads=threads, niceness=niceness, limits=limits, line_mb=line_mb)
    deadline = time.monotonic() + seconds
    last: dict[str, Any] = {}
    is_hanging = False
    try:
        while (message := child.next_message()) is not END:
            if message:
                last = message
                on_message(message)
            _check_limits(child, deadline, memory_mb, scratch_gb)
            on_tick(child)
        if child.says_too_much:
            raise ChildFailedError("crash", "it says too much")
        child.process.wait(timeout=TICK_SECONDS * 20)
    except subprocess.TimeoutExpired:
        is_hanging = True  # at the door: it has said its last word
    finally:
        child.stop()
    if not last or (child.process.returncode and not is_hanging):
        details = "".join(child.errors)
        raise ChildFailedError("memory" if any(word in details for word in OUT_OF_MEMORY) else "crash", details)
    return last


def _limits(seconds: float, threads: int, memory_mb: int, address_mb: int | None) -> dict[int, int]:
    """Return what the system enforces even if nobody watches the child any more. No core dump: it would hold the rows."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: (memory_mb + SPARE_MB) * 2**20,
        resource.RLIMIT_CPU: math.ceil(2 * threads * max(0.0, seconds)) + 10,
    }
    return limits if address_mb is None else limits | {resource.RLIMIT_AS: address_mb * 2**20}


def _limit(pid: int, limits: Mapping[int, int]) -> None:
    """Set limits on a child that has not been told yet what to do. Where the system has no prlimit there are none."""
    for name, most in limits.items():
        with suppress(OSError, ValueError, AttributeError):
            resource.prlimit(pid, name, (most, most))  # type: ignore[attr-defined,unused-ignore]


def _stand_back(pid: int, niceness: int) -> None:
    """Let others go first, and if the computer runs out of memory let the system end this process before them.

    Linux may weigh sessions against each other before it weighs processes (autogroup, `man 7 sched`), and each child has a
    session of its own: without a word about that too, one at niceness 10 took half of a core that a page wanted; now 9 %.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    for name, value in (("autogroup", niceness), ("oom_score_adj", 500)):
        with suppress(OSError):
            Path(f"/proc/{pid}/{name}").write_text(str(value), encoding="ascii")


def _check_limits(child: Child, deadline: float, memory_mb: int, scratch_gb: int | None) -> None:
    if time.monotonic() > deadline:
        raise ChildFailedError("deadline")
    if child.memory_mb > memory_mb:
        raise ChildFailedError("memory")
    if scratch_gb is not None and child.scratch.is_too_full(scratch_gb * GIGABYTE):
        raise ChildFailedError("crash", "it writes too much")
