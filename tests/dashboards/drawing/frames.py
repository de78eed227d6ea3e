"""Tables that figures are drawn of."""

import numpy as np
import polars as pl

from dashboards.drawing.figure import Field
from machines.engine.schema import DataType


def field(name: str, type: str = "FLOAT", unit: str = "") -> Field:
    return Field(name, DataType(type), unit)


def straight(rows: int = 500, seed: int = 0) -> pl.DataFrame:
    """y goes up with x, with noise; three rows lack one of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 10, rows)
    y = 3 * x + rng.normal(0, 20, rows)
    cells = pl.DataFrame({"x": x, "y": y})
    return cells.with_columns(
        pl.when(pl.int_range(pl.len()) < 2).then(None).otherwise(pl.col("x")).alias("x"),
        pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise(pl.col("y")).alias("y"),
    )
