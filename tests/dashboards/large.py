"""A small table that is taken for a large one."""

import pytest

from dashboards import graphs
from dashboards.drawing import first_look, job


def call_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has more than 150 rows is too much to be read while somebody waits. Drawn in this process, which knows it."""
    monkeypatch.setattr(first_look, "MOST_ROWS", 150)
    monkeypatch.setattr(first_look, "SHOWN_ROWS", 80)
    monkeypatch.setattr(graphs, "drawn", job.figure)
