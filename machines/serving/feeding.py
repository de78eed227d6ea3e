"""Named columns -> one tensor of an uploaded model, as the owner described it."""

from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from machines.engine.schema import Table
from machines.serving.signature import TEXT

WHOLE = 2.0**53  # beyond it a float64 does not hold every whole number


class Feed:
    """How one tensor is filled: `parts` are the words of inputs (machines.serving.words) with their place in a row."""

    def __init__(self, feed: Mapping[str, Any]) -> None:
        self.tensor: str = feed["tensor"]
        self.shape: tuple[int, ...] = tuple(feed["shape"])
        self.is_text = feed["dtype"] == TEXT
        self.dtype = np.dtype(object if self.is_text else feed["dtype"])
        self.parts: list[Mapping[str, Any]] = list(feed["parts"])
        self.width = sum(part["width"] for part in self.parts)
        self._numbers = [(p["name"], p["at"], p["fill"]) for p in self.parts if p["type"] != "choice"]
        self._choices = [_Choice(part) for part in self.parts if part["type"] == "choice"]
        self._offsets, self._scales = self._spread("offset", 0.0), self._spread("scale", 1.0)
        self._is_scaled = bool(self._offsets.any() or (self._scales != 1).any())

    def fill(self, table: Table, rows: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Return the tensor, [rows, *shape], and which rows are complete: None for all. The others hold anything."""
        values = np.empty((rows, self.width), dtype=object if self.is_text else np.float64)
        for name, at, fill in self._numbers:
            values[:, at] = self._column(table, name, fill)
        for choice in self._choices:
            choice.write(values, table.get(choice.name))
        if self.is_text:
            return values.reshape(rows, *self.shape), np.logical_and.reduce(values != "", axis=1)
        if self._is_scaled:
            values -= self._offsets
            values /= self._scales
        missing = np.isnan(values)
        if missing.any():
            return self._cast(np.where(missing, 0.0, values), rows), ~np.logical_or.reduce(missing, axis=1)
        return self._cast(values, rows), None

    def needed(self, table: Table, rows: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield each column that is not filled by itself with the rows [rows] where its value is missing."""
        for name, _at, fill in self._numbers:
            if fill is None:
                values = np.broadcast_to(self._column(table, name, None), (rows,))
                yield name, values == "" if self.is_text else np.isnan(values)
        for choice in self._choices:
            yield choice.name, choice.unknown(table.get(choice.name), rows)

    def _column(self, table: Table, name: str, fill: Any) -> Any:
        values = table.get(name)
        if self.is_text:
            return "" if values is None else values if fill is None else np.where(values == "", fill, values)
        if values is None:
            return nan if fill is None else fill
        return values if fill is None else np.where(np.isnan(values), fill, values)

    def _cast(self, values: NDArray[Any], rows: int) -> NDArray[Any]:
        if self.dtype.kind in "iu":
            bounds = np.iinfo(self.dtype)
            values = np.clip(np.rint(values), max(bounds.min, -WHOLE), min(bounds.max, WHOLE))
        elif self.dtype.kind == "b":
            values = values != 0
        with np.errstate(over="ignore"):  # what 32 bits do not hold becomes infinite
            return values.astype(self.dtype).reshape(rows, *self.shape)

    def _spread(self, key: str, neutral: float) -> NDArray[np.float64]:
        """Numbers are scaled, codes of labels are not."""
        scales = [(part[key] if part["type"] == "number" else neutral, part["width"]) for part in self.parts]
        return np.repeat([scale for scale, _ in scales], [width for _, width in scales])


class _Choice:
    """A label as its number, or as one 1 among zeros. One that the owner did not list is as good as missing."""

    def __init__(self, part: Mapping[str, Any]) -> None:
        self.name, self.at, self.width = part["name"], part["at"], part["width"]
        self.is_one_hot = part["encoding"] == "one_hot"
        self.codes = {label: float(code) for code, label in enumerate(part["labels"])}
        if part["fill"] is not None:
            self.codes[""] = self.codes[part["fill"]]

    def write(self, values: NDArray[Any], labels: NDArray[Any] | None) -> None:
        codes = self._coded(labels, len(values))
        if not self.is_one_hot:
            values[:, self.at] = codes
            return
        hot = (codes[:, None] == np.arange(self.width)).astype(np.float64)
        hot[np.isnan(codes)] = nan
        values[:, self.at : self.at + self.width] = hot

    def unknown(self, labels: NDArray[Any] | None, rows: int) -> NDArray[np.bool_]:
        return np.isnan(self._coded(labels, rows))

    def _coded(self, labels: NDArray[Any] | None, rows: int) -> NDArray[np.float64]:
        if labels is None:
            return np.full(rows, self.codes.get("", nan))
        return np.array([self.codes.get(label, nan) for label in labels], dtype=np.float64)
