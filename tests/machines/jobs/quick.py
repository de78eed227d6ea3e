"""A job that needs nothing but a moment: `python -m tests.machines.jobs.quick`. It misbehaves as it is told."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machines.engine.errors import Notice
from machines.engine.job import Parent, serve

STEP_SECONDS = 0.05
BUSY = "while True: pass"


def run(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    doing: dict[str, Any] = globals()[request.get("do", "count")](request, parent) or {}
    return doing


def count(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Count to `steps`, and go on after a crash where it stopped."""
    kept = Path(request["folder"]) / "steps"
    resumed_at = int(kept.read_text() or 0) if kept.exists() else 0
    steps = request.get("steps", 2)
    for step in range(resumed_at, steps):
        tell(parent, step / steps, STEP_SECONDS * (steps - step))
        time.sleep(STEP_SECONDS)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text(str(step + 1))
        part.replace(kept)
    return {"token": request["token"], "square": request["number"] ** 2, "resumed_at": resumed_at}


def lag(request: dict[str, Any], parent: Parent) -> dict[str, Any]:
    """Take longer with each start."""
    time.sleep(request["token"] - 0.5)
    return {"token": request["token"], "square": request["number"] ** 2}


def segfault(request: dict[str, Any], parent: Parent) -> None:
    ctypes.string_at(0)


def eat(request: dict[str, Any], parent: Parent) -> None:
    """Take memory without end, faster than anybody looks."""
    kept = []
    while True:
        kept.append(bytearray(b"x") * (64 * 2**20))


def nibble(request: dict[str, Any], parent: Parent) -> None:
    """Take memory without end, slowly."""
    kept = []
    while True:
        kept.append(b"x" * (5 * 2**20))
        time.sleep(0.02)


def give_up(request: dict[str, Any], parent: Parent) -> None:
    """End as a library does that has its own words."""
    sys.stderr.write(request["words"])
    sys.stderr.flush()
    os.abort()


def wait(request: dict[str, Any], parent: Parent) -> None:
    tell(parent, 0.1, request.get("seconds", 60.0))
    time.sleep(request.get("seconds", 60.0))


def boast(request: dict[str, Any], parent: Parent) -> None:
    """Be done in a moment, and not be."""
    tell(parent, 0.9, 1.0)
    time.sleep(60.0)


def be_stubborn(request: dict[str, Any], parent: Parent) -> None:
    """Keep two processes busy, and hear no signal that can be ignored."""
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", BUSY])
    tell(parent, 0.1, 60.0)
    while True:
        pass


def tell(parent: Parent, share: float, seconds_left: float) -> None:
    parent.tell({"share": share, "message": Notice("Counting", {}).to_json(), "seconds_left": seconds_left})


if __name__ == "__main__":
    serve(run)
