"""The pictures of a report, against the report and against scikit-learn."""

import re
from html import unescape

import numpy as np
import pytest
from django.conf import settings
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from dashboards.reporting import curves, learning, numbers, thin
from dashboards.reporting.effect import effect
from dashboards.reporting.importance import importance
from dashboards.reporting.leaderboard import leaderboard
from dashboards.reporting.parts import wrapped
from tests.dashboards.reporting.told import (
    ACTUAL,
    CHANCES,
    LABELS,
    NUMBER,
    PREDICTED,
    TRUTH,
    a_bin,
    metric,
    old,
    operating,
    report,
)

TOKENS = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()


def only(section):
    (drawn,) = section.drawn.values()
    return drawn


def bars(trace, name):
    axis = trace[name.removeprefix("error_")]
    ends = trace[name]
    return np.array(axis) - ends["arrayminus"], np.array(axis) + ends["array"]


def test_the_leaderboard_shows_every_candidate_with_its_interval():
    section = leaderboard(0, LABELS)
    drawn = only(section)
    (trace,) = drawn["traces"]
    low, high = bars(trace, "error_x")
    told = LABELS["leaderboard"]
    assert np.allclose(low, [each["low"] for each in told]) and np.allclose(high, [each["high"] for each in told])
    assert trace["marker"]["color"] == ["@1", "@0", "@0", "@0"]
    names = drawn["layout"]["yaxis"]["ticktext"]
    assert names == ["The blend", "Boosted trees 1", "Boosted trees 2", "Linear model"]
    assert "is better than the best single candidate" in section.paragraphs[0]
    first, second, *_rest = [[cell.text for cell in row] for row in section.tables[0].rows]
    assert first[3:6] == ["–", "–", "100\u00a0%"]
    assert second[5:] == ["60\u00a0%", "3,5 s", "12 µs"]


def test_a_blend_that_is_no_better_is_not_praised():
    same = LABELS | {"leaderboard": [LABELS["leaderboard"][0], LABELS["leaderboard"][1] | {"difference": metric(0.0)}]}
    assert "cannot be told" in leaderboard(0, same).paragraphs[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.6, 0.54), "still falls"),  # beyond the interval before, which reaches 0.05 down
        ((0.6, 0.56), "do not tell from chance. More rows may help"),
        ((0.5, 0.499), "probably help little"),
        ((0.5, 0.6), "rose"),
    ],
)
def test_the_learning_curve_says_what_more_rows_would_bring(values, words):
    output = LABELS | {"learning_curve": [{"rows": 60 * (at + 1), **metric(v)} for at, v in enumerate(values)]}
    section = learning.learning(0, output)
    assert words in section.paragraphs[0]
    low, high, line = only(section)["traces"]
    assert line["x"] == [60, 120] and line["y"] == pytest.approx(values)
    assert high["y"] == pytest.approx([v + 0.05 for v in values]) and low["y"] == pytest.approx(
        [v - 0.05 for v in values]
    )


def test_loss_by_round_leaves_out_what_was_not_measured():
    learned, kept = only(learning.rounds(report(LABELS)))["traces"]
    assert learned["x"] == [1, 2, 3] and kept["x"] == [1, 3] and kept["y"] == [0.95, 0.7]
    assert learning.rounds({}) is None


def test_roc_and_pr_are_those_of_scikit_learn():
    drawn = curves.curves(0, LABELS).drawn
    chance, line = drawn["roc-0"]["traces"]
    assert chance["x"] == chance["y"] == [0, 1]
    false, found, _at = roc_curve(TRUTH, CHANCES, drop_intermediate=False)
    points = [*zip(line["x"], line["y"], strict=True)]
    for point in zip(false.round(4), found.round(4), strict=True):
        assert any(np.allclose(point, each, atol=1e-4) for each in points)
    entry = operating()
    assert curves.area(*curves.roc(entry)) == pytest.approx(roc_auc_score(TRUTH, CHANCES))
    assert curves.average_precision(entry) == pytest.approx(average_precision_score(TRUTH, CHANCES))
    rules = [rule["values"] for rule in drawn["pr-0"]["rules"]]
    assert rules[0]["base"] == f"{round(100 * TRUTH.mean())}\u00a0%"
    assert drawn["pr-0"]["traces"][0]["y"] == pytest.approx([TRUTH.mean()] * 2)


def test_several_labels_have_a_line_each():
    output = LABELS | {"operating": [operating("a"), operating("<b>b</b>", ~TRUTH, 1 - CHANCES)], "task": "multiclass"}
    lines = curves.curves(0, output).drawn["roc-0"]["traces"][1:]
    assert [line["name"] for line in lines] == ["a", "&lt;b&gt;b&lt;/b&gt;"]
    assert lines[0]["line"]["color"] != lines[1]["line"]["color"]


def test_calibration_and_confusion_show_the_reports_numbers():
    drawn = only(curves.calibration(0, LABELS))
    low, high = bars(drawn["traces"][1], "error_y")
    assert np.allclose(low, [0.08, 0.4]) and np.allclose(high, [0.2, 0.6])
    assert drawn["rules"][1]["values"]["ece"] == "3,1\u00a0%"
    drawn = only(curves.confusion(0, LABELS))
    assert drawn["rows"] == [["no", "no", 150], ["no", "yes", 20], ["yes", "no", 30], ["yes", "yes", 40]]
    assert drawn["traces"][0]["z"][1] == pytest.approx([30 / 70, 40 / 70])
    assert [[note["x"], note["y"], note["text"]] for note in drawn["layout"]["annotations"]] == [
        [0, 0, "150"], [1, 0, "20"], [0, 1, "30"], [1, 1, "40"],
    ]  # fmt: skip


def theme(place):
    """The colours of tokens.css, of light (0) or dark (1)."""
    return {
        name: colours[place] for name, *colours in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
    }


def channels(colour):
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def luminance(rgb):
    share = np.asarray(rgb) / 255
    return np.where(share <= 0.03928, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("share", [0, 0.1, 0.39, 0.4, 0.5, 0.79, 0.8, 1])
def test_counts_are_read_well_on_their_cells(place, share):
    """WCAG 2, 1.4.3: 4.5 to 1."""
    shown, count = theme(place), round(100 * share)
    drawn = only(curves.confusion(0, LABELS | {"confusion": [[count, 100 - count], [0, 100]]}))
    ends = [colour for at, colour in drawn["traces"][0]["colorscale"] if at <= share]
    colour, _slash, opacity = (ends[-1] if share < 1 else drawn["traces"][0]["colorscale"][-1][1]).partition("/")
    paper, ink = channels(shown["paper"]), drawn["layout"]["annotations"][0]["font"]["color"].removeprefix("@")
    part = float(opacity or 1)
    cell = luminance(part * channels(shown["c" + colour[1:]]) + (1 - part) * paper)
    dark, bright = sorted([luminance(channels(shown[ink])), cell])
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_many_classes_are_taken_together():
    classes = [f"c{number}" for number in range(12)]
    drawn = only(curves.confusion(0, LABELS | {"classes": classes, "confusion": np.ones((12, 12), int).tolist()}))
    assert len(drawn["rows"]) == 64 and sum(row[2] for row in drawn["rows"]) == 144


def test_numbers_stand_with_their_ranges():
    trace = only(numbers.fit(0, NUMBER))["traces"][1]
    low, high = bars(trace, "error_x")
    assert np.allclose(trace["x"], PREDICTED, rtol=1e-5) and np.allclose(trace["y"], ACTUAL, rtol=1e-5)
    assert np.allclose(low, PREDICTED - 10, atol=1e-3) and np.allclose(high, PREDICTED + 11, atol=1e-3)
    before = only(numbers.fit(0, old(NUMBER)))
    assert "error_x" not in before["traces"][1] and len(before["heads"]) == 2
    assert only(numbers.residuals(0, NUMBER))["rows"][1] == [-5.0, 5.0, 40]
    bar = only(numbers.spread(0, NUMBER))["traces"][0]
    assert bar["y"] == [0.9, 0.8] and numbers.spread(0, old(NUMBER)) is None


def test_long_names_are_wrapped_so_that_a_phone_shows_more_than_names():
    name = "Ensemble of <b>networks, settings searched and then some more of it than anybody wants"
    report_of = report(LABELS) | {"importance": {name: 0.6, "x" * 40: 0.4}, "importance_range": {}}
    layout = only(importance(report_of))["layout"]
    for label in layout["yaxis"]["ticktext"]:
        lines = label.split("<br>")
        assert 1 < len(lines) <= 3 and all(len(unescape(line)) <= 15 for line in lines)
        assert "<b>" not in "".join(lines)
    assert wrapped("DiabetesPedigreeFunction") == "Diabetes<br>Pedigree<br>Function" and wrapped(" ") == ""
    assert layout["height"] > only(importance(report(LABELS)))["layout"]["height"]


def test_importance_is_ordered_and_has_intervals():
    drawn = only(
        importance(report(LABELS) | {"importance": {"a": 0.3, "b": 0.7}, "importance_range": {"b": [0.6, 0.75]}})
    )
    low, high = bars(drawn["traces"][0], "error_x")
    assert drawn["layout"]["yaxis"]["ticktext"] == ["b", "a"] and np.allclose([*low, *high], [0.6, 0.3, 0.75, 0.3])
    assert importance(report() | {"importance": {}}) is None


def test_thin_regions_and_errors_are_said():
    section = thin.thin(0, LABELS, {"size": {"type": "FLOAT", "unit": "m2"}}, 0, 240)
    text = " ".join(section.paragraphs)
    assert "Only 12 rows were learned from where “size” is from 60 on: answers there are guesses." in text
    assert "Only 1 row was learned from where “city” is “<b>east”" in text and "is empty" in text
    assert (
        "Where “size” is 40\u00a0– 60, 50\u00a0% of its answers are wrong (45\u00a0%\u00a0– 55\u00a0%); usually 20\u00a0%."
        in text
    )
    assert "is below 40" not in text and section.paragraphs[-1].startswith("To change that, add rows")
    drawn = only(section)
    assert drawn["traces"][0]["marker"]["color"] == ["@0", "@0", "@0/0.35"]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "size (m2)"
    assert [*thin.thin(0, LABELS, {}, None, 240).drawn] == ["thin-0-0", "thin-0-1"]
    assert [*thin.thin(0, LABELS, {}, 1, 240).drawn] == ["thin-0-1"]


def test_enough_rows_everywhere_is_said():
    fine = LABELS | {"regions": [{"column": "a", "bins": [a_bin(100, high=1.0), a_bin(140, low=1.0)]}]}
    assert thin.thin(0, fine, {}, 0, 240).paragraphs == [
        "There are enough rows everywhere, and no part of the data is answered worse than usual."
    ]
    assert "Only 100 rows" in thin.thin(0, fine, {}, 0, 20_000).paragraphs[0]


def test_what_lies_outside_is_told_of_every_column():
    inputs = [{"name": "a", "type": "FLOAT", "low": 1.0, "high": 9.0}, {"name": "t", "type": "LANGUAGE"},
              {"name": "c", "type": "LABEL", "labels": [str(n) for n in range(20)]}]  # fmt: skip
    rows = [[cell.text for cell in row] for row in thin.outside(inputs, {"c": 0.9}).tables[0].rows]
    assert [row[0] for row in rows] == ["c", "a"] and rows[0][1].endswith("+8") and rows[1][1] == "1 – 9"


EFFECTS = {
    "rows": 200, "asked": 100, "answers": [{"output": "risk", "label": "yes"}, {"output": "price", "label": None}],
    "columns": [
        {"name": "size", "type": "FLOAT", "unit": "m2", "values": [1.0, 2.0, 3.0], "counts": [99, 100, 1],
         "lines": [{"mean": [0.1, 0.2, 0.3], "low": [0.0, 0.1, 0.2], "high": [0.2, 0.3, 0.4]}] * 2},
        {"name": "city", "type": "LABEL", "unit": "", "values": ["n", "<i>"], "counts": [150, 50],
         "lines": [{"mean": [0.1, 0.2], "low": [0.0, 0.1], "high": [0.2, 0.3]}] * 2},
    ],
}  # fmt: skip


def test_the_effect_of_a_column_shows_mean_band_and_thin_parts():
    drawn = effect(EFFECTS, 0, 0).drawn["effect-0-0"]
    low, high, line = drawn["traces"]
    assert (low["y"], high["y"], line["y"]) == ([0.0, 0.1, 0.2], [0.2, 0.3, 0.4], [0.1, 0.2, 0.3])
    assert line["marker"]["symbol"] == ["circle", "circle", "circle-open"] and len(drawn["rules"]) == 2
    drawn = effect(EFFECTS, 1, 1).drawn["effect-1-1"]
    assert drawn["layout"]["xaxis"]["ticktext"] == ["n", "&lt;i&gt;"] and drawn["traces"][0]["base"] == [0.0, 0.1]
    assert [*effect(EFFECTS, None, 0).drawn] == ["effect-0-0", "effect-1-0", "effect-0-1", "effect-1-1"]
    assert [*effect(EFFECTS, 99, 99).drawn] == ["effect-0-0"]
