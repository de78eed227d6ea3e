"""The process that workers are forked from: `python -m tests.machines.jobs.fleet`, told on stdin what to do.

Django is started once. One line of JSON in, one line out; all ends with stdin.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import django
from django.db import connections
from django.utils import timezone

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "site")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    life = os.pipe()  # its end of reading ends when this process does, however that happens
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            said: Any = start(life, order)
        elif order["do"] == "migrate":
            said = call_command("migrate", verbosity=0)
        else:
            said = [make(**order["work"]) for _ in range(order["times"])]
        connections.close_all()
        print(json.dumps(said), flush=True)


def make(**values: Any) -> int:
    from machines.services.works import work_make
    from models.work import WorkKind

    return work_make(kind=WorkKind.EXPORT, user=None, **values).pk


def start(life: tuple[int, int], order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        os.close(life[1])
        threading.Thread(target=end_with, args=(life[0],), daemon=True).start()
        silence()
        try:
            prepare(order)
            (be_naive if order["is_naive"] else be_a_worker)(order)
        finally:
            os._exit(0)
    return pid


def end_with(pipe: int) -> None:
    os.read(pipe, 1)
    os._exit(1)


def silence() -> None:
    """Standard output belongs to the process that was forked from, and nobody types here."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)


def prepare(order: dict[str, Any]) -> None:
    """Register the quick job, and set what the test wants to be otherwise."""
    from machines.jobs import embedded, kinds, reaper, runner
    from models.work import WorkKind

    kinds.JOBS[WorkKind.EXPORT] = quick_job()
    for module in (embedded, reaper, runner):
        for name, value in order["constants"].items():
            if hasattr(module, name):
                setattr(module, name, value)


def quick_job() -> Any:
    from machines.jobs.job import Job

    return Job(module="tests.machines.jobs.quick", seconds=lambda work: 60.0, prepare=ask, record=keep)


def ask(work: Any, folder: Path) -> dict[str, Any]:
    return work.parameters | {"folder": str(folder), "token": work.fencing_token, "number": work.pk}


def keep(work: Any, folder: Path, answer: dict[str, Any]) -> None:
    if work.finish(answer):
        write_result(work, answer)


def write_result(work: Any, answer: dict[str, Any]) -> None:
    """Append a row: whoever does that twice shows."""
    from models import NNModel

    NNModel.objects.create(nn_model=json.dumps([work.pk, answer["token"], answer["square"]]).encode())


def be_a_worker(order: dict[str, Any]) -> None:
    from machines.jobs.embedded import EmbeddedWorker

    EmbeddedWorker(["cpu", "gpu", "default"], interval=order["interval"]).serve()


def be_naive(order: dict[str, Any]) -> None:
    """Work as the library does it by itself: no lease, no fencing token, nobody who looks after the dead."""
    from django_tasks_db.management.commands.db_worker import Worker

    from machines.jobs import runner

    runner.work_run = do_naively
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Worker(
        queue_names=["cpu", "default"], interval=order["interval"], batch=False, backend_name="default",
        startup_delay=False, max_tasks=None, worker_id=f"naive-{os.getpid()}", excluded_queue_names=[],
    ).run()  # fmt: skip


def do_naively(*, work_id: int) -> None:
    from machines.child import run_child
    from machines.jobs.folders import folder_of
    from models import Work
    from models.work import WorkState

    work = Work.objects.get(pk=work_id)
    Work.objects.filter(pk=work_id).update(**WorkState.PROCESSING.columns, work_started_at_date_time=timezone.now())
    answer = run_child("tests.machines.jobs.quick", ask(work, folder_of(work)), seconds=60.0, memory_mb=500)
    write_result(work, answer)
    Work.objects.filter(pk=work_id).update(**WorkState.FINISHED.columns, result=answer)


if __name__ == "__main__":
    main()
