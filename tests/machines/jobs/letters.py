"""A task that is no work, such as an e-mail."""

import time
from pathlib import Path

from django_tasks import task


@task()
def letter_send(place: str) -> None:
    """Write down what happens. The first try hangs."""
    diary = Path(place)
    is_first = not diary.exists()
    with diary.open("a") as file:
        file.write("begun\n")
    if is_first:
        time.sleep(60)
    with diary.open("a") as file:
        file.write("sent\n")
