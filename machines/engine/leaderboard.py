"""Every candidate beside the blend, on the rows measured."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from machines.engine.blend import Blend, with_others
from machines.engine.candidates import Candidate
from machines.engine.digits import short
from machines.engine.measure import Answers, in_unit
from machines.engine.metrics import LEAST_CHANCE, interval_of, resamples
from machines.engine.prepare import Target

Doubles: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Asked: TypeAlias = Callable[[slice], NDArray[Any]]

BLEND = "blend"
MOST_SHOWN = 60  # candidates
PIECE = 20_000  # rows that are looked at together


def leaderboard(
    candidates: Sequence[Candidate], blend: Blend, answers: Answers, truth: Target, rows: Rows, seed: int
) -> list[dict[str, Any]]:
    """The blend, then every candidate that answers its output, best first: log loss, or RMSE in the output's unit.

    `answers` are those of the blend for `rows`, as in measure; `truth` holds the same rows. `difference` is a loss minus that
    of the blend, on the same resamples; `seconds` were taken by fitting. Of very many candidates, those with
    a weight and the best are kept.
    """
    able = [c for c in candidates if blend.output in c.answers]
    weights = {id(candidate): weight for candidate, weight in blend.parts}
    asked = [lambda piece: answers[piece], *(_asked(c, blend.output, rows, truth) for c in able)]
    first, *others = losses(asked, truth, seed).T
    lines = [
        _line(c.name, weights.get(id(c), 0.0), (c.seconds, _micros([c])), loss, first)
        for c, loss in zip(able, others, strict=True)
    ]
    lines.sort(key=lambda line: (line["weight"] == 0, line["value"], line["name"]))
    kept = sorted(lines[:MOST_SHOWN], key=lambda line: (line["value"], line["name"]))
    parts = [c for c, _ in blend.parts]
    times = sum(c.seconds for c in with_others(parts)), _micros(parts)
    return [_line(BLEND, 1.0, times, first, first), *kept]


def _micros(candidates: Sequence[Candidate]) -> float:
    """Microseconds that a row takes in these, and in whose answers they learned from."""
    return sum(model.micros for model in with_others(candidates))


def _asked(candidate: Candidate, output: int, rows: Rows, truth: Target) -> Asked:
    """What a candidate answers to a piece of the rows, in the output's unit."""

    def answers(piece: slice) -> NDArray[Any]:
        found = candidate.answers[output][rows[piece]]
        return found if truth.classes else in_unit(found, truth)

    return answers


def losses(asked: Sequence[Asked], truth: Target, seed: int) -> Doubles:
    """The loss of each, of the sample itself and of its resamples: [1 + repeats, asked]

    Each of `asked` gives the answers for a piece of the rows of `truth`, as in measure.
    """
    weights = resamples(len(truth.values), seed)
    total = np.zeros((len(weights), len(asked)))
    for at in range(0, len(truth.values), PIECE):
        piece = slice(at, at + PIECE)
        actual = truth.values[piece] if truth.classes else in_unit(truth.values[piece], truth)
        total += weights[:, piece] @ np.stack([_row_losses(answers(piece), actual) for answers in asked], 1)
    return total if truth.classes else np.sqrt(total)


def _row_losses(answers: NDArray[Any], actual: NDArray[Any]) -> Doubles:
    """Log losses of chances [rows, classes] and class numbers, or squared errors of numbers [rows, 1] and numbers. [rows]"""
    if actual.dtype.kind == "f":
        found = np.square(answers[:, 0] - actual)
    else:
        own = answers[np.arange(len(actual)), actual].astype(np.float64)
        found = -np.log(np.clip(own, LEAST_CHANCE, 1))
    row_losses: Doubles = found
    return row_losses


def _line(name: str, weight: float, times: tuple[float, float], loss: Doubles, best: Doubles) -> dict[str, Any]:
    seconds, micros = times  # of fitting it, and of a row that it answers
    own, more = interval_of(loss), interval_of(loss - best)
    return {
        "name": name,
        **{key: short(value) for key, value in own.to_json().items()},
        "weight": round(weight, 4),
        "seconds": short(seconds),
        "micros": short(micros),
        "difference": {key: short(value) for key, value in more.to_json().items()},
    }
