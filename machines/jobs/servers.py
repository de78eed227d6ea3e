"""This process as a Server: what it has, what it takes, and how it stops."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.db.models import Sum
from django.db.models.functions import Now

from models import Server, Work

MEMORY_SHARE = 0.9  # of the computer's memory is for work, the rest for everybody else
QUEUES = ("cpu", "gpu", "default")
MEGABYTE = 2**20
LONGEST_HOST = 38  # in the name of a server, beside the number of its process


class Worker:
    """One process that does work. Its row is made when it is first asked for."""

    def __init__(self, queues: Iterable[str] = QUEUES) -> None:
        self.gpus = graphics_cards()
        self.queues = [queue for queue in queues if queue != "gpu" or self.gpus]
        self.name = f"{short(socket.gethostname())}-{os.getpid()}"
        self.leave_at: float | None = None  # on the monotonic clock: when what still runs is handed back
        self.is_draining = False
        self._server: Server | None = None
        self._lock = threading.Lock()  # two threads ask at the start: announced twice, it would forget that it drains

    @property
    def server(self) -> Server:
        if self._server is None:
            with self._lock:
                self._server = self._server or self._announced()
        return self._server

    def _announced(self) -> Server:
        known = {"host": socket.gethostname(), "queues": self.queues, "server_gpu_ram": self.gpus}
        size = {"cores": cores(), "memory_mb": int(MEMORY_SHARE * memory_mb()), "version": version_of_us()}
        life = {"server_info_ready": True, "heartbeat_at": Now(), "is_draining": self.is_draining}
        return Server.objects.update_or_create(server_name=self.name, defaults=known | size | life)[0]

    def beat(self) -> None:
        """Show that it is alive, and hear whether it shall take no more work."""
        if not self.server.beat():
            self._server = self._announced()  # somebody forgot it
        self.is_draining = bool(Server.objects.filter(pk=self.server.pk).values_list("is_draining", flat=True).first())

    def has_room_for(self, work: Work) -> bool:
        """Return whether the memory that this work may take is free here. Alone on a computer, any work has room."""
        taken = self.server.works_beside().aggregate(total=Sum("memory_mb"))["total"]
        return taken is None or taken + work.memory_mb <= self.server.memory_mb

    def leave(self, seconds: float) -> None:
        """Take no more work, and hand back what is not done in so many seconds."""
        self.leave_at = min(self.leave_at or float("inf"), time.monotonic() + seconds)

    @property
    def is_leaving(self) -> bool:
        return self.leave_at is not None

    def has_time_for(self, seconds: float | None) -> bool:
        """Return whether something that takes so many seconds more (None: nobody knows) can be ended here."""
        if self.leave_at is None:
            return True
        left = self.leave_at - time.monotonic()
        return left > 0 and seconds is not None and seconds <= left


class _This:
    """The worker that this process is."""

    worker: Worker | None = None
    process: int | None = None


def this_worker() -> Worker:
    """Return what this process is as a worker; a process that forked is another one."""
    if _This.worker is None or _This.process != os.getpid():
        be(Worker())
    assert _This.worker is not None
    return _This.worker


def be(worker: Worker) -> Worker:
    """Let this process be that worker."""
    _This.worker, _This.process = worker, os.getpid()
    return worker


def short(host: str) -> str:
    """Return the name of a computer, or when it is too long a short one that is as different from all others."""
    if len(host) <= LONGEST_HOST:
        return host
    return f"{host[: LONGEST_HOST - 9]}-{sha256(host.encode()).hexdigest()[:8]}"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_mb() -> int:
    """Return the memory of this computer, or of the container this runs in, in MB."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [whole]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # control groups, version 2 and 1
        with suppress(OSError, ValueError):
            limits.append(int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii")))
    return min(limits) // MEGABYTE


@cache
def graphics_cards() -> list[int]:
    """Return the memory of each NVIDIA card in MB, [] where there is none. The driver is asked; torch is slow to load."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    question = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603  (fixed words)
        return [int(line) for line in answer.stdout.split()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


@cache
def version_of_us() -> str:
    try:
        return version("easyautoml")
    except PackageNotFoundError:
        return ""
