"""Why an answer is what it is: how far each value of a row moves it away from the answer to a usual row.

These are Shapley values (Shapley 1953) of the game in which a column has either its own value or the usual one: Strumbelj
and Kononenko 2014, "Explaining prediction models and individual predictions with feature contributions", with one row to
compare with, as in Sundararajan and Najmi 2020, arXiv 1908.08474. So they add up to the difference from the usual answer
(also Lundberg and Lee 2017, arXiv 1705.07874), columns that do the same share alike, and a column that moves nothing has
nothing. All changed rows are answered in one call, whatever kind of model answers.

A cell that is empty stays empty in every changed row, and one that holds the usual value has no say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import comb
from time import thread_time
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.schema import Table
from machines.serving.predictor import Predictor

Doubles: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Cells: TypeAlias = Mapping[str, Any]  # by column; None where there is none
Players: TypeAlias = Sequence[Sequence[str]]  # columns that change together
Game: TypeAlias = Callable[[Bools], Doubles]  # who has joined [coalitions, players] -> answers [outputs, coalitions]

MOST_EXACT = 6  # players of whom every coalition is asked; with more, orders are drawn
MOST_PLAYERS = 40  # columns that matter less are taken together
MOST_ROWS = 400  # that are asked for one answer, about
MOST_PAIRS = 16  # of orders
BATCH = 80  # rows at least that are asked in one call, if there are so many
SECONDS = 0.05  # of the processor, after which no further orders are begun: a slow machine has coarser reasons


@dataclass(frozen=True)
class Reasons:
    """What moved one output: its number, or the chance of the label that was answered."""

    output: str
    usual: float  # the same of the usual row
    parts: Mapping[str, float]  # by column, the strongest first; with `others` they add up to the answer minus `usual`
    others: float = 0.0  # of columns that matter little, together


def reasons(predictor: Predictor, row: Table) -> list[Reasons]:
    """Explain the answer to one row of typed columns [1], per output; [] where nothing differs from what is usual."""
    usual = usual_cells(predictor.metadata)
    own = {column.name: _cell(row.get(column.name), column.zero_is_missing) for column in predictor.schema.inputs}
    told = [name for name, cell in usual.items() if None not in (cell, own[name]) and own[name] != cell]
    if not told:
        return []
    players = _players(told, predictor.metadata["inputs"])
    nobody_and_all = np.repeat([[False], [True]], len(players), axis=1)
    raw = predictor.run(_changed(own, usual, players, nobody_and_all))
    game = partial(_ask, predictor, own, usual, players, _asked(predictor.metadata["outputs"], raw))
    ends = game(nobody_and_all)
    shares = _exact(game, len(players)) if len(players) <= MOST_EXACT else _sampled(game, ends, len(players))
    names = [output["name"] for output in predictor.metadata["outputs"]]
    return [
        _sorted(name, usually, players, parts) for name, usually, parts in zip(names, ends[:, 0], shares, strict=True)
    ]


def usual_cells(description: Mapping[str, Any]) -> Cells:
    """The middle of every number, the most frequent label, no text."""
    inputs = description.get("inputs", ())
    return {i["name"]: i["median"] if "median" in i else next(iter(i.get("labels", ())), "") for i in inputs}


def _cell(values: NDArray[Any] | None, zero_is_missing: bool) -> float | str | None:
    if values is None:
        return None
    if values.dtype == object:
        return str(values[0]) or None
    number = float(values[0])
    return number if np.isfinite(number) and (number or not zero_is_missing) else None


def _players(names: Sequence[str], inputs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Each column for itself; of too many the most telling ones, and at last the others together."""
    if len(names) <= MOST_PLAYERS:
        return [[name] for name in names]
    telling = {item["name"]: item.get("importance") or 0.0 for item in inputs}
    ordered = sorted(names, key=lambda name: -telling[name])
    return [*([name] for name in ordered[: MOST_PLAYERS - 1]), ordered[MOST_PLAYERS - 1 :]]


def _changed(own: Cells, usual: Cells, players: Players, joins: Bools) -> dict[str, NDArray[Any]]:
    """A row per coalition: own cells where their player has joined, else usual ones; what is empty stays empty."""
    table = {}
    for name, cell in own.items():
        if isinstance(usual[name], str):
            table[name] = np.full(len(joins), "" if cell is None else cell, object)
        else:
            table[name] = np.full(len(joins), np.nan if cell is None else cell)
    for player, names in enumerate(players):
        for name in names:
            table[name][~joins[:, player]] = usual[name]
    return table


def _asked(outputs: Sequence[Mapping[str, Any]], raw: Mapping[str, NDArray[Any]]) -> list[str]:
    """What is explained, per output: the number, or the chance of the label that the whole row is answered with."""
    return [f"{o['name']}:{raw[o['name']][-1]}" if o["classes"] else o["name"] for o in outputs]


def _ask(
    predictor: Predictor, own: Cells, usual: Cells, players: Players, asked: Sequence[str], joins: Bools
) -> Doubles:
    raw = predictor.run(_changed(own, usual, players, joins))
    return np.stack([raw[name] for name in asked]).astype(np.float64)


def _exact(game: Game, players: int) -> Doubles:
    """Shapley's formula over every coalition: [outputs, players]"""
    joins: Bools = np.arange(2**players)[:, None] >> np.arange(players) & 1 == 1
    answers, sizes = game(joins), joins.sum(1)
    weights = np.array([1 / (players * comb(players - 1, size)) for size in range(players)])
    shares = []
    for j in range(players):
        without = np.flatnonzero(~joins[:, j])
        shares.append((answers[:, without + 2**j] - answers[:, without]) @ weights[sizes[without]])
    return np.stack(shares, 1)


def _sampled(game: Game, ends: Doubles, players: int) -> Doubles:
    """The mean of the steps that each player makes when joining, over as many orders as there is time for."""
    began, steps = thread_time(), []
    for orders in _orders(players):
        between = game(_joined(orders)).reshape(len(ends), len(orders), players - 1)
        first, last = (np.broadcast_to(end[:, None, None], (*between.shape[:2], 1)) for end in ends.T)
        walked = np.diff(np.concatenate([first, between, last], 2))
        steps.append(np.take_along_axis(walked, orders[None], 2))
        if thread_time() - began > SECONDS:
            break
    shares: Doubles = np.concatenate(steps, 1).mean(1)
    return shares


def _orders(players: int) -> list[Ints]:
    """When each player joins, in batches: [orders, players]. Always the same, so that the same row has the same reasons.

    Every other order is the one before it backwards (Mitchell et al. 2022, arXiv 2104.12199, section 4.1): what two columns
    do only together is then shared exactly.
    """
    pairs = min(MOST_PAIRS, -(-MOST_ROWS // (2 * players)))
    forwards = np.random.default_rng(0).random((pairs, players)).argsort(1)
    both = np.stack([forwards, players - 1 - forwards], 1)
    batch = -(-BATCH // (2 * players))
    return [both[i : i + batch].reshape(-1, players) for i in range(0, pairs, batch)]


def _joined(orders: Ints) -> Bools:
    """Who has joined after each step but the last, order after order: [orders * (players - 1), players]"""
    players = orders.shape[1]
    joined: Bools = orders[:, None, :] < np.arange(1, players)[None, :, None]
    return joined.reshape(-1, players)


def _sorted(output: str, usual: float, players: Players, shares: Doubles) -> Reasons:
    found = shares.tolist()
    others = found.pop() if len(players[-1]) > 1 else 0.0
    parts = [(names[0], share) for names, share in zip(players, found, strict=False)]
    return Reasons(output, float(usual), dict(sorted(parts, key=lambda part: -abs(part[1]))), others)
