"""The graph of one column, against its rows counted anew."""

import datetime as dt
from collections import Counter

import numpy as np
import pytest

from dashboards.profiling.discreet import discreet
from dashboards.profiling.measures import measure
from dashboards.profiling.spread import spread
from tests.dashboards.profiling.tables import cells, profiled

RNG = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same, whatever ran before."""
    RNG.bit_generator.state = np.random.default_rng(8).bit_generator.state


def drawn(folder, values, kind="FLOAT", name="x"):
    return spread(measure(cells(folder, values, kind, name)))


def rules(figure):
    return [rule["template"] % rule["values"] for rule in figure["rules"]]


def seconds(day):
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()


def test_numbers(tmp_path):
    values = np.append(RNG.normal(50, 10, 997).round(1), [1e5, -1e5])
    values[:100] = np.nan
    figure = drawn(tmp_path, values)
    (trace,), near = figure["traces"], values[(values > -1e4) & (values < 1e4)]
    assert (figure["rows"][0][0], figure["rows"][-1][1]) == (near.min(), near.max())
    for number, (low, high, rows, share) in enumerate(figure["rows"]):
        below = values <= high if number == 23 else values < high
        expected = int(((values >= low) & below).sum())
        assert rows == expected and share == pytest.approx(100 * expected / 899, rel=1e-3)
    there = [row for row in figure["rows"] if row[2]]
    assert trace["y"] == [row[2] for row in there] and sum(trace["y"]) == len(near) == 897
    assert trace["x"] == pytest.approx([(low + high) / 2 for low, high, *_ in there], rel=1e-4)
    assert trace["width"] == pytest.approx([high - low for low, high, *_ in there], rel=1e-4)
    assert "Numbers that are far off are left out: 2." in rules(figure)
    assert "Empty cells are left out, of the shares, too: 100." in rules(figure)


def test_numbers_far_from_zero_stay_apart(tmp_path):
    figure = drawn(tmp_path, [1e9 + n / 100 for n in range(200)])
    assert len({row[0] for row in figure["rows"]}) == len(set(figure["traces"][0]["x"])) == 24


@pytest.mark.parametrize("highest", [1, 17, 23, 24, 199, 5000])
def test_whole_numbers(tmp_path, highest):
    """As many numbers in each bar: no bar looks empty between two numbers, or frequent because it holds one more."""
    values = np.append(RNG.integers(0, highest + 1, 3000), [0, highest])
    figure = drawn(tmp_path, values)
    counts = np.bincount(values)
    assert (figure["rows"][0][0], figure["rows"][-1][1]) == (0, highest) and len(figure["rows"]) <= 24
    for low, high, rows, _share in figure["rows"]:
        assert low == int(low) and rows == counts[int(low) : int(high) + 1].sum()
    (trace,) = figure["traces"]
    assert sum(trace["y"]) == 3002 and len(set(trace["width"][:-1])) <= 1
    assert trace["x"][0] == sum(figure["rows"][0][:2]) / 2
    assert "Each bar counts the rows of whole numbers, the first and the last one included." in rules(figure)


def test_numbers_too_large_to_be_told_apart_are_not_taken_for_whole_ones(tmp_path):
    figure = drawn(tmp_path, [1e300, 2e300, 3e300] * 9)
    assert [row[2] for row in figure["rows"] if row[2]] == [9, 9, 9] and "whole" not in str(rules(figure))


@pytest.mark.parametrize("span", [2, 5, 23, 24, 25, 900])
def test_dates(tmp_path, span):
    days = [dt.date(2019, 12, 30) + dt.timedelta(int(n)) for n in [0, span, *RNG.integers(0, span, 400)]]
    figure = drawn(tmp_path, days, "DATE")
    assert [head["type"] for head in figure["heads"][:2]] == ["DATE", "DATE"]
    assert (figure["rows"][0][0], figure["rows"][-1][1]) == (seconds(min(days)), seconds(max(days)))
    for low, high, rows, _share in figure["rows"]:
        assert rows == sum(low <= seconds(day) <= high for day in days)
    (trace,), there = figure["traces"], [row for row in figure["rows"] if row[2]]
    assert trace["y"] == [row[2] for row in there] and sum(trace["y"]) == len(days)
    starts = [middle - width / 2 for middle, width in zip(trace["x"], trace["width"], strict=True)]
    assert starts == [1000 * row[0] for row in there] and figure["layout"]["xaxis"]["type"] == "date"
    ends = [middle + width / 2 for middle, width in zip(trace["x"], trace["width"], strict=True)]
    assert ends == [1000 * (row[1] + 86_400) for row in there]


def test_times_of_the_day(tmp_path):
    times = [dt.time(8 + n % 10, 30) for n in range(60)]
    figure = drawn(tmp_path, times, "TIME")
    assert figure["rows"][0][0] == 8.5 * 3600 and figure["rows"][-1][1] == 17.5 * 3600
    assert figure["layout"]["xaxis"]["tickformat"] and sum(row[2] for row in figure["rows"]) == 60


@pytest.mark.parametrize("kind", ["LABEL", "LANGUAGE", "JSON", "IGNORE"])
def test_labels_and_texts(tmp_path, kind):
    values = [f"word {n}" for n in RNG.geometric(0.15, 500)] + [f"only {n}" for n in range(30)] + [None] * 20
    counted = Counter(value for value in values if value)
    figure = drawn(tmp_path, values, kind)
    counts = sorted(counted.values(), reverse=True)[:8]
    assert [row[1] for row in figure["rows"]] == figure["traces"][0]["x"] == counts
    for (label, rows, share), tick in zip(figure["rows"], figure["layout"]["yaxis"]["ticktext"], strict=True):
        assert counted[label] == rows and tick == label and share == pytest.approx(100 * rows / 530, rel=1e-3)
    assert f"Rows with other ones: {530 - sum(counts)}." in rules(figure)[0]


def test_what_comes_once_is_not_among_the_most_frequent(tmp_path):
    figure = drawn(tmp_path, ["twice", "twice", "once"], "LABEL")
    assert figure["rows"] == [["twice", 2, 66.67]] and "Rows with other ones: 1." in rules(figure)[0]
    assert rules(drawn(tmp_path / "all", ["a", "a", "b", "b"], "LABEL")) == [
        "Each bar counts the rows that hold a value."
    ]


def test_html_in_labels_and_names(tmp_path):
    figure = drawn(tmp_path, ["<b>x</b>"] * 2 + ["a&b"] * 2, "LABEL", "<i>town")
    assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;x&lt;/b&gt;", "a&amp;b"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "&lt;i&gt;town"
    assert drawn(tmp_path, [1, 2], name="<i>size")["layout"]["xaxis"]["title"]["text"] == "&lt;i&gt;size"


@pytest.mark.parametrize(
    ("values", "kind"), [([7] * 9, "FLOAT"), ([None], "FLOAT"), (["a", "b"], "LABEL"), ([], "DATE")]
)
def test_nothing_to_draw(tmp_path, values, kind):
    assert drawn(tmp_path, values, kind) is None


@pytest.fixture
def quiet(tmp_path):
    """A discreet column, and its rows."""

    def make(values, kind="FLOAT"):
        return discreet(profiled(tmp_path, {"x": (kind,)}, {"x": values}))["columns"][0]

    return make


def test_the_discreet_middle(quiet):
    ages = [3, 97, *(20 + int(n) for n in RNG.integers(0, 50, 300)), *[75, 76]]
    low, high = np.quantile(ages, [0.05, 0.95])
    figure = spread(quiet(ages))
    assert low <= figure["rows"][0][0] and figure["rows"][-1][1] <= high
    for start, end, rows, _share in figure["rows"]:
        counted = sum(start <= age <= end for age in ages)
        assert rows == (counted if counted >= 5 or not counted else None)
    assert sum(figure["traces"][0]["y"]) == sum(row[2] or 0 for row in figure["rows"])
    assert "Only the middle nine tenths are shown, and of them no bar of fewer than 5 rows." in rules(figure)


def test_a_discreet_bar_of_few_rows_is_left_out(quiet):
    values = [*[10] * 20, *range(11, 40), *[40] * 60, *[50] * 4, *[60] * 60, *[70] * 20]
    figure = spread(quiet(values))
    rare = [row for row in figure["rows"] if row[0] <= 50 <= row[1]]
    assert [row[2:] for row in rare] == [[None, None]] and min(figure["traces"][0]["y"]) >= 5


def test_of_few_rows_nothing_discreet_is_drawn(quiet, tmp_path):
    assert drawn(tmp_path, range(50)) and spread(quiet(range(50))) is None


def test_a_discreet_middle_within_one_bar_is_not_drawn(quiet):
    assert spread(quiet([0] * 200 + [1000] * 3)) is None


def test_of_discreet_bars_that_are_all_low_nothing_is_drawn(quiet):
    assert spread(quiet([*range(96), 0, 0, 0, 95, 95, 95])) is None


def test_rare_labels_are_not_drawn(quiet):
    figure = spread(quiet(["Rome"] * 9 + ["Xanadu"] * 4, "LABEL"))
    assert [row[0] for row in figure["rows"]] == ["Rome"] and "Xanadu" not in str(figure)
    assert "Rows with other ones: 4." in rules(figure)[0]
