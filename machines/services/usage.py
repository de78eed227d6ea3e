"""How often each key asked each machine: counted in memory, written every few seconds.

A row written at every call would cost more than the answer itself. What a process counted is written FLUSH_SECONDS
after the first call at the latest, and when the process ends; kill -9 loses what was counted since. Nothing is counted
twice, and what the database does not take is kept and added to what comes next.
"""

import atexit
import logging
import os
import threading
import time
from datetime import date
from typing import NamedTuple

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from models import ApiKey, Machine, Usage

FLUSH_SECONDS = 5.0

log = logging.getLogger(__name__)


class Which(NamedTuple):
    """One row of models.Usage."""

    machine_id: int
    api_key_id: int
    day: date


class Meter:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin at nothing: after a fork, what the parent counted the parent writes."""
        self._counted: dict[Which, tuple[int, int]] = {}  # calls, rows
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._is_something = threading.Event()

    def note(self, key_id: int, machine_id: int, rows: int) -> None:
        """Count one call that was answered."""
        self._count(Which(machine_id, key_id, timezone.now().date()), 1, rows)

    def flush(self) -> None:
        """Write what was counted."""
        with self._writing:
            self._is_something.clear()
            with self._lock:
                counted, self._counted = self._counted, {}
            for which, (calls, rows) in counted.items():
                try:
                    _add(which, calls, rows)
                except DatabaseError:
                    log.warning("The use of machine %s could not be written now.", which.machine_id)
                    self._count(which, calls, rows)

    def run(self) -> None:
        """Write from now on whatever is counted, in a thread of its own, and the rest when the process ends."""
        threading.Thread(target=self._run, name="usage", daemon=True).start()
        atexit.register(self.flush)

    def _count(self, which: Which, calls: int, rows: int) -> None:
        with self._lock:
            before = self._counted.get(which, (0, 0))
            self._counted[which] = before[0] + calls, before[1] + rows
        if not self._is_something.is_set():
            self._is_something.set()

    def _run(self) -> None:
        while True:
            self._is_something.wait()
            time.sleep(FLUSH_SECONDS)
            self.flush()
            connection.close()  # this thread's own


METER = Meter()
os.register_at_fork(after_in_child=METER.forget)
note = METER.note


def _add(which: Which, calls: int, rows: int) -> None:
    """Add to the row of the day; whichever process is the first makes it."""
    row = Usage.objects.filter(**which._asdict())
    more = {"calls": F("calls") + calls, "rows": F("rows") + rows}
    if row.update(**more) or not _still_exist(which):
        return
    try:
        with transaction.atomic():
            Usage.objects.bulk_create([Usage(**which._asdict())], ignore_conflicts=True)
            row.update(**more)
    except IntegrityError:  # key or machine were deleted this very moment, and their use with them
        return


def _still_exist(which: Which) -> bool:
    return ApiKey.objects.filter(pk=which.api_key_id).exists() and Machine.objects.filter(pk=which.machine_id).exists()
