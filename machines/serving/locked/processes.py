"""The site's end of the locked processes: zygotes that it starts, children that it asks and kills."""

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from machines.serving.locked import folders, wire, zygote
from machines.serving.locked.errors import RunnerError
from machines.serving.locked.lock import Limits
from machines.serving.locked.wire import Header, Part, WireError

START_SECONDS = 60.0  # of a zygote: importing torch takes seconds on a busy machine
END_SECONDS = 5.0
MOST_TOLD = 2**16
PAGE = os.sysconf("SC_PAGE_SIZE")
CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)  # what the site starts does not get them
REASONS = frozenset({"memory", "input", "load", "lock"})  # what a child may say of itself
NO_SECRETS = {  # the whole environment of zygote and child
    "LANG": "C.UTF-8",
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime 1.31 starts threads on import that keep a database and call home
    "HOME": "/nonexistent",
    "CUDA_VISIBLE_DEVICES": "",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
}


@dataclass
class Process:
    """A child that holds one model. After any RunnerError but "input" it must be ended."""

    channel: socket.socket
    pid: int
    pidfd: int | None
    folder: str = ""  # of its scratch files, if it has any

    def ask(self, parts: Sequence[Part], *, most: int, deadline: float) -> tuple[Header, memoryview]:
        """Send a frame and return the reply, at most `most` bytes. Raises RunnerError, whatever the child does."""
        try:
            wire.send(self.channel.fileno(), parts, deadline)
            header, body = wire.receive(self.channel.fileno(), most=most, deadline=deadline)
        except TimeoutError as error:
            raise RunnerError("deadline") from error
        except (EOFError, OSError) as error:
            raise RunnerError("crash", str(error)) from error
        except WireError as error:
            raise RunnerError("output", str(error)) from error
        if "error" in header:
            reason, details = header["error"], str(header.get("details"))[:500]
            raise RunnerError(reason if reason in REASONS else "crash", details)
        return header, body

    def wait(self) -> None:
        """Wait for a fresh interpreter to import its library. A fork has it already. Raises RunnerError."""
        if self.folder:
            self.ask([], most=0, deadline=time.monotonic() + START_SECONDS)

    def is_gone(self) -> bool:
        """Whether the system, or its zygote's end, has ended it since it was last asked."""
        if self.pidfd is None:
            return False
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    @property
    def memory_mb(self) -> float:
        """What it holds, in MiB; what it still shares with its zygote counts too. 0 where the system does not tell."""
        with suppress(OSError, ValueError):
            _size, resident, of_files = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[:3]
            return (int(resident) - int(of_files)) * PAGE / 2**20
        return 0.0

    def end(self) -> None:
        """Kill it, wait until it is gone and remove what it left. It can have started nothing."""
        with suppress(ProcessLookupError):
            self._kill()
        self.forget()
        if self.folder:
            folders.remove(Path(self.folder))

    def forget(self) -> None:
        """Close our ends without touching the process: after a fork it is the parent's."""
        self.channel.close()
        if self.pidfd is not None:
            os.close(self.pidfd)
            self.pidfd = None

    def _kill(self) -> None:
        if self.pidfd is None:  # not Linux: there the number could in theory be somebody else's by now
            return os.kill(self.pid, signal.SIGKILL)
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        poll.poll(END_SECONDS * 1000)
        return None


class Zygote:
    """One process that has imported a loader and forks children for it. It is started, and started again, when needed."""

    def __init__(self, module: str, *, is_locked: bool, limits: Limits, stays: bool) -> None:
        self.module, self.is_locked, self.limits, self.stays = module, is_locked, limits, stays
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def spawn(self, format_name: str) -> Process:
        """Return a fresh child that waits for its model. Raises RunnerError."""
        with self._lock:
            if self._process is not None:
                try:
                    return self._ask(format_name)
                except (OSError, EOFError):  # it has ended since: nothing is lost but its imports
                    self.end()
            try:
                self._start()
                return self._ask(format_name)
            except (OSError, EOFError) as error:
                self.end()
                raise RunnerError("crash", f"the zygote does not start: {error}") from error

    def end(self) -> None:
        """End it; its children end with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Let go of it without touching it: after a fork it is the parent's."""
        if self._control is not None:
            self._control.close()
        self._process = self._control = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        asked = {"module": self.module, "is_locked": self.is_locked, "stays": self.stays, "limits": asdict(self.limits)}
        with theirs:
            nothing = subprocess.DEVNULL
            self._process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                zygote.command("main", control=theirs.fileno(), **asked),
                pass_fds=[theirs.fileno()],
                env=NO_SECRETS,
                cwd="/",
                stdin=nothing,
                stdout=nothing,
                stderr=nothing,
                start_new_session=True,  # Ctrl-C ends the site, and the site ends this
            )
        ours.settimeout(START_SECONDS)
        self._control = ours

    def _ask(self, format_name: str) -> Process:
        assert self._control is not None
        self._control.sendall(json.dumps({"format": format_name}).encode())
        told, descriptors, _flags, _address = socket.recv_fds(self._control, MOST_TOLD, 2, CLOEXEC)
        if not told:
            raise EOFError
        answer = json.loads(told)
        if "error" in answer:
            raise RunnerError("crash", answer["error"])
        channel = socket.socket(fileno=descriptors[0])
        channel.setblocking(False)
        return Process(channel, answer["pid"], descriptors[1] if len(descriptors) > 1 else None, answer["folder"])
