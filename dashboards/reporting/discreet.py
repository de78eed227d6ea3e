"""What a report leaves out for people who may see a machine, but not change it: what fewer than five rows share.

The rule is that of the data profile (dashboards/profiling/discreet.py). Whoever may ask the machine gets its form, which shows
every label it knows and the lowest and highest value of a column: these are no secret from them. A viewer, who may not ask,
sees labels that five rows share, and of numbers about the middle nine tenths. Neither sees single rows: predicted against
actual, or an error measured on a few rows, from which the truth of these could be told.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from dashboards.profiling.discreet import LEAST_ROWS
from dashboards.reporting.parts import Told
from models.access import Action

NINE_TENTHS = (0.05, 0.95)
May = Collection[Action]


def is_needed(may: May) -> bool:
    return Action.EDIT not in may


def said(may: May) -> str:
    """Why there is less on the page than others see."""
    if not is_needed(may):
        return ""
    return _(
        "Single rows, and values that fewer than five rows share, are shown only to people who may change this machine."
    )


def outputs(found: Sequence[Told], inputs: Sequence[Told], may: May) -> list[Told]:
    """What the report tells of its outputs."""
    if not is_needed(may):
        return [*found]
    known = _labels(inputs, may)
    return [{**output, "points": [], "regions": [_region(about, known) for about in output.get("regions") or []]}
            if "regions" in output else {**output, "points": []} for output in found]  # fmt: skip


def _region(about: Told, known: Mapping[str, set[str]]) -> Told:
    names = known.get(about["column"], set())
    return {**about, "bins": [_bin(part, names) for part in about["bins"]]}


def _bin(part: Told, names: set[str]) -> Told:
    shown = dict(part)
    if part["kind"] == "label" and part["rows"] < LEAST_ROWS and part["label"] not in names:
        shown |= {"kind": "rare", "label": None}
    if part["measured"] < LEAST_ROWS:
        shown |= dict.fromkeys(("error", "error_low", "error_high"))
    return shown


def effects(told: Told, inputs: Sequence[Told], may: May) -> dict[str, Any]:
    """What dashboards.effects has worked out, without values that stand for a few rows only."""
    if not is_needed(may):
        return {**told}
    known, may_ask = _labels(inputs, may), Action.PREDICT in may
    columns = [_column(about, known.get(about["name"], set()), may_ask) for about in told["columns"]]
    return {**told, "columns": [about for about in columns if len(about["values"]) > 1]}


def _column(about: Told, names: set[str], may_ask: bool) -> Told:
    values, counts = about["values"], about["counts"]
    has_ends = about["type"] != "LABEL" and not about.get("is_each")  # the lowest and the highest, of one row perhaps
    ends = {0, len(values) - 1} if has_ends and not may_ask else set()
    kept = [at for at, value in enumerate(values) if at not in ends and (counts[at] >= LEAST_ROWS or value in names)]
    lines = [{name: [line[name][at] for at in kept] for name in line} for line in about["lines"]]
    return {**about, "values": [values[at] for at in kept], "counts": [counts[at] for at in kept], "lines": lines}


def seen(inputs: Sequence[Told], found: Sequence[Told], profiles: Mapping[str, Told], may: May) -> list[Told]:
    """What training has seen of each column, as much as the form shows, or less for who may not ask.

    `found`: the outputs of the report, for how many rows have a label; `profiles`: column -> Column.profile.
    """
    if not is_needed(may) or Action.PREDICT in may:
        return [*inputs]
    shared = {about["column"]: [part["label"] for part in about["bins"] if part["kind"] == "label" and part["rows"] >= LEAST_ROWS]
              for output in found for about in output.get("regions") or []}  # fmt: skip
    return [_less(about, shared.get(about["name"], []), profiles.get(about["name"], {})) for about in inputs]


def _less(about: Told, labels: list[str], profile: Told) -> Told:
    low, high = (
        middle(profile.get("readings", {}).get(about["type"], {})) if about.get("low") is not None else (None, None)
    )
    more = len(about.get("labels") or []) - len(labels)
    return {
        **about,
        "low": low,
        "high": high,
        "labels": labels,
        "hidden": more if labels else 0,
        "is_middle": low is not None,
    }


def middle(reading: Told) -> tuple[float, float] | tuple[None, None]:
    """About the middle nine tenths, by the bars of a column's histogram; nothing of so few rows that these are single ones."""
    counts, low, high = reading.get("histogram") or [], reading.get("low"), reading.get("high")
    if low is None or high is None or sum(counts) < LEAST_ROWS / NINE_TENTHS[0]:
        return None, None
    edges, below = np.linspace(low, high, len(counts) + 1), np.cumsum([0, *counts])
    found = np.interp(np.multiply(NINE_TENTHS, below[-1]), below, edges)
    first, last = (float(f"{value:.3g}") for value in found)
    return first, last


def _labels(inputs: Sequence[Told], may: May) -> dict[str, set[str]]:
    """The labels that the form shows to whoever may ask."""
    if Action.PREDICT not in may:
        return {}
    return {about["name"]: set(about.get("labels") or []) for about in inputs}
