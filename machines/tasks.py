"""What a worker runs. Each task finds its Work by id; the Work row is the truth about it."""

from django_tasks import task

from machines.jobs import runner


@task(queue_name="cpu")
def work_run(work_id: int) -> None:
    """Bring a work to the worker that runs this."""
    runner.work_run(work_id=work_id)
