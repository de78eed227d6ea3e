"""The same seed and level give the same figures, in whichever process."""

import json
import os
import subprocess
import sys

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.schema import Schema
from tests.machines.engine.tables import few_candidates, make_table

ALONE = (
    "from tests.machines.engine.test_same_seed import figures; import json, torch; "
    "torch.set_num_threads(1); torch.set_flush_denormal(True); print(json.dumps(figures()))"
)


def figures():
    """The holdout figures of the output, and what its answer is blended from."""
    table, schema = make_table(60)
    schema = Schema(tuple(column for column in schema.columns if column.name != "price"))
    with few_candidates():
        told = fit(table, schema, level=1, deadline=600, seed=3, parameters=Parameters(epochs=1, shape=(4,))).report
    return [[output.weights, {name: m.value for name, m in output.holdout.items()}] for output in told.outputs]


def test_it_works():
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(other.stdout) == json.loads(json.dumps(figures()))
