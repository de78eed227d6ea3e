"""What the site and a locked process say to each other: frames of a JSON header and the raw bytes of arrays.

    frame: length of the header (4 bytes), of the body (8 bytes), the header, the body
    header: {"tensors": [[name, dtype, shape, bytes], ...], ...}
    body: the arrays one after the other, each padded to 8 bytes; texts as one JSON list

Both ends read and write with `readv` and `writev` alone: a locked process may do no more with a socket. The site's end does
not block and keeps a deadline. Every length in a frame is a claim of the other end: it is measured before it is believed.
"""

import os
import select
import struct
import time
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from machines.serving.signature import TEXT

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Header: TypeAlias = dict[str, Any]
Part: TypeAlias = bytes | memoryview

PREFIX = struct.Struct("<IQ")
MOST_HEADER = 2**20
READ = 2**16  # one read takes a whole small frame
MOST_TEXT = 2**24  # bytes of one array of texts: five million empty ones take a hundred megabytes
MOST_PARTS = 512  # of one writev; the system takes 1,024
_WIDTHS = {"float": (16, 32, 64), "int": (8, 16, 32, 64), "uint": (8, 16, 32, 64)}
DTYPES = {f"{kind}{width}": np.dtype(f"{kind}{width}") for kind, widths in _WIDTHS.items() for width in widths}
DTYPES["bool"] = np.dtype(bool)


class WireError(ValueError):
    """The other end does not keep to the protocol."""


def pack(header: Header, arrays: Arrays | None = None, content: Part = b"") -> list[Part]:
    """Return a frame as the pieces to write: `arrays`, or else `content` as it is."""
    parts: list[Part] = [content] if content else []
    entries = []
    for name, array in (arrays or {}).items():
        data = _bytes_of(array)
        entries.append([name, TEXT if array.dtype == object else array.dtype.name, array.shape, len(data)])
        parts += [data, bytes(-len(data) % 8)]
    head = orjson.dumps(header | {"tensors": entries})
    return [PREFIX.pack(len(head), sum(map(len, parts))) + head, *(part for part in parts if part)]


def tensors(header: Header, body: memoryview) -> dict[str, NDArray[Any]]:
    """Return the arrays of a frame; they share the memory of `body`. Raises WireError."""
    arrays: dict[str, NDArray[Any]] = {}
    at = 0
    for name, dtype, shape, size in _entries(header):
        if at + size > len(body):
            raise WireError("the body is shorter than its arrays")
        try:
            arrays[name] = _array(dtype, shape, body[at : at + size])
        except WireError:
            raise
        except (ValueError, OverflowError) as error:  # no values at all, in a shape beyond numpy's
            raise WireError(f"an array of {list(shape)[:8]}") from error
        at += size + -size % 8
    if at != len(body):
        raise WireError("the body is longer than its arrays")
    return arrays


def send(fd: int, parts: Sequence[Part], deadline: float | None = None) -> None:
    """Write a frame. Raises TimeoutError at `deadline` (time.monotonic) and OSError where nobody reads."""
    left = [memoryview(part) for part in parts]
    while left:
        try:
            written = os.writev(fd, left[:MOST_PARTS])
        except BlockingIOError:
            _wait(fd, select.POLLOUT, deadline)
            continue
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


def receive(fd: int, *, most: int | None = None, deadline: float | None = None) -> tuple[Header, memoryview]:
    """Read one frame whose body has at most `most` bytes; nothing may follow it. Raises WireError, TimeoutError, EOFError."""
    start = bytearray()
    while len(start) < PREFIX.size:
        start += _read(fd, READ, deadline)
    head_size, body_size = PREFIX.unpack_from(start)
    if head_size > MOST_HEADER or (most is not None and body_size > most):
        raise WireError(f"a frame of {head_size} and {body_size} bytes")
    whole = PREFIX.size + head_size + body_size
    if len(start) > whole:
        raise WireError("more than one frame")
    frame = memoryview(start if len(start) == whole else _rest(fd, start, whole, deadline))
    head = frame[PREFIX.size : PREFIX.size + head_size]
    return _header(head), frame[PREFIX.size + head_size :]


def _rest(fd: int, start: bytearray, whole: int, deadline: float | None) -> bytearray:
    frame = bytearray(whole)
    frame[: len(start)] = start
    view, at = memoryview(frame), len(start)
    while at < whole:
        try:
            count = os.readv(fd, [view[at:]])
        except BlockingIOError:
            _wait(fd, select.POLLIN, deadline)
            continue
        if not count:
            raise EOFError
        at += count
        _check(deadline)
    return frame


def _read(fd: int, most: int, deadline: float | None) -> bytes:
    while True:
        try:
            data = os.read(fd, most)
        except BlockingIOError:
            _wait(fd, select.POLLIN, deadline)
            continue
        if not data:
            raise EOFError
        return data


def _wait(fd: int, event: int, deadline: float | None) -> None:
    if deadline is None:  # the locked end blocks, unless nobody has asked it for longer than its socket waits
        raise TimeoutError
    poll = select.poll()
    poll.register(fd, event)
    poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
    _check(deadline)


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutError


def _header(data: memoryview) -> Header:
    try:
        header = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise WireError(f"a header that is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise WireError("a header that is no object")
    return header


def _entries(header: Header) -> list[tuple[str, str, tuple[int, ...], int]]:
    entries = header.get("tensors")
    if not isinstance(entries, list) or not all(isinstance(entry, list) and len(entry) == 4 for entry in entries):
        raise WireError("a header without a list of arrays")
    for name, dtype, shape, size in entries:
        if not (isinstance(name, str) and isinstance(dtype, str) and isinstance(shape, list) and len(shape) <= 32):
            raise WireError("an array that is not described")
        if not all(type(number) is int and number >= 0 for number in (*shape, size)):
            raise WireError("a size that is no number")
    if len({entry[0] for entry in entries}) < len(entries):
        raise WireError("two arrays of one name")
    return [(name, dtype, tuple(shape), size) for name, dtype, shape, size in entries]


def _array(dtype: str, shape: tuple[int, ...], data: memoryview) -> NDArray[Any]:
    if dtype == TEXT:
        return _texts(shape, data)
    kind = DTYPES.get(dtype)
    if kind is None or prod(shape) * kind.itemsize != len(data):  # Python's numbers do not overflow
        raise WireError(f"{len(data)} bytes that are not {list(shape)} of {dtype[:20]}")
    if kind == np.bool_:  # a byte that is neither 0 nor 1 would be a boolean that is neither
        return np.frombuffer(data, np.uint8).reshape(shape).astype(bool)
    return np.frombuffer(data, kind).reshape(shape)


def _texts(shape: tuple[int, ...], data: memoryview) -> NDArray[Any]:
    if len(data) > MOST_TEXT:
        raise WireError(f"{len(data)} bytes of texts")
    try:
        values = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise WireError(f"texts that are no JSON: {error}") from error
    if not isinstance(values, list) or len(values) != prod(shape) or not all(type(v) is str for v in values):
        raise WireError(f"texts that are not {list(shape)}")
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _bytes_of(array: NDArray[Any]) -> Part:
    if array.dtype == object:
        return orjson.dumps([str(value) for value in array.reshape(-1).tolist()])
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""
