"""Numbers of a report with no more digits than anybody can see."""

from math import floor, log10

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
TINY = 1e-12


def short(value: float) -> float:
    """Six digits of it."""
    return float(f"{value:.{DIGITS}g}")


def steps(values: NDArray[np.float64], span: float) -> list[float]:
    """As many digits of each as tell a millionth of `span`: of large numbers that hardly differ, six would tell nothing."""
    digits = DIGITS - floor(log10(span)) if np.isfinite(span) and span > 0 else DIGITS
    return [round(value, digits) for value in values.tolist()]


def short_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Six digits of each number in 0..1. What is larger stays no smaller."""
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.maximum(values, TINY))))
    rounded: NDArray[np.float64] = np.round(values * scale) / scale
    return rounded
