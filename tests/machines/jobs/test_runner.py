"""What the runner says of a child that crashed."""

from machines.jobs.runner import without_words

TRACE = """Traceback (most recent call last):
  File "machines/engine/solve_job.py", line 40, in run
    value = float("Ada Lovelace")
  File "polars/series.py", line 7, in cast
    raise ComputeError("could not parse 'Ada Lovelace'")
polars.exceptions.ComputeError: could not parse 'Ada Lovelace'
"""


def test_the_log_says_where_and_what_but_quotes_no_cell():
    said = without_words(TRACE)
    assert "solve_job.py" in said and "series.py" in said and said.endswith("polars.exceptions.ComputeError")
    assert "Ada" not in said


def test_a_child_that_said_nothing():
    assert without_words("") == ""
    assert without_words("Segmentation fault") == "Segmentation fault"
