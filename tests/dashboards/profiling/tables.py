"""Tables as the storage holds them: every cell a text."""

import polars as pl

from dashboards.profiling.cells import read_cells
from dashboards.profiling.profile import profile
from machines.engine.schema import Column, DataType, Role


def text(value):
    return None if value is None or value != value else str(value)


def part(folder, name="a.parquet", **columns):
    path = folder / name
    frame = {
        column: pl.Series([text(value) for value in values], dtype=pl.String) for column, values in columns.items()
    }
    pl.DataFrame(frame).write_parquet(path)
    return path


def column(name, kind="FLOAT", role="input"):
    return Column(name, DataType(kind), Role(role))


def cells(folder, values, kind="FLOAT", name="x", role="input"):
    folder.mkdir(exist_ok=True, parents=True)
    return read_cells(
        [part(folder, f"{name}.parquet", **{name: list(values)})], column(name, kind, role), folder / "kept"
    )


def profiled(folder, columns, *tables):
    """The profile of tables that were added one after the other; `columns` is name -> (type, role)."""
    parts = [part(folder, f"{number}.parquet", **table) for number, table in enumerate(tables)]
    return profile(parts, [column(name, *about) for name, about in columns.items()], folder / "kept")


def warned(told):
    """What was warned of, and of which columns."""
    return [(warning["what"], *warning["columns"]) for warning in told["warnings"]]
