"""A machine and a table of rows -> a CSV file of answers alone, a few rows at a time."""

from collections import Counter
from typing import IO

import numpy as np
import polars as pl

from machines.engine.reading import RawTable
from machines.engine.solving.answer import answer_rows
from machines.engine.solving.csv_cells import write_rows, write_titles
from machines.engine.solving.match import Match
from machines.serving.predictor import Predictor

CELLS = 1_000_000  # read at once


def write_answers(predictor: Predictor, raw: RawTable, match: Match, file: IO[bytes]) -> dict[str, int]:
    """Write one line per row, in order, below a line of titles; return how many cells of each column were unreadable."""
    unreadable: Counter[str] = Counter()
    step = max(256, CELLS // len(match.titles))
    for start in range(0, raw.rows, step):
        cells = pl.scan_parquet(raw.path).select(match.titles).slice(start, step).collect()
        answered = answer_rows(predictor, match, cells)
        unreadable.update({title: int(np.count_nonzero(cells)) for title, cells in answered.unreadable.items()})
        if start == 0:
            write_titles(answered.answers.columns, file)
        write_rows(answered.answers, file)
    return {name: count for name, count in unreadable.items() if count}
