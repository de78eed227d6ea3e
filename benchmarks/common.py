"""What the measurements share: a temporary place to measure in, times, targets beside figures, results as JSON."""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it should be: below `target`, or at least it if `is_least`."""

    name: str
    value: float
    unit: str
    target: float | None = None
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.is_least else self.value < self.target

    def line(self) -> str:
        sign = ">=" if self.is_least else "<"
        target = "" if self.target is None else f"{sign} {self.target:g} {self.unit}"
        return f"{self.name:52}{self.value:10.4g} {self.unit:4}  {target:14}{'' if self.is_met else 'MISSED'}".rstrip()


@contextmanager
def place() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder that is removed in the end, and the environment of a site that keeps everything in it."""
    with TemporaryDirectory(prefix="bench-") as name:
        yield Path(name), environment(Path(name))


def environment(folder: Path) -> dict[str, str]:
    """The settings of a site that keeps database and files in this folder."""
    (folder / "storage").mkdir(parents=True, exist_ok=True)
    return os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "STORAGE_ROOT": str(folder / "storage"),
        "SECRET_KEY": secrets.token_urlsafe(60),
        "DEBUG": "False",
        "SITE_URL": "http://localhost",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }


def seconds_of(task: Callable[[], object]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def times_of(task: Callable[[], object], repeats: int, warm_up: int = 5) -> list[float]:
    """Seconds of each run, sorted; some runs before are not counted."""
    for _ in range(warm_up):
        task()
    return sorted(seconds_of(task) for _ in range(repeats))


def quantile(times: list[float], share: float) -> float:
    """The value below which `share` of the sorted times lie."""
    return times[min(len(times) - 1, int(share * len(times)))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def save(name: str, figures: list[Figure], about: dict[str, Any]) -> None:
    """Print the figures with their targets and write them to benchmarks/results/<name>.json."""
    print("\n".join(figure.line() for figure in figures))
    load = [round(value, 2) for value in os.getloadavg()]
    rows = [asdict(figure) | {"value": round(figure.value, 4), "is_met": figure.is_met} for figure in figures]
    result = about | {"processors": os.cpu_count(), "load_average": load, "figures": rows}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
