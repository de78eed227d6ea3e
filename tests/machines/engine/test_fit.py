"""Training as a whole: promises about time, rows held back, repeatability and what is refused."""

import json
import time
from dataclasses import replace

import numpy as np
import onnx
import pytest

from machines.engine.errors import DataError
from machines.engine.fit import fit
from machines.engine.parameters import LEVEL_SECONDS, Parameters
from machines.engine.schema import Column, DataType, Role, Schema
from tests.machines.engine.tables import few_candidates, simple_table

QUICK = Parameters(epochs=2, only_network=True)
F, L, IN, OUT = DataType.FLOAT, DataType.LABEL, Role.INPUT, Role.OUTPUT


def train(table, schema, deadline=2.0, seed=0, **options):
    return fit(
        table,
        schema,
        level=1 if deadline <= 5 else 2,
        deadline=deadline,
        seed=seed,
        parameters=options.pop("parameters", QUICK),
        **options,
    )


def nodes(fitted):
    model = onnx.load_from_string(fitted.onnx)
    return model.graph.SerializeToString()


@pytest.fixture(scope="module")
def label():
    """A table, and a machine of its first 400 rows."""
    table, schema = simple_table(2400, 4, seed=5, classes=2)
    return table, train(first(400, table), schema, deadline=2, parameters=Parameters())


@pytest.fixture(scope="module")
def number():
    """The same of a number that is told less well the farther x is from 0."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 2400)
    table = {"x": x, "y": np.sin(2 * x) + rng.normal(size=2400) * (0.05 + 0.3 * np.abs(x))}
    schema = Schema((Column("x", DataType.FLOAT), Column("y", DataType.FLOAT, Role.OUTPUT)))
    return table, train(first(400, table), schema, deadline=2, parameters=Parameters())


def first(rows, table):
    return {name: values[:rows] for name, values in table.items()}


def later(table):
    """The rows that no machine learned from."""
    return {name: values[400:] for name, values in table.items()}


def test_it_works(label):
    _, fitted = label
    report = fitted.report.outputs[0]
    assert report.task == "binary" and report.holdout["roc_auc"].value > 0.85
    assert report.holdout["roc_auc"].low < report.holdout["roc_auc"].value < report.holdout["roc_auc"].high
    assert sum(map(sum, report.confusion)) == fitted.report.rows_held_out == 400
    assert fitted.report.rows_trained == 400 and len(fitted.report.validation_loss) == fitted.report.epochs > 2


def test_level_seconds():
    assert list(LEVEL_SECONDS) == [1, 2, 3, 4, 5] and list(LEVEL_SECONDS.values()) == sorted(LEVEL_SECONDS.values())


def test_several_outputs_at_once(mixed):
    price, kind = mixed.report.outputs
    assert (price.task, kind.task) == ("number", "binary")
    assert price.holdout["r2"].value > 0.5 and kind.holdout["accuracy"].value > 0.7
    assert price.baseline_shown == "linear" and set(price.baselines) == {"mean", "linear"}
    assert set(kind.baselines) == {"class_rates", "linear"} and kind.baseline["log_loss"].value < 0.69
    assert 0 < len(price.points) <= 500 and price.coverage > 0.75
    assert json.dumps(mixed.report.to_json(), allow_nan=False)
    for name in ("training", "evaluation", "training_noise", "evaluation_noise"):
        assert set(mixed.report.samples[name]) == {"loss", "accuracy"}


def test_what_the_report_page_shows(mixed):
    """One page of figures, all of them of the same rows and about the same answers."""
    price, kind = (json.loads(json.dumps(output.to_json())) for output in mixed.report.outputs)
    for output, metric in ((price, "rmse"), (kind, "log_loss")):
        blend, *others = output["leaderboard"]
        assert blend["name"] == "blend" and blend["value"] == pytest.approx(
            output["holdout"][metric]["value"], rel=1e-5
        )
        assert blend["low"] == pytest.approx(output["holdout"][metric]["low"], rel=1e-5)
        assert {line["name"]: line["weight"] for line in others if line["weight"]} == output["weights"]
        assert [line["value"] for line in others] == sorted(line["value"] for line in others)
        assert all(0 < line["seconds"] < mixed.report.seconds for line in others)
        assert {part["column"] for part in output["regions"]} == {"size", "rooms", "city", "built", "sold", "opens"}
        for part in output["regions"]:
            assert sum(one["rows"] for one in part["bins"]) == mixed.report.rows_trained
            assert sum(one["measured"] for one in part["bins"]) == output["rows"]
            wrong = sum(one["measured"] * (one["error"] or 0) for one in part["bins"]) / output["rows"]
            assert wrong == pytest.approx(output["usual_error"], rel=1e-4)
    assert price["usual_error"] == pytest.approx(price["holdout"]["mae"]["value"], rel=1e-5)
    assert kind["usual_error"] == pytest.approx(1 - kind["holdout"]["accuracy"]["value"], rel=1e-5)
    most = max(mixed.report.importance, key=lambda name: mixed.report.importance[name])
    assert price["regions"][0]["column"] == most
    assert all(low <= predicted <= high for predicted, _actual, low, high in price["points"])
    covered = sum(part["rows"] * part["covered"] for part in price["spread"]) / price["rows"]
    assert covered == pytest.approx(price["coverage"], rel=1e-4)
    assert price["operating"] == kind["spread"] == kind["points"] == []
    (curve,) = kind["operating"]
    assert curve["label"] == kind["classes"][1] and curve["found"][-1] == curve["positives"]
    assert curve["found"][-1] + curve["false"][-1] == curve["rows"] == kind["rows"]
    found, false = ([0, *curve[name]] for name in ("found", "false"))
    area = np.trapezoid(found, false) / (found[-1] * false[-1])
    assert area == pytest.approx(kind["holdout"]["roc_auc"]["value"], abs=0.002)


def test_noise_is_not_praised():
    """Every candidate can learn these rows by heart; the figures are of rows that what answered them had not seen."""
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=300) for i in range(4)} | {
        "who": rng.choice(list("abcdefghijkl"), 300).astype(object)
    }
    columns = [Column(name, L if name == "who" else F) for name in table]
    table["y"] = rng.choice(["no", "yes"], 300).astype(object)
    fitted = train(table, Schema((*columns, Column("y", L, OUT))), deadline=2, parameters=Parameters())
    auc = fitted.report.outputs[0].holdout["roc_auc"]
    assert auc.low < 0.5 < auc.high or auc.value < 0.5


def test_the_accuracy_claimed_comes_true(label):
    table, fitted = label
    true = np.mean(fitted.predictor().predict(later(table))[0].values == later(table)["y"])
    claimed = fitted.report.outputs[0].holdout["accuracy"]
    assert claimed.low * 0.97 < true < claimed.high * 1.03


def test_the_error_claimed_comes_true(number):
    table, fitted = number
    true = np.std(fitted.predictor().predict(later(table))[0].values - later(table)["y"])
    claimed = fitted.report.outputs[0].holdout["rmse"]
    assert claimed.low * 0.97 < true < claimed.high * 1.03


def test_same_seed_same_machine():
    """The time is generous: what decides is the estimate, not the clock."""
    table, schema = simple_table(60)
    quick = Parameters(epochs=1, shape=(8,))
    with few_candidates():
        one, same, other = (train(table, schema, 60, seed, parameters=quick) for seed in (0, 0, 1))
    assert nodes(one) == nodes(same) != nodes(other)


@pytest.mark.parametrize(
    "rows, columns, classes", [(60, 1200, 0), (150_000, 6, 0), (3000, 4, 300)], ids=["wide", "long", "classes"]
)
def test_the_deadline_is_kept(rows, columns, classes):
    table, schema = simple_table(rows, columns, classes=classes)
    started = time.monotonic()
    reports = []
    fitted = train(
        table, schema, 1.2, parameters=Parameters(), on_progress=lambda p: not reports.append((time.monotonic(), p))
    )
    assert time.monotonic() - started < 1.2 * 1.1 + 2
    assert fitted.predictor().predict({name: values[:3] for name, values in table.items()})
    shares = [p.share for _, p in reports]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert reports[-1][1].seconds_left == 0 and json.dumps([p.to_json() for _, p in reports])


@pytest.mark.parametrize("after", [0, 4])
def test_finish_now_keeps_the_best(after):
    table, schema = simple_table(2000, 10, classes=3)
    said = []

    def listen(progress):
        said.append(time.monotonic())
        return len(said) <= after

    fitted = fit(table, schema, level=5, deadline=600, seed=0, on_progress=listen)
    assert time.monotonic() - said[after] < 2.5
    assert len(fitted.predictor().predict({"x0": np.zeros(2)})[0].probabilities) == 3


def test_intervals_cover_nine_in_ten(number):
    table, fitted = number
    x, y = later(table).values()
    answer = fitted.predictor().predict({"x": x})[0]
    inside, width = (answer.low <= y) & (y <= answer.high), answer.high - answer.low
    assert 0.85 <= inside.mean() <= 0.96
    assert width[np.abs(x) > 1.5].mean() > 1.3 * width[np.abs(x) < 0.5].mean()


def test_rows_without_an_answer_are_left_out_and_counted():
    table, schema = simple_table(100)
    table["y"] = np.where(np.arange(100) < 30, np.nan, table["y"])
    report = train(table, schema).report
    assert report.rows == 70 and "left out: 30." in str(report.warnings[0])


def test_a_label_that_occurs_once_is_left_out():
    table, schema = simple_table(100, classes=2)
    table["y"][3] = "lonely"
    fitted = train(table, schema)
    assert fitted.report.outputs[0].classes == ("class 0", "class 1") or set(fitted.report.outputs[0].classes) == {
        "class 0",
        "class 1",
    }
    assert "lonely" in str(fitted.report.warnings[0])


def test_the_seeds_parameters():
    table, schema = simple_table(100)
    some = Parameters(loss="mae", optimizer="sgd", shape=(16,), epochs=2, only_network=True)
    further = {"learning_rate": 0.01, "batch_size": 10}
    others = replace(some, loss="binary_crossentropy", optimizer="rmsprop", shape=(8, 8, 8), **further)
    for parameters in (some, others):
        report = train(table, schema, parameters=parameters).report
        replaced = [warning for warning in report.warnings if "does not suit" in warning.template]
        assert len(replaced) == (parameters.loss == "binary_crossentropy")
        assert all("network" in name or "pieces" in name for name in report.outputs[0].weights)


def schema_of(*columns):
    return Schema(tuple(Column(name, kind, role) for name, kind, role in columns))


NUMBERS = np.arange(100.0)
WORDS = np.array([f"w{i}" for i in range(100)], dtype=object)
REFUSED = {
    "no input": (schema_of(("y", F, OUT)), {"y": NUMBERS}, "No column is used as an input"),
    "no output": (schema_of(("x", F, IN)), {"x": NUMBERS}, "No column is to be predicted"),
    "few rows": (schema_of(("x", F, IN), ("y", F, OUT)), {"x": NUMBERS[:19], "y": NUMBERS[:19]}, "answer in “y”: 19."),
    "constant number": (schema_of(("x", F, IN), ("y", F, OUT)), {"x": NUMBERS, "y": NUMBERS * 0}, "in every row"),
    "constant label": (schema_of(("x", F, IN), ("y", L, OUT)), {"x": NUMBERS, "y": np.full(100, "a", object)}, "in every row"),
    "unique labels": (schema_of(("x", F, IN), ("y", L, OUT)), {"x": NUMBERS, "y": WORDS}, "label of its own"),
    "infinite": (schema_of(("x", F, IN), ("y", F, OUT)), {"x": NUMBERS, "y": np.where(NUMBERS == 7, np.inf, NUMBERS)}, "row 8"),
    "a date": (schema_of(("x", F, IN), ("y", DataType.DATE, OUT)), {"x": NUMBERS, "y": NUMBERS}, "holds DATE"),
    "constant input": (schema_of(("x", F, IN), ("y", F, OUT)), {"x": NUMBERS * 0, "y": NUMBERS}, "nothing to predict from"),
    "clash": (schema_of(("y:low", F, IN), ("y", F, OUT)), {"y:low": NUMBERS, "y": NUMBERS}, "“y:low” would stand for two"),
    "absent": (schema_of(("x", F, IN), ("y", F, OUT)), {"y": NUMBERS}, "“x” is not in the data"),
    "nameless": (schema_of(("", F, IN), ("y", F, OUT)), {"": NUMBERS, "y": NUMBERS}, "has no name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    schema, table, sentence = REFUSED[case]
    with pytest.raises(DataError, match=sentence):
        train(table, schema)


def test_too_many_classes_and_bad_wishes_are_refused():
    table = {"x": np.arange(4400.0), "y": np.array([f"c{i % 1100}" for i in range(4400)], dtype=object)}
    with pytest.raises(DataError, match="1100 different labels"):
        train(table, schema_of(("x", F, IN), ("y", L, OUT)))
    with pytest.raises(DataError, match="“huber” is not a choice for loss"):
        Parameters(loss="huber")
    with pytest.raises(DataError, match="level"):
        fit(*simple_table(30), level=6, deadline=1, seed=0)
