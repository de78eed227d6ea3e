import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from django.conf import settings

from machines.engine.errors import DataError
from machines.engine.job import OUT_OF_MEMORY
from machines.engine.parameters import PROMISED_ROWS, level_seconds
from machines.engine.table_file import size_at_a_glance
from machines.management.commands._plain import process_age
from tests.machines.commands.conftest import ROWS, Trained, flats, run, write

# Waits, deaf to signals, for a lock that it holds itself, as a library that computes for long would.
DEAF = """
import ctypes, tempfile
from machines.engine.errors import DataError
from machines.management.commands._plain import alarm
folder, lock = tempfile.TemporaryDirectory(), ctypes.create_string_buffer(64)
print(folder.name, flush=True)
with alarm(0.2, DataError("Too late.")):
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(lock)
"""

pytestmark = pytest.mark.xdist_group("commands")
DEMO = settings.BASE_DIR / "machines" / "demo" / "diabetes.csv"


def test_it_works(trained: Trained) -> None:
    report = trained.report
    assert report["outputs"] == ["price", "kind"]
    assert report["tasks"] == ["number", "binary"]
    assert (report["rows"], report["level"], report["seed"]) == (ROWS, 1, 3)
    assert 0 < report["seconds"] < 4 * 1.1 + 2
    assert [path.name for path in trained.machine.parent.iterdir() if path != trained.data] == ["flats.onnx"]


def test_report_holds_each_figure_with_its_interval(trained: Trained) -> None:
    for part in ("holdout", "baseline"):
        assert {"rmse", "mae", "r2"} <= trained.report[part]["price"].keys()
        assert {"roc_auc", "log_loss", "accuracy"} <= trained.report[part]["kind"].keys()
        for figures in trained.report[part].values():
            assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in figures.values())
    assert trained.report["holdout"]["price"]["r2"]["value"] > 0.5


def refused(tmp_path: Path, *words: object, data: Path | None = None) -> str:
    """The sentence with which training is refused; nothing else is left behind."""
    data = data or write(tmp_path / "flats.csv", flats(40))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError) as error:
        run("train_csv", data, "--save", tmp_path / "machine.onnx", *words)
    assert sorted(tmp_path.iterdir()) == before
    return str(error.value)


def test_unknown_columns_are_named_with_the_nearest_ones(tmp_path: Path) -> None:
    assert refused(tmp_path, "--output", "Price") == "There is no column “Price”. Did you mean “price”?"
    assert "Floor area" in refused(tmp_path, "--output", "price", "--ignore", "florarea")
    assert "“Town”" in refused(tmp_path, "--output", "price", "--type", "Tow=LABEL")
    assert "The columns are “Floor area”" in refused(tmp_path, "--output", "zzz")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--group", "town"], "There is no column “town”. Did you mean “Town”?"),
        (["--group", "price"], "“price” is to be predicted, so rows cannot be split by it."),
        (["--time", "Town"], "“Town” holds text, which has no order in time."),
    ],
)
def test_a_column_that_cannot_keep_rows_together(tmp_path: Path, words: list[str], sentence: str) -> None:
    assert sentence in refused(tmp_path, "--output", "price", *words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--output", "price", "--group", "Town", "--time", "sold"], "not allowed with"),
        (["--output", "price", "--level", "6"], "--level"),
        (["--output", "price", "--type", "Town=WORD"], "FLOAT, LABEL"),
        (["--output", "price", "--seconds", "0"], "seconds"),
        (["--output", "price", "--seconds", "nan"], "seconds"),
        (["--output", "price", "--seed", "-1"], "--seed"),
        (["--output", "price", "--ignore", "price"], "at the same time"),
        (["--output", "price", "--type", "price=DATE"], "can be predicted"),
        ([], "--output"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, words: list[str], sentence: str) -> None:
    assert sentence in refused(tmp_path, *words)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path, "--output", "a", data=tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG" + bytes(100))
    assert "a PNG picture" in refused(tmp_path, "--output", "a", data=tmp_path / "picture.csv")
    assert "cannot be opened" in refused(tmp_path, "--output", "a", data=tmp_path)


def test_bad_places_to_save_are_refused_before_training(tmp_path: Path) -> None:
    data = write(tmp_path / "flats.csv", flats(40))
    for place, sentence in [(tmp_path / "no" / "m.onnx", "does not exist"), (tmp_path, "cannot"), (data, "also read")]:
        with pytest.raises(DataError, match=sentence):
            run("train_csv", data, "--output", "price", "--save", place)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == [data]
    assert data.read_text(encoding="utf-8").startswith("Floor area")


def test_an_output_without_two_values_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "flats.csv", [row | {"kind": "flat"} for row in flats(40)])
    assert "nothing to learn" in refused(tmp_path, "--output", "kind", data=data)


def command(*words: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, str(settings.BASE_DIR / "manage.py"), *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, env=os.environ | environment, timeout=120)


def test_it_needs_no_database_and_keeps_to_its_time(tmp_path: Path) -> None:
    started = time.monotonic()
    words = ["--output", "Outcome", "--seconds", "6", "--save", tmp_path / "machine.onnx"]
    done = command("train_csv", DEMO, *words, DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 6 * 1.1 + 2
    assert "Outcome: roc_auc" in done.stdout


def test_the_time_of_a_level_is_told_before_and_grows_with_the_table(tmp_path: Path) -> None:
    data = write(tmp_path / "flats.csv", flats(40))
    assert size_at_a_glance(data) == (40, 6)
    pl.DataFrame({"a": range(7), "b": range(7)}).write_parquet(tmp_path / "a.parquet")
    assert size_at_a_glance(tmp_path / "a.parquet") == (7, 2)
    told = run("train_csv", data, "--output", "price", "--seconds", 3, "--save", tmp_path / "machine.onnx")
    assert told.splitlines()[0] == "Learning from 40 rows and 5 columns, 3 s at most, all in all."
    seconds = [level_seconds(1, rows, 10) for rows in (10, PROMISED_ROWS, 2 * PROMISED_ROWS, 10**6, 10**7)]
    assert seconds[:3] == [5, 5, 10] and seconds[3] == seconds[4] < 100, "no more than rows that fit into the memory"
    assert level_seconds(5, 20_000, 2_000) == 1200


@pytest.mark.parametrize(
    ("words", "level", "seconds", "by_clock"),
    [((), 1, 5, False), (("--level", 3), 3, 60, False), (("--seconds", 16), 3, 16, True), (("--seconds", 9000), 5, 9000, True),
     (("--level", 2, "--seconds", 100), 2, 100, True)],
)  # fmt: skip
def test_seconds_are_used_up_by_the_level_that_would_take_them(
    words: tuple[object, ...],
    level: int,
    seconds: float,
    by_clock: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And by the clock: without them the same seed gives the same machine."""
    asked = []

    def fit(*_: object, **options: object) -> None:
        asked.append(options)
        raise DataError("That is all.")

    monkeypatch.setattr("machines.engine.fit.fit", fit)
    data = write(tmp_path / "flats.csv", flats(40))
    with pytest.raises(DataError, match="That is all"):
        run("train_csv", data, "--output", "price", *words, "--save", tmp_path / "machine.onnx")
    (options,) = asked
    assert (options["level"], options["by_clock"]) == (level, by_clock)
    assert options["deadline"] <= seconds


def test_too_little_memory_is_a_sentence(tmp_path: Path) -> None:
    data = write(tmp_path / "flats.csv", flats(40))
    words = ["--output", "price", "--seconds", "30", "--save", tmp_path / "machine.onnx"]
    hungry = "import machines.engine.table_file as t; t.load = lambda *_: bytearray(2**33)"
    line = f"import sys; sys.path[:0] = ['site']; {hungry}; sys.argv = {['manage.py', 'train_csv', *map(str, [data, *words])]!r}"
    line += "; import runpy; runpy.run_path('manage.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", line], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"{OUT_OF_MEMORY}\n")


def test_bad_input_from_the_command_line_is_one_sentence(tmp_path: Path) -> None:
    done = command("train_csv", DEMO, "--output", "outcome", "--save", tmp_path / "machine.onnx")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There is no column “outcome”. Did you mean “Outcome”?\n"


def test_an_alarm_that_nobody_hears_ends_the_process_all_the_same() -> None:
    words = {"cwd": settings.BASE_DIR, "capture_output": True, "text": True, "timeout": 60}
    done = subprocess.run([sys.executable, "-c", DEAF], **words)
    assert (done.returncode, done.stderr) == (2, "Too late.\n")
    assert not Path(done.stdout.strip()).exists(), "what it had written for itself is gone"


def test_age_of_a_process_grows() -> None:
    first = process_age()
    time.sleep(0.05)
    assert process_age() > first >= 0 or first > 60
