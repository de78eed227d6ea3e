"""A good model in the site's own runner, which is asked again and again while something hostile goes on beside it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from machines.services.hosting import RUNNER
from machines.serving.locked.onnx_loader import IDENTITY
from machines.serving.locked.runner import Hosted
from machines.serving.signature import Signature, Tensor

KEY = ("a good model", "", "")
MODEL = Hosted("onnx", lambda: IDENTITY, Signature((Tensor("x", "float32", (1,)),), (Tensor("y", "float32", (1,)),), 1))
EVERY, PROMISED, WORST = 0.02, 0.1, 1.0  # seconds


@contextmanager
def answers_meanwhile() -> Iterator[None]:
    """Ask the good model from the first to the last moment of the block, every 20 ms; its answers come within 100 ms.

    One in fifty may take up to a second, for the two cores that test this also run other tests. Measured over all hostile
    files: 0.6 ms at the median, 9 ms at worst; 24 ms at worst beside another test process and four that only burn time.
    """
    _ask()  # which starts it: a cold model is another promise
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_ask_until, over)
        try:
            yield
        finally:
            over.set()
        took = asking.result()
    late = [seconds for seconds in took if seconds > PROMISED]
    assert len(late) <= len(took) / 50 and max(took) < WORST, late


def _ask_until(over: threading.Event) -> list[float]:
    took = [_ask()]
    while not over.wait(EVERY):
        took.append(_ask())
    return [*took, _ask()]


def _ask() -> float:
    began = time.monotonic()
    assert RUNNER.call(KEY, MODEL, {"x": np.ones((1, 1), np.float32)})["y"].tolist() == [[1]]
    return time.monotonic() - began
