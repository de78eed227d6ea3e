"""The statistics of the accuracy benchmark: figures that can be worked out by hand, or are in a textbook."""

import math

import numpy as np
import pytest

from benchmarks.ranking import LEAST_LOSS, average_ranks, duel, mean_of, ranks, relative, tied, wilson

pytestmark = pytest.mark.engine


def test_it_works():
    found = duel([0.9, 1.0, 1.2, 0.5], [1.0, 1.0, 1.0, 1.0])
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.win_rate.value == 0.5
    assert found.difference is not None and found.difference.value == pytest.approx(-0.1)
    assert found.difference.low < -0.1 < found.difference.high


def test_two_losses_within_a_fifth_of_a_percent_are_a_tie():
    assert tied(1.0, 1.0019) and tied(1.0019, 1.0) and not tied(1.0, 1.0021)
    assert (duel([1.0019], [1.0]).ties, duel([0.997], [1.0]).wins, duel([1.003], [1.0]).losses) == (1, 1, 1)


def test_a_tie_is_neither_won_nor_lost():
    found = duel([1.0, 1.0, 1.0, 0.5], [1.0, 1.0, 1.0, 1.0])
    assert (found.wins, found.ties, found.losses, found.win_rate.value) == (1, 3, 0, 0.25)


def test_ranks_of_ties_are_their_mean():
    assert ranks([3.0, 1.0, 2.0]) == [3, 1, 2]
    assert ranks([1.0, 1.001, 2.0, 1.0]) == [2, 2, 4, 2]
    assert ranks([5.0]) == [1]


def test_small_steps_do_not_chain_into_one_tie():
    assert ranks([1.0, 1.0015, 1.003]) == [1.5, 1.5, 3]


def test_who_failed_is_last_and_two_failures_tie():
    assert ranks([math.inf, 1.0, math.inf]) == [2.5, 1, 2.5]
    found = duel([1.0, math.inf, math.inf], [math.inf, 1.0, math.inf])
    assert (found.wins, found.ties, found.losses) == (1, 1, 1)
    assert found.difference is None and found.clipped is None


def test_average_ranks_are_over_tables():
    assert average_ranks({"a": [1.0, 3.0], "b": [2.0, 1.0], "c": [3.0, 2.0]}) == {"a": 2, "b": 1.5, "c": 2.5}


def test_the_interval_of_a_share_is_wilsons():
    found = wilson(10, 20)
    assert (found.low, found.high) == pytest.approx((0.29930, 0.70070), abs=1e-4)
    none, all = wilson(0, 10), wilson(10, 10)
    assert (none.low, none.high) == pytest.approx((0, 0.27753), abs=1e-4)
    assert (all.low, all.high) == pytest.approx((0.72247, 1), abs=1e-4)


def test_the_interval_of_a_mean_shrinks_with_the_root_of_the_tables():
    values = np.random.default_rng(0).normal(1.0, 2.0, 400).tolist()
    found = mean_of(values)
    assert found is not None and found.value == pytest.approx(np.mean(values))
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(values) / 20, rel=0.1)
    assert mean_of([]) is None and mean_of(values) == found


def test_one_table_with_hardly_any_loss_does_not_rule_the_clipped_mean():
    found = duel([0.5, 0.9, 0.9], [1e-9, 1.0, 1.0])
    assert found.difference is not None and found.clipped is not None
    assert found.difference.value > 1000
    assert found.clipped.value == pytest.approx((1 - 0.1 - 0.1) / 3)
    assert relative(LEAST_LOSS, 0.0) == 1 and relative(0.0, 0.0) == 0
