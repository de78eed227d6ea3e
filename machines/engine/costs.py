"""What fitting costs: seconds on one usual core, by estimates that were fitted to measurements on some thirty tables.

What is tried is decided by them and not by a clock, so that the same seed gives the same machine.
"""

from collections.abc import Sequence
from math import log2, sqrt

from machines.engine.boosters import Settings
from machines.engine.encode import Encoded
from machines.engine.folds import count
from machines.engine.lesson import Lesson
from machines.engine.plan import MOST_IN_PIECES, SPEED
from machines.engine.prepare import Target
from machines.engine.trees import LEAST_TREES, MOST_PER_SPLIT, measured_by

TREE, LEAF = 1e-4, 1.5e-5  # seconds that a boosted tree takes, per leaf,
NARROW, SOUGHT = 20, 5e-7  # features of a narrow table; seconds that a further one takes per leaf and tree
CELL, MORE_LEAVES = 1.5e-9, 16  # and per cell of its table; twice that with so many leaves, and so on
RANDOM_LEAVES = 0.7  # of the leaves it may have, a tree with thresholds at random grows so many
DEEP_TREE = 8e-4  # seconds that a tree of a forest takes however few rows it has,
SORTED = 0.8e-8  # of numbers per row, level and feature it may split by,
SPLIT = 1e-7  # of labels per row and level
NODES = (2.0, 1.0, 1.5)  # that it has per row: of a number, two labels, more
BOOSTER, BINNED = 0.012, 5e-8  # seconds that boosting takes per fold before the first tree; and per cell
BUNDLED, BUNDLED_MORE = 6, 40  # marks, and further ones, that LightGBM looks at together (Ke et al. 2017, section 4)
USUAL_CELL = 3e-9  # seconds per cell of a tree that counts as usual
USUAL_RATE = 0.06
USUAL_ROUNDS, MORE_ROUNDS = 220, 400  # that boosting takes at that rate; for numbers of more than SOME_ROWS
SOME_ROWS, MANY_LEAVES = 1_500, 100  # of trees with many leaves it takes no more
USUAL_LEAVES = 16  # larger trees take fewer rounds
CHOICES, CHOICE, CHOICE_PER_FEATURE = 26, 5.5e-8, 1.2e-10  # of a kernel: how many, seconds of one per pair of rows
PAIR, TRIPLE = 4e-8, 2e-11  # of rows, seconds that a Gaussian process takes to learn
FOREST = 320  # most trees of a forest, of all its folds
MOST_CLASSES_IN_TREES = 100
STACKED_FROM, STACKED_ROUNDS, STACKED_LEAVES = 5, 100, 4.7  # of a second level as usual: models, rounds, grown leaves


def usual_seconds(rows: int, encoded: Encoded, targets: Sequence[Target], folds: int) -> float:
    """What boosting and a network take on so many rows, by estimate: the least that is worth calling a training.

    Of several labels a network alone: it answers them at once, and boosting grows trees for each.
    """
    numbers = int(encoded.numbers.shape[1])
    boosted = sum(target.width <= 2 for target in targets)
    sums = sum(target.width if target.width > 2 else 1 for target in targets)
    marks = encoded.width - numbers - encoded.further
    weights = (numbers * (17 if numbers <= MOST_IN_PIECES else 1) + marks + 96 + sums) * 96
    bundles = numbers + marks / BUNDLED
    return rows * folds * (2 * USUAL_ROUNDS * boosted * bundles * USUAL_CELL + 24 * 6 * weights / SPEED)


def stacked_seconds(rows: int, width: int, folds: int) -> float:
    """What boosted trees take that learn from the answers of others (see stacking): those of several labels, not of very many."""
    if not 2 < width <= MOST_CLASSES_IN_TREES:
        return 0.0
    cells = rows * STACKED_FROM * width
    per_tree = TREE + STACKED_LEAVES * LEAF + cells * CELL * (1 + STACKED_LEAVES / MORE_LEAVES)
    return folds * (BOOSTER + cells * BINNED + STACKED_ROUNDS * width * per_tree)


class Cost:
    """What models of one output cost."""

    def __init__(self, lesson: Lesson, target: Target, slants: int = 0) -> None:
        """`slants`: how many sums of numbers are seen beside these."""
        self.folds = count(lesson.folds)
        self.rows = int(lesson.train.shape[1])
        self.features = lesson.encoded.width + slants
        self.bundles = (
            lesson.encoded.numbers.shape[1]
            + lesson.encoded.codes.shape[2]
            + (lesson.encoded.marks.shape[1] - lesson.encoded.further) / BUNDLED
            + lesson.encoded.further / BUNDLED_MORE
            + slants
        )
        self.sums = target.width if target.width > 2 else 1
        self.is_number = not target.classes

    def linear(self) -> float:
        passes = 1 if self.is_number else 3 * 60
        return 0.01 + self.folds * passes * self.rows * self.features * self.sums * 4 / 3e9

    def process(self, chosen_by: int) -> float:
        chosen_by = min(chosen_by, self.rows)
        choosing = CHOICES * chosen_by**2 * (CHOICE + self.features * CHOICE_PER_FEATURE)
        return self.folds * choosing + (self.folds + 1) * (self.rows**2 * PAIR + self.rows**3 * TRIPLE)

    def boosting(self, settings: Settings) -> float:
        """Of as many rounds as are usual."""
        takes_more = self.is_number and self.rows > SOME_ROWS and settings.leaves < MANY_LEAVES
        rounds = MORE_ROUNDS if takes_more else USUAL_ROUNDS
        return self.rounds(settings, rounds * (USUAL_LEAVES / settings.leaves) ** 0.35 * USUAL_RATE / settings.rate)

    def rounds(self, settings: Settings, count: float) -> float:
        leaves = settings.leaves * (RANDOM_LEAVES if settings.extra else 1.0)
        if self.sums > 1:  # most rows of a class are soon told apart
            leaves = min(leaves, 2 * sqrt(leaves))
        grown = min(leaves, self.rows / (2 * settings.least))  # a leaf has twice its least rows, about
        per_tree: float = TREE + leaves * LEAF + grown * max(0.0, self.bundles - NARROW) * SOUGHT
        per_tree += self.rows * self.bundles * CELL * (1 + leaves / MORE_LEAVES)
        return self.folds * (BOOSTER + self.rows * self.features * BINNED + count * self.sums * per_tree)

    def forest(self, nodes: int) -> float:
        """Of as many trees as there is room for."""
        nodes_per_row = NODES[0 if self.is_number else 1 if self.sums == 1 else 2]
        kept = min(FOREST // self.folds, max(LEAST_TREES, int(nodes / (nodes_per_row * self.folds * self.rows))))
        trees = measured_by(kept, self.folds)
        per_row = min(0.6 * self.features, MOST_PER_SPLIT) * SORTED if self.is_number else SPLIT
        return trees * self.folds * (DEEP_TREE + self.rows * log2(self.rows + 2) * per_row)
