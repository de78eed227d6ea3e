import json
from pathlib import Path

import pytest

from benchmarks import common
from benchmarks.common import Figure, environment, place, quantile, save, times_of


def test_a_figure_says_whether_its_target_is_met() -> None:
    assert Figure("form", 20, "ms", 25).is_met
    assert not Figure("form", 25, "ms", 25).is_met
    assert Figure("AUC", 0.8, "", 0.8, is_least=True).is_met
    assert not Figure("AUC", 0.79, "", 0.8, is_least=True).is_met
    assert Figure("time", 1e9, "s").is_met


def test_a_line_shows_what_was_missed() -> None:
    assert "< 25 ms" in Figure("form", 30, "ms", 25).line()
    assert Figure("form", 30, "ms", 25).line().endswith("MISSED")
    assert not Figure("form", 3, "ms", 25).line().endswith("MISSED")


def test_times_are_sorted_and_warm_up_is_not_counted() -> None:
    calls: list[int] = []
    times = times_of(lambda: calls.append(1), 20, warm_up=3)
    assert (len(times), len(calls)) == (20, 23)
    assert times == sorted(times)
    assert [quantile([1.0, 2.0, 3.0, 4.0], share) for share in (0, 0.5, 0.95, 1)] == [1.0, 3.0, 4.0, 4.0]


def test_measuring_happens_in_a_place_of_its_own() -> None:
    with place() as (folder, surroundings):
        assert str(folder) in surroundings["DATABASE_URL"]
        assert Path(surroundings["STORAGE_ROOT"]).is_relative_to(folder)
        assert environment(folder)["SECRET_KEY"] != surroundings["SECRET_KEY"]
    assert not folder.exists()


def test_results_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path / "results")
    save("some", [Figure("form", 20.123456, "ms", 25)], {"seeds": 5})
    written = json.loads((tmp_path / "results" / "some.json").read_text(encoding="utf-8"))
    assert written["seeds"] == 5
    assert written["figures"][0] | {"is_met": True, "value": 20.1235} == written["figures"][0]
    assert "form" in capsys.readouterr().out
