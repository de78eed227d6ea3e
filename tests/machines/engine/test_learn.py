"""Which candidates are fitted: whatever is tried and in whatever order, in the end there is a whole machine."""

import numpy as np
import pytest

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.schema import Column, DataType, Role, Schema

QUICK = Parameters(epochs=1, shape=(8,))


def five_outputs():
    """More than there are candidates without news in a row before the fitting ends: two simple models for each."""
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=60) for i in range(3)}
    columns = [Column(name, DataType.FLOAT) for name in table]
    for i in range(5):
        score = table[f"x{i % 3}"] + rng.normal(size=60)
        table[f"y{i}"] = np.where(score > 0, "up", "down").astype(object) if i % 2 else score
        columns.append(Column(f"y{i}", DataType.LABEL if i % 2 else DataType.FLOAT, Role.OUTPUT))
    return table, Schema(tuple(columns))


@pytest.mark.parametrize("stop_at", [99999, 3, 0], ids=["unhurried", "finished soon", "finished at once"])
def test_every_output_is_answered_however_many_there_are(stop_at):
    told, (table, schema) = [], five_outputs()
    fitted = fit(
        table, schema, level=1, deadline=60, seed=0, parameters=QUICK,
        on_progress=lambda progress: told.append(progress) or len(told) <= stop_at,
    )  # fmt: skip
    answers = fitted.predictor().predict({name: values[:4] for name, values in table.items()})
    assert [len(answer.values) for answer in answers] == [4] * 5
    assert all(sum(output.weights.values()) == pytest.approx(1, abs=0.001) for output in fitted.report.outputs)
