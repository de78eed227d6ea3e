"""A table of rows such as an uploaded model takes: read for names, types and ranges, and not kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from machines import storage
from machines.services.reading import read_in_child
from machines.serving.description import Sample

MOST_ROWS = 1000


def sample_read(*, file_name: str, chunks: Iterable[bytes]) -> Sample:
    """Return header -> cells of the first rows, numbers written with a decimal point. Raises DataError."""
    folder = storage.new_folder("works")
    try:
        source = folder / "source"
        storage.write_whole(source, chunks)
        request = {"path": str(source), "name": file_name, "options": {}, "folder": str(folder)}
        reading = read_in_child(request | {"preview_rows": MOST_ROWS})
    finally:
        storage.remove_folder(folder)
    return {
        profile["name"]: [_plain(row[at], profile) for row in reading["preview"]]
        for at, profile in enumerate(reading["columns"])
    }


def _plain(cell: str | None, profile: Mapping[str, Any]) -> str:
    """Return a cell as Python reads it, whatever marks the file uses."""
    number = profile.get("readings", {}).get("FLOAT") if profile["type"] == "FLOAT" else None
    if not cell or not number:
        return cell or ""
    marks = number.get("format", {})
    return cell.replace(marks.get("thousands") or "\0", "").replace(marks.get("decimal", "."), ".").strip()
