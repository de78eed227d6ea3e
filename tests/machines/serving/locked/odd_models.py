"""A loader of models that misbehave: the content is the name of one, and it doubles what it is asked unless told otherwise."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import orjson

from machines.serving.locked import wire
from machines.serving.locked.wire import PREFIX


def can_fork(format_name):
    return format_name != "odd-fresh"


def warm_up(format_name):
    if format_name == "odd-threads":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    if format_name == "odd-import":
        raise ImportError("no such library")


def load(format_name, content, signature):
    name = content.decode()
    if name == "does not load":
        raise ValueError("not a model")
    model = globals()[name]
    memory = []

    def answer(feed):
        return model(feed["x"], memory)

    return answer


def double(x, memory):
    return {"y": x * 2}


def remember(x, memory):
    """Answer with what was asked before, -1 where nothing was."""
    memory.append(x)
    return {"y": memory[-2][: len(x)] if len(memory) > 1 else np.full_like(x, -1)}


def sleep(x, memory):
    time.sleep(float(x[0, 0]))
    return {"y": x}


def leave(x, memory):
    os._exit(1)


def answer_and_stay(x, memory):
    """As sleep, but it does not care whether anybody is there any more."""
    time.sleep(0.5)
    for part in wire.pack({}, {"y": x}):
        os.write(3, part)
    time.sleep(60)


def refuse(x, memory):
    if x[0, 0] < 0:
        raise ValueError("negative")
    return {"y": x}


def memory(x, memory):
    return {"y": np.ones(2**40)}


def count_batches(x, memory):
    memory.append(len(x))
    return {"y": np.full_like(x, len(memory) + len(x) / 10000)}


def nan(x, memory):
    return {"y": np.full_like(x, np.nan)}


def other_name(x, memory):
    return {"z": x}


def other_type(x, memory):
    return {"y": x.astype(np.float64)}


def other_rows(x, memory):
    return {"y": np.zeros((len(x) - 1, 1), np.float32)}


def other_width(x, memory):
    return {"y": np.zeros((len(x), 2), np.float32)}


def write(header, body=b"", body_size=None):
    head = header if isinstance(header, bytes) else orjson.dumps(header)
    os.write(3, PREFIX.pack(len(head), len(body) if body_size is None else body_size) + head + body)
    time.sleep(60)


def garbage(x, memory):
    os.write(3, os.urandom(100))
    time.sleep(60)


def no_json(x, memory):
    write(b"\xff{")


def no_object(x, memory):
    write([1])


def deep_json(x, memory):
    write(b"[" * 100_000)


def huge_claim(x, memory):
    write({"tensors": [["y", "float32", [2**62, 4], 0]]})


def negative_claim(x, memory):
    write({"tensors": [["y", "float32", [-1, -4], 16]]}, bytes(16))


def nothing_in_a_large_shape(x, memory):
    write({"tensors": [["y", "float32", [0, 2**63 - 1, 2**63 - 1], 0]]})


def writes_later(x, memory):
    """Fill the folder with empty folders in one another, as many as nobody needs."""

    def write_on():
        time.sleep(0.2)
        for _ in range(21_000):
            Path("a" * 20).mkdir()
            os.chdir("a" * 20)

    threading.Thread(target=write_on, daemon=True).start()
    return {"y": x}


def infinite_body(x, memory):
    write({}, body_size=2**64 - 1)


def object_array(x, memory):
    write({"tensors": [["y", "object", [1, 1], 8]]}, bytes(8))


def overlong_body(x, memory):
    write({"tensors": [["y", "float32", [1, 1], 4]]}, bytes(16))


def two_of_a_name(x, memory):
    write({"tensors": [["y", "float32", [1, 1], 4]] * 2}, bytes(16))


def two_frames(x, memory):
    head = orjson.dumps({"tensors": []})
    os.write(3, 2 * (PREFIX.pack(len(head), 0) + head))
    time.sleep(60)


def dribble(x, memory):
    os.write(3, PREFIX.pack(1000, 0))
    while True:
        os.write(3, b" ")
        time.sleep(0.01)


def own_reason(x, memory):
    write({"error": "<b>secret</b>", "details": {"a": 1}})


def same(x, memory):
    return {"x": x}


def hold(x, memory):
    """Keep so many megabytes more."""
    memory.append(np.ones(int(x[0, 0]) * 2**20, np.uint8))
    return {"y": x}
