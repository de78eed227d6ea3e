"""The child's end: loads one model, then answers until the socket closes. Here, and nowhere else, a stranger's bytes are read.

Nothing that is done here protects anybody: the model may have changed this code in memory. What protects is the lock around
this process, and that the other end believes nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.serving.locked import wire
from machines.serving.signature import Signature

CHUNK = 1024  # rows per run: bounds memory, and measured several times faster than all at once
OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "can't allocate memory", "MemoryError")


def serve(channel: int, loader: Any) -> None:
    """Load the model of the first frame, then answer one frame after the other, until the site goes or asks no more."""
    header, content = wire.receive(channel)
    try:
        signature = Signature.from_json(header["signature"])
        answer = loader.load(header["format"], bytes(content), signature)
        del content
    except Exception as error:
        wire.send(channel, wire.pack(_said(error, "load")))
        return
    wire.send(channel, wire.pack({}))
    while True:
        try:
            header, content = wire.receive(channel)
        except (EOFError, OSError):
            return
        try:
            reply = wire.pack({}, in_batches(answer, wire.tensors(header, content), signature))
        except Exception as error:
            reply = wire.pack(_said(error, "input"))
        wire.send(channel, reply)


def refuse(channel: int, reason: str, details: str) -> None:
    """Say why no model is loaded here."""
    wire.receive(channel)
    wire.send(channel, wire.pack({"error": reason, "details": details[:500]}))


def in_batches(answer: Any, feed: dict[str, NDArray[Any]], signature: Signature) -> dict[str, NDArray[Any]]:
    """Answer all rows, so many at a time as the model takes or as is fast; the last batch is filled up with its last row."""
    rows = len(next(iter(feed.values())))
    size = signature.batch or CHUNK
    if rows == size or (rows < size and not signature.batch):
        return _named(answer(feed), signature, rows)
    parts = []
    for start in range(0, rows, size):
        part = {name: array[start : start + size] for name, array in feed.items()}
        count = min(size, rows - start)
        if signature.batch and count < size:
            part = {n: np.concatenate([a, np.repeat(a[-1:], size - count, axis=0)]) for n, a in part.items()}
        parts.append(_named(answer(part), signature, count))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _named(outputs: Any, signature: Signature, rows: int) -> dict[str, NDArray[Any]]:
    return {tensor.name: np.asarray(outputs[tensor.name])[:rows] for tensor in signature.outputs}


def _said(error: Exception, reason: str) -> dict[str, str]:
    details = f"{type(error).__name__}: {error}"[:500]
    is_memory = isinstance(error, MemoryError) or any(words in details for words in OUT_OF_MEMORY)
    return {"error": "memory" if is_memory else reason, "details": details.encode("utf-8", "replace").decode()}
