"""How the networks of a training learned, one after another: what the pictures of it are drawn from."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import MINUS, current_formats
from machines.candidate_names import candidate_name

MOST_ROWS = 200  # of the table beside it
PLAIN_FROM, PLAIN_TO = Decimal("1e-4"), Decimal("1e6")  # outside these an axis has powers of ten: its room is small

Point: TypeAlias = tuple[int, float | None, float | None]  # round; loss on rows learned from, on rows kept aside


@dataclass(frozen=True)
class Tick:
    """A number at an axis, and where: a percentage of its length, from the left or from the top."""

    place: str
    text: str


@dataclass(frozen=True)
class Part:
    """The rounds of one network; what was not told of reports from before is ""."""

    name: str
    points: list[Point]
    training: str  # of an SVG's polyline, in a box of 100 by 100
    validation: str
    begin: float  # between the network before and this one, there


class LossCurve:
    """Loss by round. Every network is a line of its own, for it knows nothing of what those before had learned."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        """`told`: what machines.engine.progress.Curve tells, as JSON; also of works and reports from before."""
        losses = [*zip_longest(told.get("training_loss") or (), told.get("validation_loss") or ())]
        rounds = told.get("loss_rounds") or range(1, len(losses) + 1)
        self.points: list[Point] = [
            (at, training, validation) for at, (training, validation) in zip(rounds, losses, strict=False)
        ]
        self.networks: list[tuple[str, int]] = [(name, first) for name, first in told.get("networks") or [("", 1)]]

    @property
    def rounds(self) -> int:
        """How many there were with a loss on rows kept aside."""
        return len([validation for _at, _training, validation in self.points if validation is not None])

    @property
    def best(self) -> float:
        return min(validation for _at, _training, validation in self.points if validation is not None)

    @cached_property
    def parts(self) -> list[Part]:
        firsts = [*(first for _name, first in self.networks), math.inf]
        spans = zip(self.networks, pairwise(firsts), strict=True)
        return [part for (name, _first), (begin, end) in spans if (part := self._part(name, begin, end))]

    @property
    def caption(self) -> str:
        """How many networks there are, and which; "" where nothing is to be told apart."""
        names = [candidate_name(part.name) for part in self.parts]
        if len(names) < 2:
            return ""
        template = ngettext("%(count)s network", "%(count)s networks, each from its beginning: %(names)s", len(names))
        kinds = " · ".join(dict.fromkeys(names))
        return template % {"count": current_formats().number(len(names)), "names": kinds}

    @cached_property
    def loss_ticks(self) -> list[Tick]:
        return _ticks(_round_numbers(*self._range), self._y)

    @property
    def widest(self) -> str:
        """The longest number at the axis of losses: how much room they need."""
        return max((tick.text for tick in self.loss_ticks), key=len)

    @property
    def round_ticks(self) -> list[Tick]:
        return _ticks(_round_numbers(self.points[0][0], self.points[-1][0], finest=Decimal(1)), self._x)

    @property
    def rows(self) -> list[tuple[str, *Point]]:
        """Of the table beside it: the name of the network and its point, the latest MOST_ROWS."""
        named = [(candidate_name(part.name) or _("Network"), part.points) for part in self.parts]
        return [(name, *point) for name, points in named for point in points][-MOST_ROWS:]

    @property
    def cut(self) -> str:
        """That the table does not show all; "" where it does."""
        if len(self.points) <= MOST_ROWS:
            return ""
        number = current_formats().number
        told = {"shown": number(MOST_ROWS), "rows": number(len(self.points))}
        return _("The table shows the last %(shown)s of %(rows)s lines.") % told

    def _part(self, name: str, begin: float, end: float) -> Part | None:
        points = [point for point in self.points if begin <= point[0] < end]
        if not points:
            return None
        training, validation = (self._line([(point[0], point[which]) for point in points]) for which in (1, 2))
        return Part(name, points, training, validation, self._x(points[0][0] - 0.5))

    def _line(self, losses: list[tuple[int, float | None]]) -> str:
        return " ".join(f"{self._x(at):.2f},{self._y(loss):.2f}" for at, loss in losses if loss is not None)

    def _x(self, at: float) -> float:
        first, last = self.points[0][0], self.points[-1][0]
        return 100 * (at - first) / max(1, last - first)

    def _y(self, loss: float) -> float:
        low, high = self._range
        return 100 - 100 * (loss - low) / (high - low or 1.0)

    @cached_property
    def _range(self) -> tuple[float, float]:
        losses = [loss for _at, *both in self.points for loss in both if loss is not None]
        return (min(losses), max(losses)) if losses else (0.0, 0.0)


def _round_numbers(low: float, high: float, finest: Decimal = Decimal(0)) -> list[Decimal]:
    """Return two to five numbers within a range, 1, 2 or 5 times a power of ten apart; where it is a point, that one.

    With `finest` they are at least so far apart. Decimal, because the sums of a step like 0.1 should have no tail.
    """
    lowest, highest = Decimal(str(low)), Decimal(str(high))
    half = (highest - lowest) / 2
    if not half:
        return [lowest]
    power = Decimal(1).scaleb(half.adjusted())
    step = max(finest, *(count * power for count in (1, 2, 5) if count * power <= half))
    return [count * step for count in range(math.ceil(lowest / step), math.floor(highest / step) + 1)]


def _ticks(numbers: Sequence[Decimal], place: Callable[[float], float]) -> list[Tick]:
    """All with the decimals that their step needs, a single one with those that mean something."""
    largest = max(map(abs, numbers))
    power = 0 if not largest or PLAIN_FROM <= largest < PLAIN_TO else largest.adjusted()
    short = [number.scaleb(-power) for number in numbers]
    digits = max(0, *(-int(number.as_tuple().exponent) for number in short)) if len(short) > 1 else None
    ending = f"e{power}".replace("-", MINUS) if power else ""
    texts = [current_formats().number(number, digits) + ending if number else "0" for number in short]
    return [Tick(f"{place(float(number)):.2f}%", text) for number, text in zip(numbers, texts, strict=True)]
