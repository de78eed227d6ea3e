"""Answers of uploaded models: the site's end of the locked runner."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from machines.serving.signature import Signature

ANSWER_SECONDS = 10.0  # of one call


class RunnerError(RuntimeError):
    """The model gave no usable answer. `reason`: "deadline", "memory", "crash", "busy", "input", "output", "load" or "lock"."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details  # for the log; may quote what the model said, so never shown as HTML


@dataclass(frozen=True)
class Hosted:
    """A model as the runner takes it. `loader` is "onnx", or the format of a model that answers natively."""

    loader: str
    content: Callable[[], bytes]  # read only when no process holds the model yet
    signature: Signature


class Runner:
    """The locked processes of this process, one per key. Safe to use from several threads."""

    def call(
        self, key: Hashable, hosted: Hosted, feed: Mapping[str, NDArray[Any]], *, seconds: float = ANSWER_SECONDS
    ) -> dict[str, NDArray[Any]]:
        """Return every output, [rows, ...], for `feed`, input name -> [rows, ...]. Raises RunnerError."""
        raise NotImplementedError

    def drop(self, key: Hashable) -> None:
        """End the process of a model that was replaced or deleted."""

    def close(self) -> None:
        """End all of them."""
