"""A ZIP archive as a stream: made while it is sent, never whole in memory or on disk."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

CHUNK = 65_536  # bytes

Entry = tuple[str, Iterable[bytes]]  # the name of a file in the archive, and what is in it


class _Pipe:
    """Takes what the archive writes until somebody fetches it. It cannot go back, so the archive does not try."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self.waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def fetch(self) -> Iterator[bytes]:
        waiting, self.waiting = self.waiting, []
        yield from waiting


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of an archive of these entries; an entry's content is asked for when its turn comes."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, chunks in entries:
            with archive.open(name, "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk)
                    yield from pipe.fetch()
            yield from pipe.fetch()
    yield from pipe.fetch()


def chunks_of(place: Path) -> Iterator[bytes]:
    """Yield the content of a file. Raises OSError at the first chunk when it is not there."""
    with place.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def slices_of(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
