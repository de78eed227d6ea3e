"""What the column page says of a column: samples, reasons, and which column it proposes as the answer."""

import polars as pl
import pytest

from machines.engine.columns.profile import profile_table
from machines.engine.reading import RawTable, ReadOptions
from machines.engine.schema import Role
from machines.forms.data import ColumnForm
from machines.presenters import SAMPLES_LENGTH, ColumnRow
from models import Column

ROWS = 60


def profiles(**cells):
    frame = pl.DataFrame(
        {name: pl.Series([v or None for v in values], dtype=pl.String) for name, values in cells.items()}
    )
    return {p.name: p for p in profile_table(RawTable.from_frame(frame), ReadOptions(delimiter=","))}


X = [f"{at * 7 % 41}.5" for at in range(ROWS)]


def test_one_value_is_never_proposed_as_the_answer():
    unit = ["dollars"] * (ROWS - 1) + [""]  # a line of notes at the end leaves the last cell empty
    flags = ["estimated", ""] * (ROWS // 2)
    roles = {name: p.role for name, p in profiles(unit=unit, x=X, y=X[::-1], flags=flags).items()}
    assert roles == {"unit": Role.INPUT, "x": Role.INPUT, "y": Role.OUTPUT, "flags": Role.INPUT}


def test_samples_are_values():
    assert profiles(x=["N/A", "-", *X[2:]])["x"].samples[:2] == ("14.5", "21.5")


def test_whole_numbers_are_not_rounded():
    assert str(profiles(x=[str(1_484_705 - at * 1_001) for at in range(ROWS)])["x"].reason).endswith("to 1484705")


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        (["2,6", "2,0"], "2,6 · 2,0"),
        (["a", "b", "c", "d", "e"], "a · b · c · d"),
        (["x" * 80, "y" * 80], "x" * 80),
        ([], ""),
    ],
)
def test_samples_are_told_apart_and_short(samples, shown):
    column = Column(name="x", type="LABEL", profile={"samples": samples})
    words = ColumnRow(column, ColumnForm(instance=column)).samples
    assert words == shown and len(words) <= SAMPLES_LENGTH + 9
