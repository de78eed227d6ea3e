"""Tables with labels, ordinary and awkward."""

import numpy as np
import orjson
import polars as pl
import pytest

from dashboards.drawing.figure import MOST_BYTES, MOST_POINTS
from machines.engine.errors import DataError
from tests.dashboards.drawing.frames import field

FIELDS = {"x": field("class", "LABEL"), "y": field("price <b>", unit="EUR"), "hue": field("sex", "LABEL"),
          "col": field("town", "LABEL"), "row": field("year", "LABEL")}  # fmt: skip


def labelled(rows=900, seed=0):
    """y depends on x and on x with hue; unbalanced, two rows lack a value; the shares fix the order of labels."""
    rng = np.random.default_rng(seed)
    x, hue = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2]), rng.choice(["f", "m"], rows, p=[0.6, 0.4])
    col, row = rng.choice(["P", "Q"], rows, p=[0.7, 0.3]), rng.choice(["1", "2"], rows, p=[0.7, 0.3])
    y = rng.standard_t(3, rows) + 2 * (x == "b") + (hue == "m") * (x == "c") + 0.15 * (col == "Q")
    frame = pl.DataFrame({"x": x, "y": y, "hue": hue, "col": col, "row": row}).with_row_index("n")
    frame = frame.with_columns(pl.when(pl.col("n") != 3).then("y"), pl.when(pl.col("n") != 4).then("x"))
    return frame.drop("n")


def only(frame, *places):
    """The frame as a kind gets it, and what stands on its places."""
    return frame.select(places).lazy(), {place: FIELDS[place] for place in places}


_many = np.arange(30_000)
AWKWARD = {
    "one row": pl.DataFrame({"x": ["a"], "y": [1.0], "hue": ["f"], "col": ["P"], "row": ["1"]}),
    "one label": labelled(50).with_columns(x=pl.lit("a"), hue=pl.lit("f"), col=pl.lit("P"), row=pl.lit("1")),
    "constant": labelled(50).with_columns(y=pl.lit(0.1)),
    "two rows of each": labelled(24).unique(["x", "hue"]),
    "thousands of labels": pl.DataFrame({
        "x": [f"{'long ' * 300}{n % 3001}" for n in _many], "y": np.random.default_rng(1).standard_cauchy(30_000),
        "hue": [f"<b>{'long ' * 300}{n % 2003}" for n in _many], "col": [f"others{n % 11}" for n in _many],
        "row": [f"{n % 13}" for n in _many],
    }),
    "named others": pl.DataFrame({"x": ["others"] * 9 + [f"{n}" for n in range(40)], "y": np.arange(49.0)})
    .with_columns(hue="x", col="x", row="x"),
    "powers": labelled(60).with_columns(y=10.0 ** (pl.int_range(pl.len()) * 9 - 250)),
    "categorical": labelled().with_columns(pl.col("x", "hue", "col", "row").cast(pl.Categorical)),
}  # fmt: skip
awkward = pytest.mark.parametrize("frame", AWKWARD.values(), ids=AWKWARD)


def sound(drawing):
    """Whether a figure keeps to its bounds."""
    told = drawing.to_json()
    points = sum(len(trace.get("x", [])) for trace in told["traces"] if trace["type"] != "box")
    is_square = all(len(row) == len(told["heads"]) for row in told["rows"])
    return (
        is_square and bool(told["rows"]) and points <= MOST_POINTS and len(orjson.dumps(told)) < 0.8 * MOST_BYTES
        and "<b>" not in str(told["traces"]) + str(told["layout"])
    )  # fmt: skip


def refused(draw, *places):
    """Whether no rows, and rows without a value, are an error in words."""
    for frame in (labelled(0), labelled(9).with_columns(y=pl.lit(None, pl.Float64))):
        with pytest.raises(DataError, match="No row has a value"):
            draw(*only(frame, *places))
    return True
