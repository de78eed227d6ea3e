"""Files packed into one ZIP archive in a process of its own: `python -m machines.engine.pack_job`. See machines.engine.job.

The request: {"files": [[name in the archive, path], ...], "archive": path}. The archive is there whole or not at all. Files
that are not there are named in its missing.json.
"""

import errno
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

from machines.engine.errors import DataError, Notice, gettext_noop
from machines.engine.files import whole
from machines.engine.job import Parent, serve

CHUNK = 2**18  # bytes in memory
OFTEN = 0.34  # seconds between two lines about progress, at least
MISSING = "missing.json"
PACKING = gettext_noop("Packing the files")
TOO_LARGE = gettext_noop("This is more than one file may hold here. Ask who runs the site.")


class Progress:
    """Tells the parent how much is packed, by bytes, not too often."""

    def __init__(self, parent: Parent, total: int) -> None:
        self.parent, self.total, self.done = parent, total, 0
        self.began, self.told = monotonic(), -OFTEN

    def add(self, count: int) -> None:
        self.done += count
        now = monotonic()
        if now - self.told >= OFTEN:
            self.told = now
            share = min(1.0, self.done / max(1, self.total))
            seconds_left = (now - self.began) * (1 - share) / share if share else None
            message = Notice(PACKING).to_json()
            self.parent.tell({"share": round(share, 4), "message": message, "seconds_left": seconds_left})


def run(request: dict[str, Any], parent: Parent) -> dict[str, int]:
    """Pack and return how many bytes the archive has, how many files are in it and how many were not there."""
    files = [(name, Path(place)) for name, place in request["files"]]
    archive = Path(request["archive"])
    progress = Progress(parent, sum(_size(place) for _name, place in files))
    try:
        with whole(archive) as temporary:
            missing = pack(files, temporary, progress)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise DataError(TOO_LARGE) from error
    return {"bytes": archive.stat().st_size, "files": len(files) - len(missing), "missing": len(missing)}


def pack(files: Iterable[tuple[str, Path]], place: Path, progress: Progress) -> list[str]:
    """Write the archive a chunk at a time; return the names of what was not there."""
    missing = []
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in files:
            try:
                file = source.open("rb")
            except FileNotFoundError:
                missing.append(name)
                continue
            with file, archive.open(name, "w", force_zip64=True) as member:
                while chunk := file.read(CHUNK):
                    member.write(chunk)
                    progress.add(len(chunk))
        if missing:
            archive.writestr(MISSING, orjson.dumps(missing))
    return missing


def _size(place: Path) -> int:
    with suppress(FileNotFoundError):
        return place.stat().st_size
    return 0


if __name__ == "__main__":
    serve(run)
