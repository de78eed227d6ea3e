"""The accuracy benchmark: the peers' own splits and scores, runs that are kept, and what the summary says of them."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from benchmarks import accuracy, contestants, own, summary, tables
from benchmarks.accuracy import Store, measure, rounds
from benchmarks.contestants import Contestant
from benchmarks.tables import Task
from machines.engine.schema import Column, DataType, Role, Schema

pytestmark = pytest.mark.engine

FRUIT = Task("fruit", Path("fruit.csv"), "kind", "multiclass", "log_loss")
COIN = Task("coin", Path("coin.csv"), "side", "binary", "roc_auc")
LINE, SIDES = [29, 16, 9, 27, 4, 18, 28, 38], [27, 9, 14, 32, 29, 31, 12, 1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One table of numbers."""
    task = {"name": "line", "file": "line.csv", "target": "y", "task": "regression", "metric": "rmse"}
    (tmp_path / "datasets.json").write_text(json.dumps([task]))
    rows = [f"{at * 37 % 50 + 0.5},{at * 37 % 50 * 2 + at % 7}" for at in range(50)]  # in no order, and not quite exact
    (tmp_path / "line.csv").write_text("\n".join(["x,y", *rows]))
    return tmp_path


def someone(folder: Path, script: str, name: str = "someone", **about: object) -> Contestant:
    path = folder / f"{name}.py"
    path.write_text(script)
    return Contestant(name, (sys.executable, str(path)), "automl", **about)


SAYS = 'import json; print("noise"); print(json.dumps({"seconds": 2.5, "metric": 1.5, "loss": 1.5, "row_ms": 1, "bytes": 9}))'


def test_it_works(folder: Path) -> None:
    runs = list(rounds(Store(folder / "store"), folder, "line", 0, [someone(folder, SAYS)]))
    assert [(run["method"], run["metric"], run["seed"]) for run in runs] == [("someone", 1.5, 0)]
    found = summary.summary(runs, {"someone": False}, tables.read_tasks(folder))
    assert found["methods"]["someone"]["rank"] == 1 and found["sets"] == {"line": {"metric": "rmse", "someone": 1.5}}
    assert "someone" in summary.table(found)


def test_what_was_measured_is_not_measured_again_unless_the_code_changed(folder: Path) -> None:
    count = folder / "count"
    script = f"open({str(count)!r}, 'a').write('x'); " + SAYS
    for _ in range(2):
        run = measure(Store(folder / "store"), folder, "line", 0, someone(folder, script), None)
    assert run["is_stored"] and count.read_text() == "x"
    measure(Store(folder / "store"), folder, "line", 0, someone(folder, script + "  # changed"), None)
    measure(Store(folder / "store"), folder, "line", 1, someone(folder, script), None)
    measure(Store(folder / "store"), folder, "line", 0, someone(folder, script), 60.0)
    assert count.read_text() == "xxxx"


def test_a_failure_is_said_and_tried_again(folder: Path) -> None:
    store = Store(folder / "store")
    crash = someone(folder, "raise ValueError('no fruit')")
    assert measure(store, folder, "line", 0, crash, None)["error"] == "ValueError: no fruit"
    nan = someone(folder, SAYS.replace('"loss": 1.5', '"loss": float("nan")'))
    assert measure(store, folder, "line", 0, nan, None)["error"] == "answers that are no numbers"
    assert store.runs == {} and Store(folder / "store").runs == {}


def test_who_answers_a_peer_gets_the_seconds_it_took(folder: Path) -> None:
    peer = someone(folder, SAYS, "peer")
    echo = "import sys, json; at = sys.argv.index('--seconds'); s = float(sys.argv[at + 1]); "
    ours = someone(folder, echo + 'print(json.dumps({"loss": s, "metric": s}))', "ours", against=peer)
    runs = {run["method"]: run for run in rounds(Store(folder / "store"), folder, "line", 0, [ours, peer])}
    assert runs["ours"]["metric"] == 2.5
    broken = someone(folder, "1 / 0", "peer")
    ours = someone(folder, "", "ours", against=broken)
    runs = {run["method"]: run for run in rounds(Store(folder / "other"), folder, "line", 0, [ours, broken])}
    assert runs["ours"]["error"] == "peer failed"


def test_everybody_runs_with_one_thread(folder: Path) -> None:
    script = "import os, json; print(json.dumps({'loss': float(os.environ['OMP_NUM_THREADS']), 'metric': 1}))"
    assert contestants.run(someone(folder, script), folder, "line", 0, None)["loss"] == 1


def test_figures_of_one_table_with_two_seeds_count_once() -> None:
    def run(method: str, name: str, seed: int, loss: float) -> summary.Run:
        return {"method": method, "set": name, "seed": seed, "loss": loss, "metric": loss, "seconds": 1.0}

    runs = [run("a", "fruit", 0, 1.0), run("a", "fruit", 1, 3.0), run("b", "fruit", 0, 2.5), run("b", "fruit", 1, 2.5)]
    found = summary.summary(runs, {"a": True, "b": False}, {"fruit": FRUIT})
    assert (found["count"], found["duels"]["a / b"]["wins"]) == (1, 1)
    assert found["duels"]["a / b"]["difference"]["value"] == pytest.approx(-0.2)
    failed = [{"method": "a", "set": "fruit", "seed": 2, "error": "no"}]
    found = summary.summary([*runs, *failed], {"a": True, "b": False}, {"fruit": FRUIT})
    assert (found["duels"]["a / b"]["losses"], found["methods"]["a"]["failed"]) == (1, 1)
    assert found["sets"]["fruit"]["a"] is None
    json.dumps(found, allow_nan=False)


def test_honesty_compares_what_a_report_claims_with_the_truth() -> None:
    def run(claimed: float, truth: float, rows: int, ece: float) -> summary.Run:
        said = {"value": claimed, "low": claimed - 0.02, "high": claimed + 0.02}
        return {"set": "coin", "claimed": said, "metric": truth, "loss": 1 - truth, "rows": rows, "ece": ece}

    found = summary.honesty([run(0.95, 0.9, 100, 0.2), run(0.9, 0.91, 9000, 0.02)], {"coin": COIN})
    assert found["claimed_over_true_loss"]["value"] == pytest.approx(
        (-0.5 + 1 / 9) / 2
    )  # the first is too rosy by half
    assert found["inside_interval"]["value"] == 0.5
    assert (found["ece"], found["ece_many_rows"]) == (pytest.approx(0.11), 0.02)
    assert summary.honesty([], {})["inside_interval"] is None


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(np.array(["apple", "pear", "plum"], object), 200)
    chances = rng.dirichlet([1, 1, 1], 200)
    by_name = {name: chances[:, at] for at, name in enumerate(["apple", "pear", "plum"])}
    wanted = metrics.log_loss(truth, chances, labels=["apple", "pear", "plum"])
    assert tables.score_labels(FRUIT, truth, by_name) == pytest.approx(wanted)
    del by_name["plum"]  # a class that the machine has never heard of costs, but does not stop
    assert 3 < tables.score_labels(FRUIT, truth, by_name) < 20
    sides = np.array(["heads", "tails"] * 100, object)
    chance = {"tails": chances[:, 0], "heads": 1 - chances[:, 0]}
    assert tables.score_labels(COIN, sides, chance) == pytest.approx(
        metrics.roc_auc_score(sides == "tails", chances[:, 0])
    )
    assert tables.score_numbers(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == pytest.approx(math.sqrt(2))


def test_calibration_and_coverage_are_measured() -> None:
    chance = np.repeat([0.05, 0.5, 1.0], 100)
    happened = np.arange(300) % 100 < np.repeat([5, 70, 100], 100)  # 0.5 happens seven times of ten
    assert tables.calibration_error(happened, chance) == pytest.approx(0.2 / 3)
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    assert tables.coverage(truth, truth - [1, 1, 1, -1], truth + 2) == 0.75


def test_splits_are_those_that_anyone_can_repeat() -> None:
    """By scikit-learn's train_test_split alone, as the peers' script makes them: known rows for known seeds."""
    numbers = pl.DataFrame({"x": map(str, range(40)), "y": map(str, range(40))})
    labels = numbers.with_columns(side=pl.Series(["heads", "tails", "tails", "tails"] * 10))
    line = Task("line", Path("line.csv"), "y", "regression", "rmse")
    assert tables.split(line, numbers, 3)[1].tolist() == LINE
    tested = tables.split(COIN, labels, 3)[1]
    assert tested.tolist() == SIDES and sorted(tables.truth_of(COIN, labels[tested])) == ["heads"] * 2 + ["tails"] * 6


def test_our_own_machine_says_what_the_peers_say_and_what_it_claims(folder: Path) -> None:
    ours = contestants.timed(8, None)
    found = contestants.run(ours, folder, "line", 0, ours.seconds)
    assert "error" not in found, found
    assert found["metric"] == found["loss"] < 20  # the mean alone has 29
    assert {"value", "low", "high"} <= found["claimed"].keys()
    assert 0 < found["seconds"] < 15 and 0 < found["row_ms"] < 50 and found["bytes"] > 1000
    assert 0 <= found["coverage"] <= 1 and found["rows"] == 50


def test_test_rows_are_read_as_training_rows_were() -> None:
    cells = pl.DataFrame({"size ": [" 1.5", "", "x"], "kind": ["a ", "NA", ""], "y": ["1", "2", "3"]})
    columns = Column("size", DataType.FLOAT), Column("kind", DataType.LABEL), Column("y", DataType.FLOAT, Role.OUTPUT)
    table = own.typed(cells, Schema(columns))
    assert np.isnan(table["size"][1:]).all() and table["size"][0] == 1.5
    assert table["kind"].tolist() == ["a", "", ""] and "y" not in table


def test_empty_cells_stay_empty(folder: Path) -> None:
    (folder / "line.csv").write_text('x,y\n" a ",1\n,2\nNA,3\n')
    cells = tables.read_cells(tables.read_tasks(folder)["line"])
    assert cells.equals(pl.DataFrame({"x": [" a ", "", "NA"], "y": ["1", "2", "3"]}))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tables", "/nowhere"], "The measurement needs /nowhere/datasets.json, which is not there."),
        (["--sets", "pear"], "There is no table “pear”"),
        (["--methods", "magic"], "There is no method “magic”. Choose among autogluon-medium,"),
        (["--methods", "flaml:long"], "“long” is not a number of seconds for flaml."),
        (["--levels", "6"], "There is no level 6; levels are 1 to 5."),
        (["--seeds", "one"], "“one” should be numbers with commas between."),
        (["--core", "4000"], "There is no processor 4000"),
    ],
)
def test_what_is_not_there_is_refused_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    monkeypatch.setattr(contestants, "COMMON", folder / "datasets.json")  # any file that is there
    monkeypatch.setattr(sys, "argv", ["accuracy.py", "--tables", str(folder), *words])
    with pytest.raises(SystemExit) as left:
        accuracy.main()
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


def test_what_is_asked_of_ours_is_all_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def names(*words: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["accuracy.py", *words])
        return [one.name for one in accuracy.chosen(accuracy.options())]

    assert names("--methods", "lightgbm", "--levels", "1") == ["lightgbm", "ours, level 1"]
    both = ["--methods", "flaml:30,autogluon-medium", "--against", "autogluon-medium"]
    assert names(*both) == ["flaml, 30 s", "autogluon-medium, 60 s", "ours, time of autogluon-medium, 60 s"]
    assert len(names()) == 8 + 5
