"""Train and save the machines of one edition of the corpus: `python -m tests.machines.engine.corpus.make_corpus 3`."""

import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import orjson
import torch

from machines.engine import fit, learn
from machines.engine.parameters import Parameters
from machines.engine.schema import Column, DataType, Schema
from machines.serving.predictor import answers_to_columns
from tests.machines.engine.tables import COLUMNS, LABEL, NUMBER, make_table, simple_table, strange_rows

FOLDER = Path(__file__).parent
ROWS = 12  # that are asked; strange ones come on top
FOLDS = 2  # small files, but models of several folds
SMALL = Parameters(shape=(6,), epochs=12)
NUMBERS, EVERYTHING = simple_table(60), make_table(60)
BINARY, THREE = simple_table(60, classes=2), simple_table(60, classes=3)
CITY = Schema((Column("city", DataType.LABEL), Column("size", DataType.FLOAT), LABEL))
MIXED = Schema((*COLUMNS, NUMBER, LABEL))
MACHINES = {  # what is fitted beside the network that answers incomplete rows -> the table, and what its columns are
    "linear": (("linear",), BINARY),
    "network": (("network",), BINARY),
    "pieces": (("network in pieces",), NUMBERS),
    "ensemble": (("ensemble network",), BINARY),
    "boosting": (("boosting 8",), THREE),
    "forest": (("forest",), (EVERYTHING[0], CITY)),
    "process": (("process by evidence",), BINARY),
    "oblique": (("boosting oblique",), BINARY),
    "everything": (("linear", "boosting 8", "forest", "network in pieces"), (EVERYTHING[0], MIXED)),
}


def make(name, edition):
    """Train one machine, and write it with rows and what it answers to them. Never writes over a file."""
    wanted, (table, schema) = MACHINES[name]
    all_recipes = learn.recipes

    def recipes(*args):
        # "boosting 8 0" is boosting 8 of output 0; networks answer all outputs at once.
        return [r for r in all_recipes(*args) if r.name in wanted or r.name[:-2] in wanted]

    with patch.object(learn, "recipes", recipes), patch.object(fit, "_fold_count", lambda *args: FOLDS):
        fitted = fit.fit(table, schema, level=1, deadline=30, seed=edition, parameters=SMALL)
    rows = {c.name: table[c.name][:ROWS] for c in schema.inputs}
    if schema is MIXED:
        strange = strange_rows()
        rows = {name: np.concatenate([cells, strange[name]]) for name, cells in rows.items()}
    answers = answers_to_columns(fitted.predictor().predict(rows))
    asked = {name: [str(cell) for cell in cells] for name, cells in rows.items()}  # JSON knows no infinity
    place = FOLDER / f"{edition}-{name}.onnx"
    with place.open("xb") as file:
        file.write(fitted.onnx)
    place.with_suffix(".json").write_bytes(orjson.dumps({"rows": asked, "answers": answers}))
    print(place.name, len(fitted.onnx) // 1000, "kB", [dict(output.weights) for output in fitted.report.outputs])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[2:] or MACHINES:
        make(name, int(sys.argv[1]))
