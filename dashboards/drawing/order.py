"""Which values stand at given places when the rows of each group are sorted, exactly, without sorting them all.

After Floyd and Rivest 1975, doi 10.1145/360680.360691: a sample says between which two values each place must lie. Then one
pass counts the rows below, between and above; only those between are looked at one by one.
"""

from collections.abc import Callable, Collection
from math import ceil, floor, inf
from typing import Any

import numpy as np
import polars as pl

from dashboards.drawing.sampling import SEED

SAMPLE = 1_000_000  # rows
SURE = 5  # standard errors of a place in the sample; a miss is noticed, and costs a look at all rows

Values = dict[int, float]  # by place in the sorted rows, the lowest is 0


def order_statistics(
    frame: pl.LazyFrame, by: list[str], value: str, places: Callable[[int], Collection[int]]
) -> tuple[pl.DataFrame, list[Values]]:
    """The groups with their number of `rows`, and for each the values at the places that `places(rows)` names."""
    frame = frame.select(*by, value)
    counts = frame.group_by(by).agg(pl.len().alias("rows")).collect(engine="streaming")
    step = counts["rows"].sum() // SAMPLE
    some = frame.with_row_index("_row").filter(pl.col("_row").hash(SEED) % step == 0) if step > 1 else frame
    sorts = some.group_by(by).agg(pl.col(value).sort().alias("_sorted")).collect(engine="streaming")
    samples = counts.join(sorts, on=by, how="left", maintain_order="left")["_sorted"]
    wanted = [sorted(set(places(rows))) for rows in counts["rows"]]
    between = [
        _brackets(np.array([]) if sample is None else sample.to_numpy(), rows, each)
        for sample, rows, each in zip(samples, counts["rows"], wanted, strict=True)
    ]
    found = _picked(frame, value, counts, wanted, between)
    if any(picked != picked for group in found for picked in group.values()):  # NaN: a place was missed
        found = _picked(frame, value, counts, wanted, [[(-inf, inf)]] * len(wanted))
    return counts, found


def quantile(values: Values, rows: int, share: float) -> float:
    """By linear interpolation (Hyndman and Fan 1996, definition 7)."""
    place = (rows - 1) * share
    low, high = values[floor(place)], values[ceil(place)]
    return low + (high - low) * (place - floor(place))


def quartile_places(rows: int) -> list[int]:
    """The places that quartiles need."""
    return [end((rows - 1) * share) for share in (0.25, 0.5, 0.75) for end in (floor, ceil)]


def quartiles(frame: pl.LazyFrame, by: list[str], value: str) -> pl.DataFrame:
    """The groups with `rows`, `q1`, `median` and `q3`."""
    counts, found = order_statistics(frame, by, value, quartile_places)
    ends = {"q1": 0.25, "median": 0.5, "q3": 0.75}
    return counts.with_columns(
        pl.Series(name, [quantile(*of, share) for of in zip(found, counts["rows"], strict=True)], pl.Float64)
        for name, share in ends.items()
    )


def _brackets(sample: np.ndarray[Any, Any], rows: int, places: list[int]) -> list[tuple[float, float]]:
    """Between which values the places lie, from the lowest up, without overlap."""
    found: list[tuple[float, float]] = []
    for place in places:
        share, many = (place + 0.5) / rows, len(sample)
        error = SURE * (many * share * (1 - share)) ** 0.5 + SURE if many < rows else 0
        low, high = floor(share * many - error), floor(share * many + error)
        bracket = (float(sample[low]) if low >= 0 < many else -inf, float(sample[high]) if high < many else inf)
        if found and found[-1][1] >= bracket[0]:
            bracket = (found[-1][0], max(found.pop()[1], bracket[1]))
        found.append(bracket)
    return found


def _picked(
    frame: pl.LazyFrame,
    value: str,
    counts: pl.DataFrame,
    wanted: list[list[int]],
    between: list[list[tuple[float, float]]],
) -> list[Values]:
    """The values at the places; NaN for one that does not lie between the values where it should."""
    y, by = pl.col(value), counts.columns[:-1]
    most = max(map(len, between))
    whole = [[*each, *[(inf, inf)] * (most - len(each))] for each in between]
    edges = counts.select(by).with_columns(
        pl.Series(f"{name}{number}", [each[number][end] for each in whole], pl.Float64)
        for number in range(most)
        for end, name in enumerate(("_from", "_to"))
    )
    # Odd between two edges, even elsewhere.
    zone = pl.sum_horizontal(
        [
            (y >= pl.col(f"_from{number}")).cast(pl.Int32) + (y > pl.col(f"_to{number}")).cast(pl.Int32)
            for number in range(most)
        ]
    )
    counted = (
        frame.join(edges.lazy(), on=by).with_columns(zone.alias("_zone"))
        .group_by(*by, "_zone", pl.when(pl.col("_zone") % 2 == 1).then(y).alias("_at")).agg(pl.len().alias("_many"))
        .collect(engine="streaming").sort("_zone", "_at").group_by(by).agg("_at", pl.col("_many").cum_sum())
    )  # fmt: skip
    groups = counts.join(counted, on=by, how="left", maintain_order="left")
    found = []
    for at, many, places in zip(groups["_at"], groups["_many"], wanted, strict=True):
        here = at.to_numpy()[np.searchsorted(many.to_numpy(), places, side="right")]
        found.append(dict(zip(places, here.tolist(), strict=True)))
    return found
