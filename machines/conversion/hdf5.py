"""Looks through an HDF5 file before Keras does: it must hold all of its data itself, and no more than it says."""

from io import BytesIO
from math import prod
from typing import Any

from machines.conversion.loaded import UNREADABLE, short
from machines.engine.errors import DataError, gettext_noop

MOST_BYTES = 2**30
MOST_RATIO = 200  # declared to stored
MOST_OBJECTS = 20_000

OUTSIDE = gettext_noop(
    "“%(name)s” in this file points to data outside of it. Save the model again with its weights inside."
)
BOMB = gettext_noop("“%(name)s” in this file declares more values than are stored in it. Save the model again.")
TOO_MANY = gettext_noop("This file holds more than %(most)s groups and arrays.")


def check(content: bytes) -> None:
    """Raise DataError for links to other files, virtual or external data sets, and data that are declared but not there."""
    import h5py

    try:
        with h5py.File(BytesIO(content), "r") as file:
            _check_links(h5py, file)
            _check_objects(h5py, file)
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise DataError(UNREADABLE, framework="HDF5", why=short(error)) from error


def _check_links(h5py: Any, file: Any) -> None:
    def look(name: str, link: Any) -> DataError | None:
        count.append(name)
        if len(count) > MOST_OBJECTS:
            return DataError(TOO_MANY, most=MOST_OBJECTS)
        return DataError(OUTSIDE, name=short(name)) if isinstance(link, h5py.ExternalLink) else None

    count: list[str] = []
    _raise(file.visititems_links(look))


def _check_objects(h5py: Any, file: Any) -> None:
    def look(name: str, item: Any) -> DataError | None:
        if not isinstance(item, h5py.Dataset):
            return None
        if item.is_virtual or item.external:
            return DataError(OUTSIDE, name=short(name))
        sizes.append(size := prod(item.shape or ()) * item.dtype.itemsize)
        is_bomb = sum(sizes) > MOST_BYTES or size > max(2**16, MOST_RATIO * item.id.get_storage_size())
        return DataError(BOMB, name=short(name)) if is_bomb else None

    sizes: list[int] = []
    _raise(file.visititems(look))


def _raise(error: DataError | None) -> None:
    """HDF5 ends its walk when it is given something; it does not carry what is raised."""
    if error is not None:
        raise error
