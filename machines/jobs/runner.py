"""One attempt at a work: take it, run its child process, keep what came out or say why nothing did."""

import logging
import time
from copy import copy
from typing import Any

from django.conf import settings
from django.db import transaction

from machines.child import NICENESS, Child, ChildFailedError, run_child
from machines.engine.errors import DataError, Notice
from machines.engine.files import FULL
from machines.jobs.folders import folder_of, remove_folder_of
from machines.jobs.job import Answer, Job, Request, answer_of
from machines.jobs.kinds import following, job_of
from machines.jobs.patience import AWAY, forget_connection, patiently
from machines.jobs.queue import send
from machines.jobs.servers import Worker, this_worker
from models import Server, Work
from models.work import MOST_ATTEMPTS, WorkState

LOOK_SECONDS = 0.5  # how often the worker looks whether somebody wants the work to end
ROOM_SECONDS = 5.0  # after which a work that had no room is brought again
RETRY_SECONDS = 5.0  # after the first failed attempt, twice that after the second
PATIENCE_SECONDS = 300.0  # how long a worker waits for its database to come back before it drops what it has
CURVES = ("training_loss", "validation_loss", "loss_rounds", "networks")
AGAIN = {"crash", "memory"}  # what may have been bad luck, or the company it was in

logger = logging.getLogger(__name__)


class WorkLostError(Exception):
    """The work has been ended, or given to somebody else, while it was done."""


class HandBackError(Exception):
    """This worker stops: the work goes back, for another one."""


def work_run(*, work_id: int) -> None:
    """Do a work that waits, if nobody else does and there is room. Whatever happens, its row says so."""
    worker = this_worker()
    worker.beat()
    work = Work.objects.select_related("machine", "user").filter(pk=work_id).waiting().first()
    if work is None:
        return
    if worker.is_draining or worker.is_leaving:
        send(work, seconds=ROOM_SECONDS)
    elif _take(work, worker):
        _Attempt(work, job_of(work), worker).run()


@transaction.atomic
def _take(work: Work, worker: Worker) -> bool:
    """Start the work, or let it be brought again when there is room. On a computer one looks after the other."""
    Server.objects.select_for_update().filter(host=worker.server.host).order_by("pk").first()
    if worker.has_room_for(work):
        return work.start(worker.server)
    send(work, seconds=ROOM_SECONDS)
    return False


class _Attempt:
    def __init__(self, work: Work, job: Job, worker: Worker) -> None:
        self.work, self.job, self.worker = work, job, worker

    def run(self) -> None:
        """Do the work, and tell how it ended: each ending is one transition, which has no effect on a lost work."""
        try:
            answer = self._answer()
            patiently(lambda: self._record(answer), seconds=PATIENCE_SECONDS)
        except WorkLostError:
            logger.info("work %s was ended, or somebody else does it", self.work.pk)
        except HandBackError:
            self._give_back()
        except DataError as error:
            self._fail(error.notice)
        except ChildFailedError as error:
            self._child_failed(error)
        except OSError as error:
            if error.errno not in FULL:
                self._broken()
                raise
            self._fail(Notice(self.job.sentence("disk")))
        except AWAY:  # longer than patience: the lease is over, and the work somebody else's
            raise
        except Exception:
            self._broken()
            raise
        finally:
            self._clean_up()

    def _answer(self) -> Answer:
        request, seconds = patiently(self._request, seconds=PATIENCE_SECONDS)
        watcher = _Watcher(self.work, self.worker)
        answer = run_child(
            self.job.module,
            request,
            seconds=seconds,
            memory_mb=self.work.memory_mb or settings.WORK_MEMORY_MB,
            niceness=NICENESS,
            file_gb=self.job.file_gb,
            scratch_gb=self.job.scratch_gb,
            line_mb=self.job.line_mb,
            on_message=watcher.on_message,
            on_tick=watcher.on_tick,
        )
        return self.job.looked(self.work, self.folder, answer_of(answer), watcher.on_tick)

    def _request(self) -> tuple[Request, float]:
        """What the child is asked, and how many seconds it has."""
        self.job.check(self.work)
        self.folder = folder_of(self.work)
        return self.job.prepare(self.work, self.folder), self.job.seconds(self.work)

    @transaction.atomic
    def _record(self, answer: Answer) -> None:
        self.job.record(self.work, self.folder, answer)
        if self.work.state is WorkState.FINISHED and (do := following(self.work)):
            transaction.on_commit(lambda: do(self.work), robust=True)

    def _child_failed(self, error: ChildFailedError) -> None:
        where = without_words(error.details)
        logger.error("work %s, attempt %s: %s %s", self.work.pk, self.work.attempts, error.reason, where)
        notice = Notice(self.job.sentence(error.reason))
        if self.job.tries_again and error.reason in AGAIN and self.work.attempts < MOST_ATTEMPTS:
            self._give_back(notice)
        else:
            self._fail(notice)

    def _give_back(self, notice: Notice | None = None) -> None:
        """Let another worker do it; without a notice it was not the work's fault, and no attempt is counted."""
        said: dict[str, Any] = {"message": str(notice), "notice": notice.to_json()} if notice else {}

        @transaction.atomic
        def give_back() -> None:
            work = copy(self.work)  # what a transaction that comes to nothing wrote on it is forgotten
            if work.give_back(is_attempt=notice is not None, **said):
                send(work, seconds=RETRY_SECONDS * work.attempts if notice else 0.0)

        patiently(give_back, seconds=PATIENCE_SECONDS)

    def _broken(self) -> None:
        self._fail(Notice(self.job.sentence("crash")))

    def _fail(self, notice: Notice) -> None:
        patiently(lambda: work_failed(self.work, notice), seconds=PATIENCE_SECONDS)

    def _clean_up(self) -> None:
        """Remove the folder of a work that is over, unless there lies what it made. After a crash it is still needed."""
        work = patiently(lambda: Work.objects.filter(pk=self.work.pk).first(), seconds=PATIENCE_SECONDS)
        if work and work.state is WorkState.FINISHED and self.job.keeps_folder:
            self.job.tidied(folder_of(work))
        elif not (work and work.is_active):
            remove_folder_of(self.work)


@transaction.atomic
def work_failed(work: Work, notice: Notice) -> bool:
    """End a work with the reason, and tell whom it concerns."""
    is_failed = work.fail(str(notice), notice.to_json())
    if is_failed:
        job_of(work).failed(work, notice)
    return is_failed


def without_words(trace: str) -> str:
    """Return where in the code it happened and the kind of the error, without its words: they may quote somebody's cells."""
    lines = trace.rstrip().splitlines()
    places = [line for line in lines if line.startswith("  File ")]
    return "\n".join([*places, *(line.partition(":")[0] for line in lines[-1:])])


class _Watcher:
    """Carries news from the child to the row and wishes from the row to the child, twice a second at most."""

    def __init__(self, work: Work, worker: Worker) -> None:
        self.work, self.worker = work, worker
        self.news: dict[str, Any] | None = None
        self.seconds_left: float | None = None
        self.looked = self.beaten = 0.0
        self.is_told = False

    def on_message(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "progress":
            self.news = message
            self.seconds_left = message.get("seconds_left")

    def on_tick(self, child: Child) -> None:
        if not self.worker.has_time_for(self.seconds_left):
            raise HandBackError
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked = now
        try:
            self._look(child)
        except AWAY as error:  # the child goes on; whether the work is still ours shows when the database is back
            forget_connection(error)

    def _look(self, child: Child) -> None:
        self._beat()
        rows = Work.objects.filter(pk=self.work.pk, fencing_token=self.work.fencing_token).running()
        is_finish_requested = rows.values_list("is_finish_requested", flat=True).first()
        if is_finish_requested is None:
            raise WorkLostError
        if is_finish_requested and not self.is_told:
            child.send("finish")
            self.is_told = True

    def _beat(self) -> None:
        is_due = time.monotonic() - self.beaten > settings.WORK_LEASE_SECONDS / 4
        if self.news is None and not is_due:
            return
        if not (self._report(self.news) if self.news else self.work.beat()):
            raise WorkLostError
        self.news, self.beaten = None, time.monotonic()

    def _report(self, news: dict[str, Any]) -> bool:
        notice = Notice.from_json(news["message"])
        return self.work.report(
            news["share"],
            str(notice),
            notice=notice.to_json(),
            best_score=news.get("best_score"),
            seconds_left=news.get("seconds_left"),
            curve={name: news[name] for name in CURVES if name in news} or None,
        )
