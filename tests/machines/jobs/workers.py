"""Real workers on the database of the test, and what can be done to their processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from machines.services.works import work_make
from models import Work
from models.work import WorkKind

ROOT = Path(__file__).resolve().parents[3]
HASTE = {  # lives of workers in fast motion
    "PULSE_SECONDS": 0.2,
    "LOOK_SECONDS": 0.1,
    "ROOM_SECONDS": 0.2,
    "RETRY_SECONDS": 0.0,
    "PAUSE_SECONDS": 0.1,
}


def database_url() -> str:
    """The address of the database that this test writes to."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


class Fleet:
    """Starts workers, and remembers which processes they are."""

    def __init__(self, url: str, *, lease: int = 1, pace: dict[str, float] = HASTE, **constants: Any) -> None:
        self.constants = pace | constants
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        here = {"DATABASE_URL": url, "STORAGE_ROOT": str(settings.STORAGE_ROOT), "SECRET_KEY": "x" * 50}
        here |= {"WORK_LEASE_SECONDS": str(lease), "LOG_LEVEL": "ERROR"}
        self.pids: list[int] = []
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.machines.jobs.fleet"],
            cwd=ROOT, env=kept | here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, do: str, **order: Any) -> Any:
        self.mother.stdin.write(json.dumps({"do": do} | order) + "\n")
        self.mother.stdin.flush()
        return json.loads(self.mother.stdout.readline())

    def start(self, count: int = 1, *, is_naive: bool = False, interval: float = 0.05, **constants: Any) -> list[int]:
        order = {"is_naive": is_naive, "interval": interval, "constants": self.constants | constants}
        started = [self.tell("start", **order) for _ in range(count)]
        self.pids += started
        return started

    def kill(self, pid: int, how: int = signal.SIGKILL) -> bool:
        """Send a signal to a process that lives; return whether there was one."""
        try:
            if state(pid) in "ZX":
                return False
            os.kill(pid, how)
        except (ProcessLookupError, FileNotFoundError):
            return False
        return True

    def end(self) -> None:
        for pid in self.pids:
            self.kill(pid)
        self.mother.stdin.close()
        self.mother.wait(timeout=20)
        self.mother.stdout.close()
        wait_until(lambda: not any(is_alive(pid) for pid in self.pids), 10)


def quick_work(*, memory_mb: int = 0, **parameters: Any) -> Work:
    return work_make(kind=WorkKind.EXPORT, user=None, memory_mb=memory_mb, parameters=parameters)


def now(work: Work) -> Work:
    """The work as it stands in the database."""
    return Work.objects.select_related("server").get(pk=work.pk)


def worker_of(work: Work) -> int:
    """The process that does the work."""
    wait_until(lambda: now(work).server, 10)
    return int(now(work).server.server_name.rsplit("-", 1)[1])


def wait_until(is_so: Any, seconds: float) -> float:
    """Wait until something is so, and return how long that took."""
    began = time.monotonic()
    while not is_so():
        passed = time.monotonic() - began
        assert passed < seconds, f"not so after {passed:.1f} s"
        time.sleep(0.05)
    return time.monotonic() - began


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def is_alive(pid: int) -> bool:
    try:
        return state(pid) not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The processes that this one has started, by any of its threads."""
    found = []
    for place in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in place.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
    return found


def family(pid: int) -> list[int]:
    return [pid, *(other for child in children(pid) for other in family(child))]


def cpu_seconds(pid: int) -> float:
    """How long a process has computed so far; 0 when it is gone."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
