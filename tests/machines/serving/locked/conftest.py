"""Runners of odd models, and a look at what is left of them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from machines.serving.locked import runner as module
from machines.serving.locked.lock import Limits
from machines.serving.signature import Signature, Tensor

ODD = "tests.machines.serving.locked.odd_models"
X = Signature((Tensor("x", "float32", (1,)),), (Tensor("y", "float32", (1,)),))


def odd(name, loader="odd", signature=X):
    return module.Hosted(loader, name.encode, signature)


def rows(*values):
    return {"x": np.array(values, np.float32).reshape(-1, 1)}


def fails(runner, hosted, feed=None, **options):
    with pytest.raises(module.RunnerError) as caught:
        runner.call("model", hosted, rows(1) if feed is None else feed, **options)
    return caught.value.reason


def children(pid=None):
    """Processes that this one, or `pid`, has started, with theirs."""
    place = Path(f"/proc/{pid or os.getpid()}/task")
    try:
        found = [int(c) for task in place.iterdir() for c in (task / "children").read_text().split()]
    except OSError:
        return []
    return [*found, *(below for child in found for below in children(child))]


def gone(pids, seconds=5.0):
    """Whether all of these processes end within `seconds`."""
    deadline = time.monotonic() + seconds
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def zygotes() -> Iterator[module.Runner]:
    """One runner for the tests of a module: starting its zygote is most of their time."""
    before = set(children())
    runner = make_runner()
    yield runner
    runner.close()
    assert gone(set(children()) - before)


def make_runner(**changes):
    settings = {"limits": Limits(memory_mb=256), "loaders": dict.fromkeys(("odd-threads", "odd-import"), ODD)}
    loaders = settings["loaders"] | {"odd": ODD, "odd-fresh": ODD, "onnx": module.LOADERS["onnx"]}
    return module.Runner(**(settings | {"loaders": loaders} | changes))


@pytest.fixture
def runner(zygotes: module.Runner) -> Iterator[module.Runner]:
    """The runner without any model's process from another test."""
    yield zygotes
    for key in list(zygotes._places):
        zygotes.drop(key)
