"""Which network a machine has, and that every network keeps to what was fixed."""

import numpy as np
import pytest

from machines.engine.blend import Blend
from machines.engine.candidates import Candidate
from machines.engine.chosen import chosen, heaviest
from machines.engine.encode import Encoded
from machines.engine.export import Answer
from machines.engine.fit import fit
from machines.engine.fragment import pack, unpack
from machines.engine.lesson import Lesson
from machines.engine.parameters import LOSSES, OPTIMIZERS, Parameters
from machines.engine.plan import KINDS, make_plan
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType, Role
from tests.machines.engine.tables import simple_table

ROWS = 60
FIXED = Parameters(
    loss="mae", optimizer="sgd", shape=(7, 5), learning_rate=0.02, batch_size=16, dropout=0.4, epochs=3
)  # fmt: skip
AS_FIXED = {"optimizer": "sgd", "shape": [7, 5], "learning_rate": 0.02, "batch_size": 16, "dropout": 0.4, "epochs": 3}
LABEL = Column("kind", DataType.LABEL, Role.OUTPUT)
NUMBER = Column("price", DataType.FLOAT, Role.OUTPUT)


@pytest.fixture
def lesson():
    """A number and one of three labels, in two folds."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(ROWS, 3)).astype(np.float32)
    encoded = Encoded(numbers, np.zeros((ROWS, 0), np.uint8), np.zeros((2, ROWS, 0), np.float32))
    labels = Target(LABEL, np.arange(ROWS) % 3, ("a", "b", "c"), (20, 20, 20))
    return Lesson(encoded, (Target(NUMBER, numbers[:, 0]), labels), np.arange(ROWS) % 2)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_network_keeps_to_what_was_fixed(lesson, kind):
    found = chosen(make_plan(lesson, FIXED, kind, 10), lesson.targets)
    assert {name: found[name] for name in AS_FIXED} == AS_FIXED
    assert found["loss"] == {"price": "mae", "kind": "categorical_crossentropy"}  # where the wish does not suit


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_was_not_fixed_is_chosen(lesson, kind):
    found = chosen(make_plan(lesson, Parameters(), kind, 10), lesson.targets)
    assert found["loss"]["price"] in LOSSES and found["optimizer"] in OPTIMIZERS
    assert found["shape"] == list(kind.widths) and found["batch_size"] > 0 and found["epochs"] > 0


def network(name, weight):
    return Candidate(name, {}, dict, network={"optimizer": name}), weight


def blend(*parts, spread=None):
    return Blend(Target(NUMBER, np.zeros(2, np.float32)), 0, parts, spread=spread)


def test_the_heaviest_network_is_told():
    light, heavy, trees = network("light", 0.3), network("heavy", 0.4), (Candidate("trees", {}, dict), 0.6)
    answers = [Answer(blend(trees, heavy), None), Answer(blend(light, trees), None)]
    assert heaviest(answers) == {"name": "heavy", "weight": 0.2, "optimizer": "heavy"}


def test_where_trees_answer_the_network_of_the_intervals_is_told():
    trees, (spread, _), doubt = (Candidate("trees", {}, dict), 1.0), network("spread", 0), network("doubt", 1.0)
    assert heaviest([Answer(blend(trees, spread=spread), blend(doubt))])["name"] == "spread"
    assert heaviest([Answer(blend(trees), blend(doubt))]) == {"name": "doubt", "weight": 0, "optimizer": "doubt"}
    assert heaviest([Answer(blend(trees), None)]) == {}


def test_where_trees_learned_from_a_network_it_is_told():
    (first, _), doubt = network("first", 0), network("doubt", 1.0)
    above = Candidate("stacked", {}, dict, others=(Candidate("trees", {}, dict), first))
    assert heaviest([Answer(blend((above, 1.0)), blend(doubt))])["name"] == "first"


def test_a_trial_remembers_how_it_was_trained(lesson):
    """So that a training that went on after a crash tells the same."""

    def write(g, names):
        return {0: g.add("Identity", names.numbers)}

    before = Candidate("n", {0: np.zeros((ROWS, 1), np.float32)}, write, network={"shape": [4], "optimizer": "sgd"})
    assert unpack(pack(before, lesson, {}), lesson).network == before.network


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_training_tells_its_network(classes):
    table, schema = simple_table(80, classes=classes)
    wishes = Parameters(optimizer="rmsprop", shape=(6,), epochs=2, only_network=True)
    found = fit(table, schema, level=1, deadline=1.5, seed=0, parameters=wishes).report.network
    loss = {0: "mse", 2: "binary_crossentropy", 3: "categorical_crossentropy"}[classes]
    assert (found["loss"], found["optimizer"], found["shape"]) == ({"y": loss}, "rmsprop", [6])
    assert found["weight"] > 0


def test_outputs_of_several_kinds_have_a_loss_each(mixed):
    assert mixed.report.network["loss"] == {"price": "mse", "kind": "binary_crossentropy"}
    assert mixed.report.to_json()["network"]["epochs"] == 2
