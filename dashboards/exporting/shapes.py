"""What a picture is made of, along its axes and not yet in pixels."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dashboards.exporting.colours import Paint
from dashboards.exporting.scales import Reading

Point: TypeAlias = tuple[float, float]


class UnsupportedError(ValueError):
    """A figure with something that is not drawn here. Its numbers are in the table."""


@dataclass(frozen=True)
class Shape:
    """A line through points, an area around them, or a dot at each of them."""

    points: list[Point]
    about: dict[str, Any]  # attributes in SVG
    radius: float = 0.0  # of a dot, in pixels
    is_area: bool = False
    is_diamond: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle between two corners, with words in its middle."""

    corner: Point
    other: Point
    about: dict[str, Any]
    words: str = ""
    gap: float = 0.0  # pixels


@dataclass(frozen=True)
class Axes:
    """How values are read, and how colours are painted."""

    x: Reading
    y: Reading
    paint: Paint

    def points(self, xs: Any, ys: Any) -> list[Point | None]:
        """The points; None for those that cannot be drawn, where a line breaks off."""
        told = ((self.x.coordinate(x), self.y.coordinate(y)) for x, y in zip(xs, ys, strict=False))
        return [None if x is None or y is None else (x, y) for x, y in told]


@dataclass
class Drawn:
    """The shapes of a whole figure, and where bars and areas stand on."""

    shapes: list[Shape | Box] = field(default_factory=list)
    grounds: dict[str, set[float]] = field(default_factory=lambda: {"x": set(), "y": set()})

    def coordinates(self, along: int) -> list[float]:
        corners = [
            point
            for shape in self.shapes
            for point in (shape.points if isinstance(shape, Shape) else (shape.corner, shape.other))
        ]
        return [point[along] for point in corners]


def many(told: Any, count: int, usual: Any = None) -> list[Any]:
    """One value for each point, where a figure may give one for all of them."""
    if isinstance(told, list | tuple):
        return [*told[:count], *[usual] * (count - len(told))]
    return [usual if told is None else told] * count
