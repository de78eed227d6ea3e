"""Processes that `run` keeps alive: started together, started again when one dies, stopped together."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

LEAST_SECONDS = 5.0  # between two starts of the same process: one that dies at once must not keep the computer busy


class Kept:
    """One command, and the process that runs it now."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.command, self.folder = command, folder
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        self.started = time.monotonic()
        return subprocess.Popen(self.command, cwd=self.folder, start_new_session=True)  # noqa: S603  (our own commands)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def keep(self) -> bool:
        """Start it again if it died; return whether that was so."""
        if self.is_running or time.monotonic() - self.started < LEAST_SECONDS:
            return False
        self.process = self._start()
        return True

    def tell_to_stop(self) -> None:
        if self.is_running:
            self.process.terminate()

    def stopped(self, seconds: float) -> None:
        """Wait for its end; after so many seconds end it."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
