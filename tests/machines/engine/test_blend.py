"""No row has a say in its own answer, and a file that answers otherwise than its parts is never handed out."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from machines.engine import finish
from machines.engine.blend import MOST_MICROS, blend_of, blend_weights, cross_fitted, dealt, misranked
from machines.engine.candidates import Candidate
from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.engine.parity import ParityError
from machines.engine.prepare import Target
from machines.engine.schema import Column, DataType
from tests.machines.engine.tables import simple_table

ROWS = np.arange(200)


def candidates(rng, truth):
    """Three models, each right in its own way."""
    noisy = [truth + rng.normal(0, width, 200) for width in (0.3, 0.5, 0.9)]
    answers = [column.astype(np.float32)[:, None] for column in noisy]
    spreads = np.full((200, 2), 0.5, np.float32)
    return [Candidate(str(i), {0: a}, lambda g, names: {}, spreads) for i, a in enumerate(answers)]


def test_what_is_true_of_a_row_changes_nothing_in_its_own_answer():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200).astype(np.float32)
    found, parts = candidates(rng, truth), dealt(200, rng)

    def answers(values):
        target = Target(Column("y", DataType.FLOAT), values)
        return cross_fitted(lambda others: blend_of(found, target, 0, others), ROWS, parts)

    wild = truth.copy()
    wild[7] += 40
    before, after = answers(truth), answers(wild)
    assert (before[7] == after[7]).all()
    assert (before != after).any(), "others' answers do learn from it"


def test_a_blend_is_no_worse_than_its_best_member():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=200).astype(np.float32)
    parts = [c.answers[0] for c in candidates(rng, truth)]
    weights = blend_weights(parts, Target(Column("y", DataType.FLOAT), truth))
    losses = [
        float(np.square(p[:, 0] - truth).mean())
        for p in [*parts, sum(w * p for w, p in zip(weights, parts, strict=True))]
    ]
    assert weights.sum() == pytest.approx(1) and losses[-1] <= min(losses[:-1]) * 1.001


def test_a_blend_keeps_to_its_time_for_a_row():
    """Of three that would help, the best alone fills the time: the others must be quick enough to fit beside it."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=400).astype(np.float32)
    parts = [(truth + rng.normal(size=400) * noise).astype(np.float32)[:, None] for noise in (0.5, 0.6, 0.6)]
    target = Target(Column("y", DataType.FLOAT), truth)
    assert (blend_weights(parts, target, np.diag([10.0, 10.0, 10.0])) > 0).all()
    within = blend_weights(parts, target, np.diag([MOST_MICROS - 10, 11.0, 9.0]))
    assert within[0] > 0 and within[1] == 0 and within[2] > 0


def test_several_cheap_ones_may_be_better_than_the_best_that_leaves_no_room():
    rng = np.random.default_rng(6)
    truth = rng.normal(size=400).astype(np.float32)
    parts = [(truth + rng.normal(size=400) * noise).astype(np.float32)[:, None] for noise in (0.5, 0.6, 0.6, 0.6)]
    target = Target(Column("y", DataType.FLOAT), truth)
    weights = blend_weights(parts, target, np.diag([MOST_MICROS - 10, 50.0, 50.0, 50.0]))
    assert weights[0] == 0 and (weights[1:] > 0).all()


def test_what_takes_too_long_for_a_row_is_taken_only_where_there_is_nothing_else():
    rng = np.random.default_rng(7)
    truth = rng.normal(size=400).astype(np.float32)
    parts = [(truth + rng.normal(size=400) * noise).astype(np.float32)[:, None] for noise in (0.1, 0.6, 0.7)]
    target = Target(Column("y", DataType.FLOAT), truth)
    weights = blend_weights(parts, target, np.diag([MOST_MICROS + 1, 50.0, 50.0]))
    assert weights[0] == 0 and weights[1] > 0
    assert blend_weights(parts[:2], target, np.diag([MOST_MICROS + 1, MOST_MICROS + 2])).tolist() == [1, 0]


def two_classes(rng, rows):
    truth = rng.integers(0, 2, rows)
    chance = 1 / (1 + np.exp(-(2 * truth - 1) - rng.normal(0, 2, rows)))
    return Target(Column("y", DataType.LABEL), truth, ("no", "yes")), chance


def labelled(name, chance):
    answers = np.stack([1 - chance, chance], 1).astype(np.float32)
    return Candidate(name, {0: answers}, lambda g, names: {})


def test_pairs_of_rows_ranked_wrongly():
    target, chance = two_classes(np.random.default_rng(4), 3000)
    both = np.stack([1 - chance, chance], 1)
    assert misranked(both, target.values) == pytest.approx(1 - roc_auc_score(target.values, chance), abs=1e-9)
    assert misranked(both[:1], target.values[:1]) == 0, "without both classes there are no pairs"


def test_a_blend_of_two_classes_is_also_chosen_by_how_it_ranks():
    """One says of everybody what is usual, and has the lower loss; the other, a little off, knows the order."""
    target, chance = two_classes(np.random.default_rng(5), 2000)
    usual, knowing = np.full(2000, target.values.mean()), 0.53 + 1e-3 * (chance - 0.5)
    found = [labelled("usual", usual), labelled("knowing", knowing)]
    assert blend_weights([c.answers[0] for c in found], target)[1] == 0, "by the loss alone it would not count"
    assert "knowing" in {candidate.name for candidate, _ in blend_of(found, target, 0, np.arange(2000)).parts}


def test_a_file_that_does_not_answer_as_its_parts_is_refused(monkeypatch):
    build = finish.build_model

    def spoiled(inputs, encoder, answers):
        encoder.number.center_ = encoder.number.center_ + 0.01  # only in the file: it is put back at once
        try:
            return build(inputs, encoder, answers)
        finally:
            encoder.number.center_ = encoder.number.center_ - 0.01

    monkeypatch.setattr(finish, "build_model", spoiled)
    with pytest.raises(ParityError, match="y: "):
        fit(*simple_table(60), level=1, deadline=5, seed=0, parameters=Parameters(epochs=1, shape=(8,)))
