"""When numbers are the names of classes. Light enough for the website: no polars."""

import re
from collections.abc import Iterable

MOST_CLASSES = 20  # whole numbers with so few different values are classes when they are the answer
YEARS = (1800, 2199)


def are_classes(distinct: int, median: float | None, high: float | None, values: Iterable[str]) -> bool:
    """Return whether an answer that holds numbers holds classes: few whole numbers that are no years.

    `values` are cells as written; the most frequent ones stand for all.
    """
    years = distinct > 2 and (median or 0) >= YEARS[0] and (high or 0) <= YEARS[1]
    return distinct <= MOST_CLASSES and not years and all(re.fullmatch(r"[-+]?[0-9]+(?:\.0+)?", v) for v in values)
