"""Numbers that name things: a pig, a shop, a day. What one of them says, the numbers next to it do not.

Trees and networks take numbers for amounts, where neighbours are alike. So the exact value is asked about what they leave
unexplained: where the rows of other parts that have it tell more than those that have numbers next to it, it is a name, and
learned as a label as well (see encode). Who only names rows, once each, says nothing and is not asked.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from machines.engine.boosters import Doubles, Settings
from machines.engine.encode import Encoded
from machines.engine.encode_text import MOST_LABELS
from machines.engine.folds import answered, learned_from, once
from machines.engine.prepare import Target
from machines.engine.progress import Clock
from machines.engine.schema import Column, DataType, Table
from machines.engine.trees import Boosting

Rows = NDArray[np.int64]

PARTS = 3
MOST_ROWS = 10_000
CELLS = 60_000  # per second of the time, rows, features and classes multiplied: beyond, the question takes too long
MADE = 3_000_000  # marks of all names together, some 100 MB: the memory was planned without them, see sampling
FEW = 20  # different numbers that trees tell apart by themselves
EACH = 3  # rows per number at least, on average
NEAR = 20  # rows on either side that count as next to a number
PRIOR = 10.0  # rows that nothing, or what is next to it, counts as beside the rows of a number
TELLS = 0.025  # less squared error
LEFT = Settings(0, leaves=31, rate=0.04, features=0.7)  # so few ROUNDS are longer than that, see Boosting
ROUNDS = 100


def naming(
    table: Table, columns: Sequence[Column], encoded: Encoded, targets: Sequence[Target], parts: Rows, clock: Clock
) -> tuple[Column, ...]:
    """The columns of numbers that name things, judged by MOST_ROWS rows; none where that would take too long or too much.

    By estimate, and however much time is left: an attempt that goes on must learn from the same table as the one before it.
    `encoded`, `targets` and `parts` hold the rows of `table`; rows that belong together are in one of the PARTS.
    """
    most = MADE // (MOST_LABELS * len(parts))
    rows = np.sort(np.random.default_rng(0).permutation(len(parts))[:MOST_ROWS])
    if len(rows) * encoded.width * sum(target.width for target in targets) > CELLS * clock.seconds or not most:
        return ()
    numbers = {column: table[column.name][rows] for column in columns if column.type is DataType.FLOAT}
    asked = {column: x for column, x in numbers.items() if _repeats(x)}
    if not asked or len(np.unique(parts[rows])) < PARTS:
        return ()
    left = _left(encoded.take(rows), [target.take(rows) for target in targets], parts[rows], clock)
    return tuple(column for column, x in asked.items() if left is not None and _tells(x, left, parts[rows]))[:most]


def _repeats(x: Doubles) -> bool:
    """Whether they are whole numbers, many different ones, and most of them several times."""
    known = x[np.isfinite(x)]
    return bool((known == np.floor(known)).all()) and FEW < len(np.unique(known)) <= len(known) / EACH


def _left(encoded: Encoded, targets: Sequence[Target], parts: Rows, clock: Clock) -> Doubles | None:
    """What boosted trees of the other parts leave unexplained: [rows, outputs], in units of its deviation; None without trees."""
    found = []
    for target in targets:
        answers = Boosting(LEFT, ROUNDS).fit(once(encoded.flat()), target, parts, lambda: clock.tick() or True)
        if answers is None:
            return None
        truth = np.eye(target.width)[target.values] if target.classes else target.values[:, None]
        found.append(truth - answers)
    left = np.concatenate(found, 1).astype(np.float64)
    scaled: Doubles = left / np.maximum(left.std(0), 1e-12)
    return scaled


def _tells(x: Doubles, left: Doubles, parts: Rows) -> bool:
    """Whether the exact number explains what is left, in each part and by TELLS of it."""
    known = np.isfinite(x)
    if len(np.unique(parts[known])) < PARTS:
        return False
    errors = np.array([_errors(x[known], left[known], parts[known], part) for part in range(PARTS)])
    near, exact = errors.T
    return bool((exact < near).all()) and float(exact.sum()) < (1 - TELLS) * float(near.sum())


def _errors(x: Doubles, left: Doubles, parts: Rows, part: int) -> tuple[float, float]:
    """Squared errors of a part's rows by what the others' rows had with numbers next to it, and with the number itself."""
    learn, ask = learned_from(parts, part), answered(parts, part)
    numbers, place, counts = np.unique(x[learn], return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(place, column[learn], len(numbers)) for column in left.T], 1)
    rows, total = np.append(0, counts.cumsum()), np.vstack([np.zeros(left.shape[1]), sums.cumsum(0)])
    low = np.maximum(np.searchsorted(rows, rows[:-1] - NEAR, "right") - 1, 0)
    high = np.minimum(np.searchsorted(rows, rows[1:] + NEAR), len(numbers))
    around = rows[high] - rows[low] - counts
    near = (total[high] - total[low] - sums) / (around + 2 * PRIOR)[:, None]
    exact = (sums + PRIOR * near) / (counts + PRIOR)[:, None]
    at = np.minimum(np.searchsorted(numbers, x[ask]), len(numbers) - 1)
    there = numbers[at] == x[ask]
    truth, at = left[ask][there], at[there]
    return float(((truth - near[at]) ** 2).sum()), float(((truth - exact[at]) ** 2).sum())
