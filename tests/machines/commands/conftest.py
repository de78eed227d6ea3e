"""One machine for all tests of the commands: flats with a price and a kind, written as a spreadsheet would."""

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

ROWS = 240


@dataclass(frozen=True)
class Trained:
    data: Path
    machine: Path
    report: dict[str, Any]


def flats(rows: int = ROWS) -> list[dict[str, str]]:
    rng = np.random.default_rng(0)
    area, floor = rng.uniform(20, 150, rows), rng.integers(0, 6, rows)
    town = rng.choice(["Ulm", "Bonn", "Köln"], rows)
    price = 1000 * area + 9000 * (town == "Köln") + rng.normal(0, 2000, rows)
    return [
        {
            "Floor area": f"{area[at]:.2f}",
            "floor": str(floor[at]),
            "Town": str(town[at]),
            "sold": f"2024-{at % 12 + 1:02}-{at % 28 + 1:02}",
            "price": f"{price[at]:.2f}",
            "kind": "big flat" if area[at] > 80 else "small",
        }
        for at in range(rows)
    ]


def write(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    lines = [rows[0].keys(), *(row.values() for row in rows)]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(*words: object) -> str:
    """The command's standard output."""
    out = StringIO()
    call_command(*(str(word) for word in words), stdout=out)
    return out.getvalue()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("commands")
    data, machine = write(folder / "flats.csv", flats()), folder / "flats.onnx"
    words = ["--output", "price", "--output", "kind", "--seconds", "4", "--seed", "3", "--json", "--save", machine]
    return Trained(data, machine, json.loads(run("train_csv", data, *words)))
