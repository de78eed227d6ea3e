"""How good our machines are on public tables, beside AutoGluon, FLAML, CatBoost, LightGBM, RealMLP and TabM.

    make bench NAME=accuracy ARGS="--sets mpg,pima_diabetes --seeds 0,1 --levels 1,2 --against autogluon-medium"

Everybody learns the same four fifths of a table in a fresh process on one core with one thread, and is tested on the same
fifth; the clock runs from before their libraries are imported. What a run found is kept in var/bench/accuracy.jsonl, so an
interrupted measurement goes on; a changed engine is measured again. Sums up in benchmarks/results/accuracy.json.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import contestants, summary
from benchmarks.common import RESULTS, ROOT, SHARED
from benchmarks.contestants import Contestant
from benchmarks.summary import Run
from benchmarks.tables import Task, read_tasks

STORE = ROOT / "var" / "bench" / "accuracy.jsonl"
ALL = "autogluon-medium,autogluon-good,autogluon-best,flaml,catboost,lightgbm,realmlp,tabm"
OURS = ("1,2,3", "10", "autogluon-medium")  # levels, seconds and against, if none of them is said


class Store:
    """Runs that were made before, one line of JSON each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.runs: dict[str, Run] = {run["key"]: run for run in map(json.loads, lines)}

    def add(self, run: Run) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(run) + "\n")
        self.runs[run["key"]] = run


def measure(store: Store, data: Path, name: str, seed: int, who: Contestant, seconds: float | None) -> Run:
    """Run one, unless that was done before. Failures are tried again."""
    script = [Path(word).name if "/" in word else word for word in who.command[1:]]
    key = json.dumps([str(data.resolve()), name, seed, script, seconds, who.version()])
    if key in store.runs:
        return {**store.runs[key], "method": who.name, "is_stored": True}
    load = round(os.getloadavg()[0], 2)
    found = contestants.run(who, data, name, seed, seconds)
    run = {"key": key, "set": name, "seed": seed, "method": who.name, "load": load, **found}
    if "error" not in run:
        store.add(run)
    return run


def rounds(store: Store, data: Path, name: str, seed: int, everybody: Sequence[Contestant]) -> Iterator[Run]:
    """Everybody on one split; who answers a peer comes after them and gets the time they took."""
    took: dict[str, float] = {}
    for who in sorted(everybody, key=lambda one: one.against is not None):
        seconds = took.get(who.against.name) if who.against else who.seconds
        if who.against and seconds is None:
            run: Run = {"set": name, "seed": seed, "method": who.name, "error": f"{who.against.name} failed"}
        else:
            run = measure(store, data, name, seed, who, seconds)
        if "seconds" in run:
            took[who.name] = run["seconds"]
        yield run


def chosen(args: argparse.Namespace) -> list[Contestant]:
    """Who takes part, those against whom somebody runs included. Raises ValueError with a sentence."""
    said = (args.levels, args.seconds, args.against)
    levels, seconds, rivals = OURS if said == (None, None, None) else said
    against = [contestants.peer(word, args.limit) for word in _words(rivals)]
    peers = [contestants.peer(word, args.limit) for word in _words(args.methods)]
    ours = [contestants.level(int(number)) for number in _numbers(levels)]
    ours += [contestants.timed(number, args.effort) for number in _numbers(seconds)]
    ours += [contestants.answering(one, args.effort) for one in against]
    return list(dict.fromkeys([*peers, *against, *ours]))


def without_absent(everybody: Sequence[Contestant]) -> list[Contestant]:
    """Those whose environment could be made, and whose rival's could; says who is left out."""
    missing = contestants.install_all(everybody)
    for environment, why in missing.items():
        print(f"{environment} is left out, because it could not be installed: {why}", flush=True)
    return [one for one in everybody if (one.against or one).environment not in missing]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=SHARED / "data", help="a folder with a datasets.json")
    parser.add_argument("--sets", default="all", help="names from datasets.json, or all")
    parser.add_argument("--seeds", default="0", help="seeds of the splits and of the trainings")
    parser.add_argument("--methods", default=ALL, help="peers; a colon and seconds give one another limit")
    parser.add_argument("--limit", type=float, default=60, help="seconds for AutoGluon and FLAML")
    parser.add_argument("--levels", help="ours, as the site trains: 1 to 5")
    parser.add_argument("--seconds", help="ours, with a hard limit of so many seconds")
    parser.add_argument("--against", help="ours, with the seconds that these peers took")
    parser.add_argument("--effort", type=int, help="our level where the time is given; else the one of that time")
    parser.add_argument("--core", type=int, help="the processor to use; else the last one")
    parser.add_argument("--save", type=Path, default=RESULTS / "accuracy.json", help="where the summary goes")
    return parser.parse_args()


def pin(core: int | None) -> int:
    """Keep to one processor, which everybody whom we start inherits. Raises ValueError with a sentence."""
    there = os.sched_getaffinity(0)
    core = max(there) if core is None else core
    if core not in there:
        raise ValueError(f"There is no processor {core}; there are {', '.join(map(str, sorted(there)))}.")
    os.sched_setaffinity(0, {core})
    return core


def tasks_of(folder: Path, sets: str) -> dict[str, Task]:
    """The tasks asked for. Raises ValueError with a sentence."""
    for needed in (folder / "datasets.json", contestants.COMMON):
        if not needed.exists():
            raise ValueError(f"The measurement needs {needed}, which is not there.")
    tasks = read_tasks(folder)
    names = list(tasks) if sets == "all" else _words(sets)
    for name in names:
        if name not in tasks:
            raise ValueError(f"There is no table “{name}” in {folder}. There are {', '.join(tasks)}.")
    return {name: tasks[name] for name in names}


def main() -> None:
    """Exit 2 with a sentence where something is asked for that is not there."""
    args = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whom we started ends with us
    try:
        tasks = tasks_of(args.tables, args.sets)
        seeds, wanted = [int(seed) for seed in _numbers(args.seeds)], chosen(args)
        core = pin(args.core)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    everybody, store = without_absent(wanted), Store(STORE)
    runs: list[Run] = []
    for name, seed in product(tasks, seeds):
        for run in rounds(store, args.tables, name, seed, everybody):
            runs.append(run)
            place = f"[{len(runs)}/{len(tasks) * len(seeds) * len(everybody)}]"
            print(f"{place} {summary.line(run, tasks[name].metric)}", flush=True)
    about = {"tables": args.tables.name, "seeds": seeds, "core": core, "processors": os.cpu_count()}
    found = about | summary.summary(runs, {one.name: one.is_ours for one in everybody}, tasks)
    print(summary.table(found))
    args.save.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _words(said: str | None) -> list[str]:
    return [word.strip() for word in (said or "").split(",") if word.strip()]


def _numbers(said: str | None) -> list[float]:
    try:
        return [float(word) for word in _words(said)]
    except ValueError:
        raise ValueError(f"“{said}” should be numbers with commas between.") from None


if __name__ == "__main__":
    main()
