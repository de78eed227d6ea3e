"""What `train_csv` makes of a file before it learns. Pure: no database, no training."""

import time
from pathlib import Path

import numpy as np
import pytest

from machines.engine import table_file
from machines.engine.schema import DataType, Role
from machines.engine.splits import Split, SplitKind
from machines.engine.table_file import Wishes, load
from tests.machines.commands.conftest import write

pytestmark = pytest.mark.engine


def table(path: Path, rows: int = 200) -> Path:
    """`stars` few whole numbers, `twice` repeats `size`, `id` numbers the rows, `end` is what is proposed as output."""
    rng = np.random.default_rng(0)
    size, end = rng.normal(50, 9, rows), rng.integers(0, 2, rows)
    lines = [
        {
            "id": str(at + 1),
            "stars": str(rng.integers(1, 6)),
            "size": f"{size[at]:.3f}",
            "twice": f"{2 * size[at]:.3f}",
            "same": "x",
            "end": str(end[at]),
        }
        for at in range(rows)
    ]
    return write(path, lines)


def loaded(tmp_path: Path, seconds: float = 60.0, **wishes):
    found = load(table(tmp_path / "table.csv"), Wishes(**wishes), seconds, 0)
    return {column.name: column for column in found.schema.columns}, found


def test_the_chosen_output_is_typed_as_a_proposed_one_would_be(tmp_path: Path) -> None:
    columns, _ = loaded(tmp_path, outputs=["stars"])
    assert (columns["stars"].type, columns["stars"].role) == (DataType.LABEL, Role.OUTPUT)
    assert (columns["end"].type, columns["end"].role) == (DataType.FLOAT, Role.INPUT)
    assert columns["size"].role is columns["twice"].role is Role.INPUT


def test_columns_that_say_nothing_or_too_much_are_left_out_with_a_sentence(tmp_path: Path) -> None:
    columns, found = loaded(tmp_path, outputs=["size"])
    assert {name for name, column in columns.items() if column.role is Role.IGNORED} == {"id", "same", "twice"}
    sentences = [str(notice) for notice in found.notices]
    assert "“twice” was left out: It repeats the answer, so it would give the answer away." in sentences


def test_wishes_come_before_proposals(tmp_path: Path) -> None:
    wishes = {"outputs": ["end"], "ignored": ["size"], "types": {"id": DataType.FLOAT, "stars": DataType.LABEL}}
    columns, found = loaded(tmp_path, **wishes)
    assert columns["size"].role is Role.IGNORED
    assert columns["id"].role is Role.INPUT
    assert columns["stars"].type is DataType.LABEL
    assert "size" not in found.table
    assert set(found.table["stars"]) == set("12345")


def test_a_column_of_type_ignore_is_not_used(tmp_path: Path) -> None:
    columns, _ = loaded(tmp_path, outputs=["end"], types={"stars": DataType.IGNORE})
    assert columns["stars"].role is Role.IGNORED


def test_a_large_table_is_sampled_and_glanced_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["word,code," + ",".join(f"x{at}" for at in range(98)) + ",y"]
    for at in range(2000):
        numbers = ",".join(f"{value:.4f}" for value in rng.normal(0, 1, 98))
        lines.append(f"{'ab'[at % 2]},K{at},{numbers},{at % 3}")
    (tmp_path / "wide.csv").write_text("\n".join(lines), encoding="utf-8")
    started = time.monotonic()
    found = load(tmp_path / "wide.csv", Wishes(["y"]), 0.05, 0)
    assert time.monotonic() - started < 10
    columns = {column.name: column for column in found.schema.columns}
    assert (columns["y"].type, columns["y"].role) == (DataType.LABEL, Role.OUTPUT)
    assert columns["x97"].type is DataType.FLOAT
    assert columns["word"].type is DataType.LABEL
    assert columns["code"].role is Role.IGNORED
    assert len(found.table["y"]) == table_file.LEAST_ROWS
    sentences = " ".join(map(str, found.notices))
    assert "chosen at random" in sentences
    assert "looked at only briefly" in sentences


def test_a_sample_keeps_rows_whole_and_in_order(tmp_path: Path) -> None:
    raw = table_file.read_file(table(tmp_path / "table.csv", 1000))
    sample, notices = table_file._sample(raw, 300 * 6, 0)
    ids = [int(cell) for cell in sample.frame["id"]]
    assert sample.rows == len(ids) == 300
    assert ids == sorted(ids)
    assert sample.frame.row(5) == raw.frame.row(ids[5] - 1)
    assert len(notices) == 1
    assert table_file._sample(raw, 10**9, 0) == (raw, [])


def test_only_whole_rows_of_a_large_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.csv"
    path.write_text("word,y\n" + "".join(f'"a\n{at}",{at % 2}\n' for at in range(400)), encoding="utf-8")
    monkeypatch.setattr(table_file, "LEAST_BYTES", 2005)
    monkeypatch.setattr(table_file, "BYTES_PER_SECOND", 1)
    found = load(path, Wishes(["y"], types={"word": DataType.LABEL}), 60, 0)
    assert 150 < len(found.table["y"]) < 300
    assert found.table["word"][0] == "a\n0"
    assert any("Only the first" in str(notice) for notice in found.notices)


def test_the_column_that_keeps_rows_together_is_read_although_it_is_left_out(tmp_path: Path) -> None:
    columns, found = loaded(tmp_path, outputs=["end"], split=Split(SplitKind.GROUP, "id"))
    assert columns["id"].role is Role.IGNORED and found.table["id"][0] == "1"
    assert "id" not in loaded(tmp_path, outputs=["end"])[1].table
