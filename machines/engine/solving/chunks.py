"""Chunks of rows -> one file of answers each. What a process that was killed had answered is not answered again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from machines.engine.files import write_safely
from machines.engine.solving.answer import answer_rows
from machines.engine.solving.match import Match
from machines.engine.solving.problems import find_problems
from machines.engine.solving.rows import Rows
from machines.serving.uploaded import AnyPredictor

HALVES = (".*.part", "rows/.*.part")
OURS = ("rows.json", "rows/*.parquet", "answers-*.parquet", "problems-*.parquet")


def begin(folder: Path, what: Any) -> None:
    """Keep what lies in the folder only if it was begun for the same; halves of files go in any case."""
    folder.mkdir(parents=True, exist_ok=True)
    plan, text = folder / "plan.json", orjson.dumps(what, option=orjson.OPT_SORT_KEYS)
    is_same = plan.exists() and plan.read_bytes() == text
    for pattern in HALVES if is_same else (*HALVES, *OURS):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    if not is_same:
        write_safely(plan, text)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Chunks:
    """The rows in pieces of `step`, and the folder in which the answers to each piece get a file."""

    rows: Rows
    step: int
    folder: Path

    def __len__(self) -> int:
        return -(-self.rows.count // self.step)

    def answers(self, number: int) -> Path:
        return self.folder / f"answers-{number:05}.parquet"

    def problems(self, number: int) -> Path:
        """The file is there only if there are problems, and then before that of the answers."""
        return self.folder / f"problems-{number:05}.parquet"

    @property
    def left(self) -> list[int]:
        """The numbers of the chunks that are not answered yet."""
        return [number for number in range(len(self)) if not self.answers(number).exists()]

    @property
    def all_answers(self) -> list[Path]:
        return [self.answers(number) for number in range(len(self))]

    @property
    def all_problems(self) -> list[Path]:
        return [path for number in range(len(self)) if (path := self.problems(number)).exists()]

    def answer(self, predictor: AnyPredictor, match: Match, titles: Mapping[str, str], number: int) -> None:
        """Answer one chunk; `titles` says what the columns of the answers are called."""
        cells = self.rows.slice(number * self.step, self.step)
        answered = answer_rows(predictor, match, cells)
        problems = find_problems(cells, match, answered, number * self.step + 1)
        if problems.height:
            _write(problems, self.problems(number))
        _write(cells.drop(self.rows.added).hstack(answered.answers.rename(titles)), self.answers(number))


def _write(frame: pl.DataFrame, path: Path) -> None:
    packed = BytesIO()
    frame.write_parquet(packed, compression_level=1)
    write_safely(path, packed.getvalue())
