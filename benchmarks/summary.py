"""From runs to the table of benchmarks/accuracy.py. Only splits that everybody has tried count."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, median
from typing import Any, TypeAlias

from benchmarks.ranking import average_ranks, duel, mean_of, relative, wilson
from benchmarks.tables import Task

Run: TypeAlias = dict[str, Any]  # what a contestant said, with "set", "seed" and "method"; or "error"
MANY_ROWS = 5000  # from which on a calibration error is more than noise


def summary(runs: Sequence[Run], methods: Mapping[str, bool], tasks: Mapping[str, Task]) -> dict[str, Any]:
    """All figures; `methods` says of each name whether it is ours."""
    ours, peers = ([name for name, is_ours in methods.items() if is_ours is wanted] for wanted in (True, False))
    by_method = {name: [run for run in runs if run["method"] == name] for name in methods}
    sets = list(dict.fromkeys(run["set"] for run in runs))
    losses = {name: losses_of(found, sets) for name, found in by_method.items()}
    place = average_ranks(losses)
    return {
        "count": len(sets),
        "methods": {name: {"rank": round(place[name], 3), **costs(by_method[name])} for name in methods},
        "duels": {f"{a} / {b}": duel(losses[a], losses[b]).to_json() for a in ours for b in peers},
        "honesty": {name: honesty(by_method[name], tasks) for name in ours},
        "sets": {name: {"metric": tasks[name].metric, **values(by_method, name)} for name in sets},
    }


def losses_of(runs: Sequence[Run], sets: Sequence[str]) -> list[float]:
    """The mean loss over seeds for each table; infinite where a run failed."""
    found = defaultdict(list)
    for run in runs:
        found[run["set"]].append(run.get("loss", math.inf))
    return [fmean(found[name]) for name in sets]


def values(by_method: Mapping[str, Sequence[Run]], name: str) -> dict[str, float | None]:
    """The metric of every method on one table, mean over seeds; None where a run failed."""
    found = {method: [run.get("metric") for run in runs if run["set"] == name] for method, runs in by_method.items()}
    return {method: None if None in some else _short(some) for method, some in found.items()}


def costs(runs: Sequence[Run]) -> dict[str, Any]:
    """Medians over runs of what a method takes, and how often it failed."""
    measured = {key: [run[key] for run in runs if run.get(key) is not None] for key in ("seconds", "row_ms", "bytes")}
    return {key: median(some) if some else None for key, some in measured.items()} | {
        "most_seconds": max(measured["seconds"], default=None),
        "most_memory_mb": max((run["memory_mb"] for run in runs if "memory_mb" in run), default=None),
        "failed": sum("error" in run for run in runs),
    }


def honesty(runs: Sequence[Run], tasks: Mapping[str, Task]) -> dict[str, Any]:
    """Whether what a machine's own report says holds on rows that only we knew."""
    done = [run for run in runs if "claimed" in run]
    gaps = [relative(tasks[r["set"]].loss(r["claimed"]["value"]), r["loss"]) for r in done]
    inside = sum(run["claimed"]["low"] <= run["metric"] <= run["claimed"]["high"] for run in done)
    bounded = mean_of([max(-1.0, min(1.0, gap)) for gap in gaps])
    return {
        "runs": len(done),
        "claimed_over_true_loss": bounded and asdict(bounded),  # -0.1: the report's loss is 10 % too rosy
        "median_over_true_loss": median(gaps) if gaps else None,
        "inside_interval": asdict(wilson(inside, len(done))) if done else None,
        "coverage": _mean(run["coverage"] for run in done if "coverage" in run),
        "ece": _mean(run["ece"] for run in done if "ece" in run),
        "ece_many_rows": _mean(run["ece"] for run in done if "ece" in run and run["rows"] >= MANY_ROWS),
    }


def line(run: Run, metric: str) -> str:
    """How one run went, while it goes on."""
    head = f"{run['set']:16} seed {run['seed']}  {run['method']:40}"
    if "error" in run:
        return f"{head}failed: {run['error'][:120]}"
    stored = "  (stored)" if run.get("is_stored") else ""
    return f"{head}{metric} {run['metric']:<10.5g}{run['seconds']:8.1f} s{run['row_ms']:9.3f} ms a row{stored}"


def table(found: Mapping[str, Any]) -> str:
    """The summary for the screen."""
    lines = [f"\n{found['count']} tables. Loss is 1 - AUC, log loss or RMSE; failures come last in rank."]
    lines.append(f"\n{'method':40}{'rank':>6}{'seconds':>9}{'most':>8}{'row ms':>9}{'kB':>9}{'failed':>8}")
    for name, m in sorted(found["methods"].items(), key=lambda item: item[1]["rank"]):
        cells = (m["seconds"], 9, 1), (m["most_seconds"], 8, 1), (m["row_ms"], 9, 3), (_thousandth(m["bytes"]), 9, 0)
        lines.append(f"{name:40}{m['rank']:6.2f}{''.join(_cell(*cell) for cell in cells)}{m['failed']:8}")
    lines.append(f"\n{'ours / theirs':66}{'won':>4}{'tied':>5}{'lost':>5}  win rate, loss more (+) or less (-), 95 %")
    lines += [_duel_line(name, one) for name, one in found["duels"].items()]
    lines.append("\nDo the reports of our machines hold on rows that they never saw?")
    lines += [_honesty_line(name, one) for name, one in found["honesty"].items() if one["runs"]]
    return "\n".join(lines)


def _duel_line(name: str, one: Mapping[str, Any]) -> str:
    head = f"{name:66}{one['wins']:4}{one['ties']:5}{one['losses']:5}"
    gaps = f"{_percents(one['difference'], '+')}; at most 100 % a table {_percents(one['clipped'], '+')}"
    return f"{head}  {_percents(one['win_rate'])}, {gaps}"


def _honesty_line(name: str, one: Mapping[str, Any]) -> str:
    parts = [
        f"claimed loss / true loss - 1: {_percents(one['claimed_over_true_loss'], '+')}",
        f"truth inside the 95 % interval: {_percents(one['inside_interval'])}",
        f"90 % intervals cover {_percent(one['coverage'])}",
        f"ECE {_cell(one['ece'], 0, 3)}, from {MANY_ROWS} rows {_cell(one['ece_many_rows'], 0, 3)}",
    ]
    return f"{name}: {'; '.join(parts)}"


def _percents(estimate: Mapping[str, float] | None, sign: str = "") -> str:
    if estimate is None:
        return "-"
    value, low, high = (f"{100 * estimate[key]:{sign}.1f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{'-' if value is None else f'{value:.{digits}f}':>{width}}"


def _thousandth(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _short(values: Sequence[Any]) -> float:
    return float(f"{fmean(values):.6g}")


def _mean(values: Any) -> float | None:
    some = list(values)
    return fmean(some) if some else None
