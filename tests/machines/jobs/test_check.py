"""The check of an uploaded model outlives the worker that did it."""

import signal

import pytest

from models import ModelVersion
from models.work import WorkState
from tests.factories import make_user
from tests.machines.jobs.workers import children, is_alive, now, wait_until
from tests.machines.uploaded import chance_onnx, check_of, upload


@pytest.mark.parametrize("ballast", [0, 20_000_000])
def test_it_works(fleets, ballast):
    """Its worker is killed in the middle: another one checks the file, once, and nothing of the first is left."""
    version = upload(make_user(), chance_onnx(ballast=ballast))
    work, fleet = check_of(version), fleets()
    (first,) = fleet.start()
    wait_until(lambda: now(work).state is WorkState.PROCESSING and children(first), 20)
    child = children(first)[0]
    fleet.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_alive(child), 10)
    assert ModelVersion.objects.get(pk=version.pk).state == "checking"
    fleet.start()
    wait_until(lambda: now(work).state is WorkState.FINISHED, 30)
    version = ModelVersion.objects.select_related("machine").get(pk=version.pk)
    assert (version.state, version.machine.uploaded_version) == ("ready", version)
    assert now(work).attempts == 2
