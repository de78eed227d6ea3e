"""From the number of a kind to the function that draws it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

import polars as pl

from dashboards.drawing.figure import Drawing, Fields

Draw = Callable[[pl.LazyFrame, Fields], Drawing]

# By name: a process that draws one kind need not load what the others use.
DRAWN_BY: Mapping[int, tuple[str, str]] = MappingProxyType({
    1: ("scatter", "scatter"), 2: ("timeseries", "timeseries"), 3: ("hexbin", "hexbin"),
    4: ("stacked", "stacked_histogram"), 5: ("bivariate", "bivariate"), 6: ("scatter", "scatter_continuous"),
    7: ("regression", "regression"), 8: ("boxes", "grouped_boxplots"), 9: ("violins", "split_violins"),
    10: ("means", "three_way"), 11: ("letter_values", "letter_values"), 12: ("boxes", "horizontal_boxplot"),
    13: ("bars", "bars"),
})  # fmt: skip


def draw(kind: int, frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """Draw one of the kinds of `kinds.KINDS`: `frame` has one column per place. Raises DataError, KeyError."""
    module, name = DRAWN_BY[kind]
    return cast(Draw, getattr(import_module(f"dashboards.drawing.{module}"), name))(frame, fields)
