"""What a worker does while the database is away: wait, and try once more."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
AWAY = (OperationalError, InterfaceError)
PAUSE_SECONDS = 0.5
logger = logging.getLogger(__name__)


def patiently(do: Callable[[], T], *, seconds: float) -> T:
    """Return what `do` returns, tried again while the database is away, for so many seconds at most."""
    end = time.monotonic() + seconds
    while True:
        try:
            return do()
        except AWAY as error:
            forget_connection(error)
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)


def forget_connection(error: Exception) -> None:
    """Let the next query connect anew."""
    logger.warning("the database is away: %s", type(error).__name__)
    if not connection.in_atomic_block:
        connection.close()
