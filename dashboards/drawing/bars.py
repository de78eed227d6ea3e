"""Kind 13: a bar for each label, as long as its sum or its count of rows; a part of it drawn over it."""

from typing import Any

import polars as pl

from dashboards.drawing.facets import NOTHING
from dashboards.drawing.figure import OTHERS, ROWS, Drawing, Fields, Head, axis, figures, plain, shortened
from dashboards.drawing.sampling import LEFT_OUT, complete, folded, taken_together
from machines.engine.errors import DataError, Notice, gettext_noop

MOST_BARS = 30
HEIGHT, MARGIN = 22, 120  # pixels of a bar, and of what stands around all of them
SUM = gettext_noop("Each bar is the sum of “%(column)s”.")
COUNT = gettext_noop("Each bar counts the rows.")
PART = gettext_noop("The narrow bar is the sum of “%(column)s” over the same rows.")
LONGEST = gettext_noop("The %(most)s longest bars are shown; the rest of “%(column)s” is taken together at the end.")


def bars(frame: pl.LazyFrame, fields: Fields) -> Drawing:
    """The sum of x, or the count of rows, by label; stacked by hue, the sum of z over it. The longest bar comes first."""
    frame, rows, missing = complete(frame, *(place for place in ("x", "y", "hue") if place in fields))
    if not rows:
        raise DataError(NOTHING)
    hues, rules = list[str](), tuple[Notice, ...]()
    if "hue" in fields:
        frame, hues, rules = folded(frame, "hue", fields["hue"].name)
    names, found = lengths(frame, fields)
    told = _told(found, names, hues)
    traces = [_bar(told, names, at, hues) for at in range(len(hues) or 1)]
    if "z" in fields:
        traces.append(_part(told, names, fields, hues))
    said = (
        Notice(SUM, {"column": fields["x"].name}) if "x" in fields else Notice(COUNT),
        *((Notice(PART, {"column": fields["z"].name}),) if "z" in fields else ()),
        *((Notice(LONGEST, {"most": MOST_BARS, "column": fields["y"].name}),) if names[-1] == OTHERS else ()),
        *rules, *((Notice(LEFT_OUT, {"rows": missing}),) if missing else ()),
    )  # fmt: skip
    at = [*range(len(names))]
    layout = {
        "barmode": "relative", "bargap": 0.2, "showlegend": bool(hues) or "z" in fields,
        "height": MARGIN + HEIGHT * max(8, len(names)), "xaxis": axis(fields.get("x", ROWS)),
        # Places instead of labels: Plotly would lay two labels over each other that are the same when shortened.
        "yaxis": axis(fields["y"], tickvals=at, ticktext=[plain(name) for name in names], autorange="reversed"),
    }  # fmt: skip
    cells = [
        [shortened(name), *figures(row[: None if "z" in fields else -1])] for name, row in zip(names, told, strict=True)
    ]
    return Drawing(traces, layout, _heads(fields, hues), cells, said)


def lengths(frame: pl.LazyFrame, fields: Fields) -> tuple[list[str], pl.DataFrame]:
    """The labels, longest first, OTHERS for the rest; a row per label and hue with its length and its part."""
    length = (pl.col("x").sum() if "x" in fields else pl.len().cast(pl.Float64)).alias("length")
    part = (pl.col("z").sum() if "z" in fields else pl.lit(None, pl.Float64)).alias("part")
    sums = frame.group_by("y").agg(length).with_columns(pl.col("length").abs().alias("size"))
    longest = sums.top_k(MOST_BARS + 1, by=["size", "y"], reverse=[False, True]).collect()
    names = [str(label) for label in longest.sort(["size", "y"], descending=[True, False])["y"]]
    if len(names) > MOST_BARS:
        kept = [label for label in names if label != OTHERS][:MOST_BARS]
        frame, names = frame.with_columns(taken_together("y", kept)), [*kept, OTHERS]
    return names, frame.group_by("y", *(["hue"] if "hue" in fields else [])).agg(length, part).collect()


def _told(found: pl.DataFrame, labels: list[str], hues: list[str]) -> list[list[float | None]]:
    """For each bar: the length of every hue (None where it has no row), all of it where there are hues, the part."""
    told: list[list[float | None]] = []
    for label in labels:
        bar = found.filter(pl.col("y") == label)
        by_hue = dict(zip(bar["hue"], bar["length"], strict=True)) if hues else {}
        whole, part = float(bar["length"].sum()), float(bar["part"].sum())
        told.append([*(by_hue.get(hue) for hue in hues), whole, part])
    return told


def _bar(told: list[list[float | None]], names: list[str], at: int, hues: list[str]) -> dict[str, Any]:
    shown = [number for number in range(len(names)) if told[number][at] is not None]
    return {
        "type": "bar", "orientation": "h", "x": figures([told[number][at] for number in shown]), "y": shown,
        "text": [plain(names[number]) for number in shown], "textposition": "none", "hoverinfo": "text+x+name",
        "name": plain(hues[at]) if hues else "", "marker": {"color": f"@{at}/{0.8 if hues else 0.45}"},
        "showlegend": bool(hues),
    }  # fmt: skip


def _part(told: list[list[float | None]], names: list[str], fields: Fields, hues: list[str]) -> dict[str, Any]:
    """The narrow bars. With a base of their own they are laid over the others instead of being stacked on them."""
    return {
        "type": "bar", "orientation": "h", "x": figures([row[-1] for row in told]), "y": [*range(len(names))],
        "base": 0, "width": 0.35, "text": [plain(name) for name in names], "textposition": "none",
        "hoverinfo": "text+x+name", "name": plain(fields["z"].name), "marker": {"color": "@ink" if hues else "@0"},
    }  # fmt: skip


def _heads(fields: Fields, hues: list[str]) -> tuple[Head, ...]:
    whole = Head(fields["x"].name, unit=fields["x"].unit) if "x" in fields else Head("rows", is_word=True)
    part = (Head(fields["z"].name, unit=fields["z"].unit),) if "z" in fields else ()
    return (Head(fields["y"].name, fields["y"].type), *(Head(shortened(hue)) for hue in hues), whole, *part)
