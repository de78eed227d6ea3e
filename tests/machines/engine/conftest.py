"""Machines that many tests look at, trained once."""

import pytest
import torch

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from tests.machines.engine.tables import make_table

QUICK = Parameters(epochs=2, shape=(32,))


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Count as the processes do that train, so that what they do can be done here, too."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@pytest.fixture(scope="session")
def mixed():
    """A machine with every input type, a number output and a label output."""
    table, schema = make_table()
    return fit(table, schema, level=1, deadline=3, seed=0, parameters=QUICK)
