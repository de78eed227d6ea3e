"""The process that draws, by itself: lines in, lines out."""

import io
import json
import subprocess
import sys
from importlib import import_module

import polars as pl
import pytest

from dashboards.drawing import draw, first_look, job, typed
from dashboards.drawing.kinds import KINDS
from machines.engine.errors import Notice
from machines.engine.schema import Column, DataType

COLUMNS = [Column("weight", DataType.FLOAT, unit="kg"), Column("price", DataType.FLOAT), Column("town", DataType.LABEL)]


@pytest.fixture
def request_(tmp_path):
    part = tmp_path / "a.parquet"
    numbers = [f"{n * 7 % 50}" for n in range(300)]
    pl.DataFrame(
        {"weight": numbers, "price": [f"{n % 9}" for n in range(300)], "town": ["Rome", "Oslo", ""] * 100}
    ).write_parquet(part)
    columns = [column.to_json() for column in COLUMNS]
    chosen = {"x": "weight", "y": "price", "hue": "", "col": None}
    return {"parts": [str(part)], "columns": columns, "kind": 2, "chosen": chosen, "folder": str(tmp_path / "kept")}


def answered(request):
    return job.answer(json.dumps(request))


def sentence(answer):
    assert answer["kind"] == "error"
    return str(Notice.from_json(answer["error"]))


def test_it_works(request_):
    answer = answered(request_)
    assert answer["kind"] == "done" and set(answer["figure"]) == {"traces", "layout", "heads", "rows", "rules"}
    assert answer["figure"]["layout"]["xaxis"]["title"]["text"] == "weight (kg)"
    json.dumps(answer)


def test_a_figure_is_drawn_once(request_, monkeypatch):
    first = answered(request_)
    monkeypatch.setattr(job, "draw", lambda *args: pytest.fail("drawn again"))
    assert answered(request_) == first


@pytest.mark.parametrize("change", [{"kind": 7}, {"chosen": {"x": "price", "y": "weight"}}, {"columns": "unit"}])
def test_what_changed_is_drawn_anew(request_, change):
    first = answered(request_)
    if change == {"columns": "unit"}:
        change = {"columns": [{**column, "unit": "g"} for column in request_["columns"]]}
    second = answered({**request_, **change})
    assert second["kind"] == "done" and second != first


def test_a_choice_that_cannot_be_drawn_is_a_sentence(request_):
    assert "It needs a number on y" in sentence(answered({**request_, "chosen": {"x": "weight"}}))
    assert "“gone” any more" in sentence(answered({**request_, "chosen": {"x": "weight", "y": "gone"}}))
    assert "cannot stand on hue" in sentence(
        answered({**request_, "chosen": {"x": "weight", "y": "price", "hue": "price"}})
    )


def test_labels_without_number_are_a_sentence(request_, monkeypatch):
    monkeypatch.setattr(typed, "MOST_LABELS", 1)
    chosen = {**request_["chosen"], "hue": "town"}
    assert answered({**request_, "chosen": chosen})["kind"] == "done"
    monkeypatch.setattr(job, "MOST_LABELS", 1)
    request_ = {**request_, "kind": 4}
    for _ in range(2):  # read now, and kept
        assert "“town” has about 2 different labels, too many" in sentence(answered({**request_, "chosen": chosen}))


def test_labels_of_many_stretches_are_counted_too(request_, monkeypatch):
    monkeypatch.setattr(typed, "most_labels", lambda parts: 4)
    monkeypatch.setattr(job, "MOST_LABELS", 3)
    wanted = {**request_, "chosen": {**request_["chosen"], "hue": "town"}}
    assert answered(wanted)["kind"] == "done", "it has two, and what is missing"
    monkeypatch.setattr(job, "MOST_LABELS", 1)
    assert "“town” has about 3 different labels" in sentence(answered({**wanted, "kind": 4}))


def drawn(figure):
    """A figure without its table, whose last digits depend on the order in which threads added."""
    return {name: value for name, value in figure.items() if name != "rows"}


def test_who_is_in_a_hurry_sees_some_rows_until_all_are_read(request_, monkeypatch):
    monkeypatch.setattr(first_look, "MOST_ROWS", 200)
    monkeypatch.setattr(first_look, "SHOWN_ROWS", 100)
    quick = {**request_, "is_quick": True}
    look, again = answered(quick)["figure"], answered(quick)["figure"]
    assert look["is_sample"] and drawn(look) == drawn(again)
    notice = Notice.from_json(look["rules"][0])
    assert 70 < notice.values["shown"] < 130 and notice.values["rows"] == 300
    assert str(notice).endswith("chosen at random: the others were not read yet.")
    whole = answered(request_)["figure"]
    assert "is_sample" not in whole and "not read yet" not in json.dumps(whole)
    assert drawn(answered(quick)["figure"]) == drawn(whole), "nobody needs a sample any more"
    other = {**quick, "kind": 7}
    assert "is_sample" not in answered(other)["figure"], "its columns are read"


def test_a_small_table_is_read_at_once(request_):
    assert "is_sample" not in answered({**request_, "is_quick": True})["figure"]


def test_rows_that_are_gone(request_):
    assert sentence(answered({**request_, "parts": ["/nowhere.parquet"]})) == job.ROWS_GONE


@pytest.mark.parametrize(
    ("error", "said"),
    [(ZeroDivisionError("oh"), job.FAILED), (OSError(28, "full"), job.DISK_FULL), (MemoryError(), job.OUT_OF_MEMORY)],
)
def test_what_nobody_foresaw_is_a_sentence_too(request_, monkeypatch, error, said):
    def fail(*args):
        raise error

    monkeypatch.setattr(job, "draw", fail)
    assert sentence(answered(request_)) == said


def test_it_answers_line_by_line_until_nobody_asks(request_):
    bad = {**request_, "chosen": {}}
    lines = "".join(json.dumps(line) + "\n" for line in (request_, bad, request_))
    run = subprocess.run(
        [sys.executable, "-m", "dashboards.drawing.job"], input=lines, capture_output=True, text=True, timeout=120
    )
    first, second, third = map(json.loads, run.stdout.splitlines())
    assert first == third and first["kind"] == "done" and second["kind"] == "error"
    assert run.returncode == 0 and run.stderr == ""


def test_a_line_that_is_no_request_ends_nothing(request_, monkeypatch):
    told = []
    monkeypatch.setattr(job, "emit", told.append)
    monkeypatch.setattr(pl.Config, "set_engine_affinity", lambda engine: None)
    job.main(io.StringIO("what\n" + json.dumps({"kind": 2}) + "\n" + json.dumps(request_) + "\n"))
    assert [answer["kind"] for answer in told] == ["error", "error", "done"]


def test_every_kind_has_its_function():
    assert set(draw.DRAWN_BY) == set(KINDS)
    assert all(callable(getattr(import_module(f"dashboards.drawing.{a}"), b)) for a, b in draw.DRAWN_BY.values())
