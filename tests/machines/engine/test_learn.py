"""Which candidates are fitted: whatever is tried and in whatever order, in the end there is a whole machine."""

import numpy as np
import pytest

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.schema import Column, DataType, Role, Schema

QUICK = Parameters(epochs=1, shape=(8,))


def nine_outputs(classes):
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=60) for i in range(3)}
    inputs = [Column(name, DataType.FLOAT) for name in table]
    for i in range(9):
        score = table[f"x{i % 3}"] + rng.normal(size=60)
        table[f"y{i}"] = np.where(score > 0, "up", "down").astype(object) if classes else score
    outputs = [Column(f"y{i}", DataType.LABEL if classes else DataType.FLOAT, Role.OUTPUT) for i in range(9)]
    return table, Schema((*inputs, *outputs))


@pytest.mark.parametrize("classes", [0, 2], ids=["numbers", "labels"])
@pytest.mark.parametrize("stop_at", [None, 0, 3], ids=["unhurried", "finished at once", "finished soon"])
def test_every_output_is_answered_however_many_there_are(classes, stop_at):
    told = []
    hurry = (lambda progress: told.append(progress) or len(told) <= stop_at) if stop_at is not None else None
    table, schema = nine_outputs(classes)
    fitted = fit(table, schema, level=1, deadline=60, seed=0, parameters=QUICK, on_progress=hurry)
    answers = fitted.predictor().predict({name: values[:5] for name, values in table.items()})
    assert len(answers) == 9 and all(len(answer.values) == 5 for answer in answers)
    assert all(sum(output.weights.values()) == pytest.approx(1, abs=0.001) for output in fitted.report.outputs)
