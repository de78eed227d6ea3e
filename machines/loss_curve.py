"""How the networks of a training learned, one after another: what the pictures of it are drawn from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any, TypeAlias

from django.utils.translation import ngettext

from config.formats import current_formats
from machines.candidate_names import candidate_name

Point: TypeAlias = tuple[int, float | None, float | None]  # round; loss on rows learned from, on rows kept aside


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

    def _part(self, name: str, begin: float, end: float) -> Part | None:
        points = [point for point in self.points if begin <= point[0] < end]
        if not points:
            return None
        training, validation = (self._line([(point[0], point[which]) for point in points]) for which in (1, 2))
        return Part(name, points, training, validation, self._x(points[0][0] - 0.5))

    def _line(self, losses: list[tuple[int, float | None]]) -> str:
        low, high = self._range
        return " ".join(
            f"{self._x(at):.2f},{100 - 100 * (loss - low) / (high - low or 1.0):.2f}"
            for at, loss in losses
            if loss is not None
        )

    def _x(self, at: float) -> float:
        first, last = self.points[0][0], self.points[-1][0]
        return 100 * (at - first) / max(1, last - first)

    @cached_property
    def _range(self) -> tuple[float, float]:
        losses = [loss for _at, *both in self.points for loss in both if loss is not None]
        return (min(losses), max(losses)) if losses else (0.0, 0.0)
