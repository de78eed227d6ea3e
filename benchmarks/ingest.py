"""How well and how fast files are read: `python benchmarks/ingest.py` scores the messy files and times a 200 MB CSV.

The messy files lie in ../shared/data/messy with truth.json; letters as explained there. Results: benchmarks/results/ingest.json.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import polars as pl

from machines.child import run_child
from machines.engine.columns.profile import ColumnProfile, profile_table
from machines.engine.reading import read_table
from machines.engine.schema import DataType

MESSY = ROOT.parent / "shared" / "data" / "messy"
RESULTS = ROOT / "benchmarks" / "results" / "ingest.json"
BIG = 200_000_000  # bytes
LETTERS = {
    "n": {DataType.FLOAT},
    "d": {DataType.DATE, DataType.DATETIME},
    "t": {DataType.TIME},
    "b": {DataType.LABEL, DataType.FLOAT},
    "c": {DataType.LABEL, DataType.LANGUAGE, DataType.IGNORE},
}


def is_right(profile: ColumnProfile, letter: str) -> bool:
    """Whether a proposed column is what the truth says."""
    if letter == "i":
        return profile.is_id
    return profile.type in LETTERS[letter] and (letter != "b" or profile.distinct == 2)


def score_file(path: Path, truth: dict[str, Any]) -> dict[str, Any]:
    """Right columns and rows of one messy file."""
    start = time.perf_counter()
    table = read_table(path, path.name)
    profiles = profile_table(table)
    letters = truth["types"]
    right = [is_right(profile, letter) for profile, letter in zip(profiles, letters, strict=False)]
    wrong = [
        f"{p.name}: {letter} is {p.type}" for p, letter, ok in zip(profiles, letters, right, strict=False) if not ok
    ]
    return {
        "right": sum(right),
        "columns": len(letters),
        "rows": table.rows,
        "rows_expected": truth["rows"],
        "wrong": wrong,
        "seconds": round(time.perf_counter() - start, 3),
    }


def score_messy() -> dict[str, Any]:
    truth = json.loads((MESSY / "truth.json").read_text())
    files = {name: score_file(MESSY / name, truth[name]) for name in sorted(truth) if not name.startswith("_")}
    for name, score in files.items():
        print(
            f"{name:34} types {score['right']:3}/{score['columns']:3}  rows {score['rows']}/{score['rows_expected']}",
            end="  ",
        )
        print(f"{score['seconds']:.2f} s  {'; '.join(score['wrong'])}")
    right, columns = (sum(score[key] for score in files.values()) for key in ("right", "columns"))
    print(f"types right: {right}/{columns} = {100 * right / columns:.1f} %")
    return {"files": files, "right": right, "columns": columns}


def write_big(path: Path, size: int = BIG) -> None:
    """A CSV of mixed columns, about 12 cells and 100 bytes a row, with quotes and empty cells."""
    rng = np.random.default_rng(0)
    rows = 100_000
    words = np.array(["red", "green", "blue", 'say ""hi""', "Paris, France"])
    frame = pl.DataFrame(
        {
            "id": np.arange(rows),
            "when": pl.Series(rng.integers(1_600_000_000, 1_700_000_000, rows) * 1000).cast(pl.Datetime("ms")),
            "color": words[rng.integers(0, 5, rows)],
            **{f"x{at}": np.round(rng.normal(100, 30, rows), 3) for at in range(6)},
            "count": rng.integers(0, 50, rows),
            "code": np.char.add("K", rng.integers(10**6, 10**7, rows).astype(str)),
            "target": rng.integers(0, 2, rows),
        }
    )
    block = frame.write_csv(include_header=False).encode()
    with path.open("wb") as file:
        file.write((",".join(frame.columns) + "\n").encode())
        while file.tell() + len(block) <= size:
            file.write(block)


def write_narrow(path: Path, size: int = BIG) -> None:
    """64 columns of one or two digits: the most cells for its bytes."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.integers(0, 17, (20_000, 65)))
    block = frame.write_csv(include_header=False).encode()
    with path.open("wb") as file:
        file.write((",".join(f"p{at}" for at in range(65)) + "\n").encode())
        while file.tell() + len(block) <= size:
            file.write(block)


def time_child(path: Path, folder: Path) -> dict[str, Any]:
    """Read and profile a file in a child process, as the website does."""
    request = {"kind": "profile", "path": str(path), "name": path.name, "folder": str(folder)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    reply = run_child("machines.engine.reading", request, seconds=600, memory_mb=4096)
    seconds = time.perf_counter() - start
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    print(
        f"{path.name}: {path.stat().st_size / 1e6:.0f} MB, {reply.get('rows')} rows, {seconds:.1f} s, peak {peak:.0f} MB"
    )
    return {
        "ok": reply["kind"] == "done",
        "rows": reply.get("rows"),
        "seconds": round(seconds, 2),
        "peak_mb": round(peak),
    }


def main() -> None:
    messy = score_messy() if MESSY.exists() else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_big(folder / "mixed.csv")
        mixed = time_child(folder / "mixed.csv", folder / "parts")
        (folder / "mixed.csv").unlink()
        write_narrow(folder / "narrow.csv")
        narrow = time_child(folder / "narrow.csv", folder / "parts")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"messy": messy, "mixed_200_mb": mixed, "narrow_200_mb": narrow}, indent=1) + "\n")


if __name__ == "__main__":
    main()
