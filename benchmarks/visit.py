"""A site in this process and somebody who uses it, for measurements."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.test import Client

    from models import Machine


def open_site() -> "Client":
    """An empty site in this process, and somebody who is signed in."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from models import User

    call_command("run", "--prepare")
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_user("bench@example.org", "not asked for here"))
    return client


def upload_to_answer(client: "Client", path: Path) -> "tuple[Machine, float]":
    """Upload, confirm, train at level 1 and ask once; return the machine and the seconds that the computer took."""
    from django.utils import timezone

    from machines.jobs.runner import work_run
    from machines.services.training import latest_work
    from models import Work

    started = time.perf_counter()
    machine = uploaded(client, path)
    address = f"/machines/{machine.pk}/"
    client.get(f"{address}columns/")
    posted(client, f"{address}columns/", columns_answered(machine))
    work = latest_work(machine)
    assert work is not None, "the training did not start"
    work_run(work_id=work.pk)
    Work.objects.update(told_at=timezone.now())  # as a browser does a second after it has shown the news
    machine.refresh_from_db()
    ask(client, machine)
    return machine, time.perf_counter() - started


def uploaded(client: "Client", path: Path) -> "Machine":
    """Upload a table; a large one is read by a worker, which is this process."""
    from machines.jobs.runner import work_run
    from machines.services.rows import latest_reading
    from models import Machine

    with path.open("rb") as file:
        posted(client, "/machines/new/", {"file": file})
    machine = Machine.objects.latest("pk")
    reading = latest_reading(machine)
    if reading:
        work_run(work_id=reading.pk)
        machine.refresh_from_db()
    return machine


def posted(client: "Client", address: str, data: dict[str, Any]) -> None:
    """Send a form that has to be accepted."""
    response = client.post(address, data)
    if response.status_code != 302:
        raise SystemExit(f"{address} answered {response.status_code}")


def columns_answered(machine: "Machine") -> dict[str, Any]:
    """The column page's form as it is shown, with the button for training."""
    from machines.forms.data import ColumnForm

    data: dict[str, Any] = {"level": 1, "train": "1"}
    for column in machine.columns.all():
        form = ColumnForm(instance=column, prefix=str(column.pk))
        data |= {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    return data


def answers_of(machine: "Machine") -> dict[str, Any]:
    """Something to ask: the middle of each input's range."""
    from machines.services.predictions import description_of

    return {f"c{at}": str(item.get("median") or "") for at, item in enumerate(description_of(machine)["inputs"])}


def ask(client: "Client", machine: "Machine") -> None:
    address, data = f"/machines/{machine.pk}/predict/", answers_of(machine)
    response = client.post(address, data, headers={"HX-Request": "true"})
    if response.status_code != 200 or b"answer" not in response.content:
        raise SystemExit(f"{address} gave no answer")
