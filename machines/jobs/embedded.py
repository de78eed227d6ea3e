"""The embedded worker: takes messages from the database backend of django-tasks, and looks after works while it lives."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import close_old_connections, connection
from django.utils import timezone
from django_tasks import default_task_backend
from django_tasks.base import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker as MessageWorker
from django_tasks_db.models import DBTaskResult

from machines.jobs.patience import AWAY, forget_connection
from machines.jobs.reaper import reap
from machines.jobs.servers import Worker, be
from models import Server

PULSE_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 3600.0
DRAIN_SECONDS = 25.0  # what is not done by then is handed back
MOST_DELIVERIES = 3  # of a message whose workers died; works count for themselves, this is for all other tasks
PAUSE_SECONDS = 1.0
MESSAGE_AGE = timedelta(days=1)

logger = logging.getLogger(__name__)


class EmbeddedWorker:
    """One process: messages in the main thread, one after the other; signs of life in another thread."""

    def __init__(self, queues: list[str], *, interval: float, keep_house: Callable[[], None] = lambda: None) -> None:
        self.worker = be(Worker(queues))
        self.interval, self.keep_house, self.kept_house = interval, keep_house, time.monotonic()
        self.messages = MessageWorker(
            queue_names=self.worker.queues,
            interval=interval,
            batch=True,  # returns when nothing is left: the loop below decides when to look again
            backend_name=default_task_backend.alias,
            startup_delay=False,
            max_tasks=None,
            worker_id=self.worker.name,
            excluded_queue_names=[],
        )
        self.has_dropped = True  # by an earlier process of this name, for all we know
        self.is_over = threading.Event()

    def serve(self) -> None:
        """Work until told to leave: SIGTERM lets end what is nearly done, SIGINT or a second signal hands it back."""
        signal.signal(signal.SIGTERM, lambda *_: self._leave(DRAIN_SECONDS))
        signal.signal(signal.SIGINT, lambda *_: self._leave(0.0))
        pulse = threading.Thread(target=self._pulse, daemon=True)
        pulse.start()
        while not self.worker.is_leaving:
            self._take_messages()
            time.sleep(0.0 if self.worker.is_leaving else self.interval)
        self.is_over.set()
        pulse.join(timeout=PULSE_SECONDS)
        self._say_goodbye()

    def _take_messages(self) -> None:
        try:
            close_old_connections()
            self._pick_up()
            self.messages.running = not (self.worker.is_leaving or self.worker.is_draining)
            if self.messages.running:
                self.messages.run()
        except AWAY as error:
            self.has_dropped = True
            forget_connection(error)
            time.sleep(PAUSE_SECONDS)

    def _pick_up(self) -> None:
        """Announce this worker before it takes a message, and put back the one it had when the database went away."""
        if self.has_dropped:
            self.worker.beat()
            put_back({self.worker.name})
            self.has_dropped = False

    def _leave(self, seconds: float) -> None:
        self.worker.leave(0.0 if self.worker.is_leaving else seconds)
        self.messages.running = False

    def _pulse(self) -> None:
        """Show signs of life until all is handed back, and look after what others left."""
        while True:
            self._beat()
            if self.is_over.wait(PULSE_SECONDS):
                break
        connection.close()

    def _beat(self) -> None:
        try:
            self.worker.beat()
            if self.worker.is_draining:
                self.messages.running = False
            reap()
            return_messages()
            self._keep_house()
        except AWAY as error:
            forget_connection(error)
        except Exception:
            logger.exception("looking after works failed")

    def _keep_house(self) -> None:
        """Let it be done beside the signs of life, which must not wait for it."""
        if time.monotonic() - self.kept_house > HOUSEKEEPING_SECONDS:
            self.kept_house = time.monotonic()
            threading.Thread(target=kept, args=(self.keep_house,), daemon=True).start()

    def _say_goodbye(self) -> None:
        try:
            self.worker.server.stop()
        except AWAY as error:  # the others will notice
            forget_connection(error)


def kept(keep_house: Callable[[], None]) -> None:
    """Keep house in a thread; what fails is tried again in an hour."""
    try:
        keep_house()
        forget_messages()
    except Exception:
        logger.exception("housekeeping failed")
    finally:
        connection.close()


def forget_messages() -> int:
    """Delete messages that arrived a day ago; return how many. Failed ones stay for `prune`."""
    return DBTaskResult.objects.successful().filter(finished_at__lt=timezone.now() - MESSAGE_AGE).delete()[0]


def return_messages() -> None:
    """Put messages back whose worker died with them in hand; one of a work that is done already does no harm."""
    holders = {message.worker_ids[-1] for message in DBTaskResult.objects.running() if message.worker_ids}
    alive = Server.objects.alive().filter(server_name__in=holders).values_list("server_name", flat=True)
    put_back(holders - set(alive))


def put_back(holders: set[str]) -> None:
    """Let the messages that these workers hold be taken once more, unless that was so too often."""
    for message in DBTaskResult.objects.running():
        if message.worker_ids and message.worker_ids[-1] in holders:
            is_hopeless = len(message.worker_ids) >= MOST_DELIVERIES
            status = TaskResultStatus.FAILED if is_hopeless else TaskResultStatus.READY
            same = DBTaskResult.objects.running().filter(pk=message.pk, worker_ids=message.worker_ids)
            same.update(status=status)
