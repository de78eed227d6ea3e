"""One worker: does work and sends e-mails until it is told to stop."""

import logging
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from machines.jobs.embedded import EmbeddedWorker
from machines.jobs.servers import QUEUES
from machines.scratch import scratch_sweep
from machines.services.sweeping import StrangeStorageError, storage_sweep
from machines.services.works import servers_prune, works_prune
from machines.serving.locked.lock import protection

logger = logging.getLogger(__name__)
SWEEP_AFTER = timedelta(hours=24)


class Command(BaseCommand):
    help = "Do the work of these queues until SIGTERM (what is nearly done is ended) or SIGINT (all is handed back)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default=",".join(QUEUES), help="separated by commas (default: %(default)s)")
        parser.add_argument("--interval", type=float, default=0.3, help="seconds between two looks at an empty queue")

    def handle(self, *args: Any, queues: str, interval: float, **options: Any) -> None:
        scratch_sweep()
        tell_of_the_lock()
        EmbeddedWorker(queues.split(","), interval=interval, keep_house=keep_house).serve()


def tell_of_the_lock() -> None:
    """Prove that uploaded models can be locked in here, and say so where they cannot."""
    found = protection()
    if not found.is_whole:
        logger.warning("Only ONNX and safetensors models are taken here: %s.", found.why_not)


def keep_house() -> None:
    """Forget what is over."""
    works_prune()
    servers_prune()
    scratch_sweep()
    try:
        storage_sweep(older_than=SWEEP_AFTER)
    except StrangeStorageError as error:
        logger.error("the storage was not swept: %s", error)
