"""What a worker runs. Each task finds its Work by id; the Work row is the truth about it."""

from django_tasks import task

from machines.services.training import training_execute


@task(queue_name="cpu")
def train(work_id: int) -> None:
    training_execute(work_id=work_id)
