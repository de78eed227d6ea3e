"""Machines that many tests look at, trained once."""

import pytest
import torch

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from tests.machines.engine.tables import make_table

QUICK = Parameters(epochs=2)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mixed():
    """A machine with every input type, a number output and a label output."""
    table, schema = make_table()
    return fit(table, schema, level=1, deadline=5, seed=0, parameters=QUICK)
