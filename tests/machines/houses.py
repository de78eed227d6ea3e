"""One table with a column of every kind, and a machine trained on it: once per process, by the real child."""

import io
import random
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import orjson
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from machines.child import run_child
from machines.services.columns import column_from_profile
from machines.serving.predictor import Predictor
from models import Column, EncDecConfiguration, Machine, NNModel, User
from models.machine import MachineStatus
from tests.factories import make_machine

HEADER = ["size", "delta", "pressure", "city", "kind", "day", "hour", "seen", "note", "risk", "price"]
OUTPUTS = ("risk", "price")
CITIES = ["east", "north", "south", "west"]
KINDS = [f"kind {number:02}" for number in range(25)]
NOTES = ["a nice house with a garden", "the old roof needs some work", "close to the station and to shops"]
ROWS = 200

# What a person may answer: one value for every input, as typed.
ANSWERS = {
    "size": "41.5", "delta": "-3", "pressure": "88", "city": "north", "kind": "kind 07", "day": "2022-05-17",
    "hour": "14:30", "seen": "2021-03-04T05:06", "note": "a new roof and a garden",
}  # fmt: skip
# Told instead of what was measured: a busy machine may have no time to measure it.
IMPORTANCE = {
    "size": 0.5, "note": 0.2, "kind": 0.1, "day": 0.08, "city": 0.05, "delta": 0.03, "hour": 0.02, "seen": 0.01,
    "pressure": 0.005,
}  # fmt: skip
SECONDS = {"day": 1_652_745_600.0, "hour": 52_200.0, "seen": 1_614_834_360.0}  # the three moments of ANSWERS


def table_rows(rows: int = ROWS) -> list[list[str]]:
    """The table's cells; always the same."""
    rng = random.Random(7)
    return [_row(number, rng) for number in range(rows)]


def _row(number: int, rng: random.Random) -> list[str]:
    size = round(rng.uniform(10, 99), 1)
    return [
        str(size) if number % 20 else "",
        str(rng.randint(-9, 9)),
        str(rng.choice([0, 60, 70, 80, 90, 101])),
        CITIES[number % 4],
        KINDS[number % 25],
        f"{2020 + number % 4}-{1 + number % 12:02}-{1 + number % 28:02}",
        f"{number % 24:02}:{number * 7 % 60:02}",
        f"2021-{1 + number % 12:02}-{1 + number % 28:02} {number % 24:02}:{number % 60:02}:00",
        f"{NOTES[number % 3]} and the number {number}",
        "yes" if size + rng.gauss(0, 8) > 50 else "no",
        str(round(3 * size + rng.gauss(0, 4), 2)),
    ]


def csv_bytes(rows: list[list[str]] | None = None, header: list[str] | None = None, delimiter: str = ",") -> bytes:
    lines = [header or HEADER, *(table_rows() if rows is None else rows)]
    return "".join(delimiter.join(cells) + "\n" for cells in lines).encode()


def xlsx_bytes(rows: list[list[str]], header: list[str]) -> bytes:
    """The smallest workbook that spreadsheet programs and our reader accept, every cell as text."""
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in line) + "</row>"
        for line in [header, *rows]
    )
    schemas = "http://schemas.openxmlformats.org"
    main, kind = f"{schemas}/spreadsheetml/2006/main", "application/vnd.openxmlformats-officedocument.spreadsheetml"
    package, office = f"{schemas}/package/2006", f"{schemas}/officeDocument/2006/relationships"

    def link(name: str, type: str, target: str) -> str:
        relation = f'<Relationship Id="{name}" Type="{office}/{type}" Target="{target}"/>'
        return f'<Relationships xmlns="{package}/relationships">{relation}</Relationships>'

    types = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{kind}.{what}+xml"/>'
        for part, what in (("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"))
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    sheets = '<sheets><sheet name="One" sheetId="1" r:id="b"/></sheets>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>{types}</Types>',
        "_rels/.rels": link("a", "officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": link("b", "worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return packed.getvalue()


def file_of(content: bytes, name: str = "houses.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@dataclass(frozen=True)
class Trained:
    """What came of reading and training a table: enough to make a machine that answers, without training again."""

    reading: dict[str, Any]
    onnx: bytes
    report: dict[str, Any]

    def machine(self, *, owner: User, **kwargs: Any) -> Machine:
        """A ready machine of this owner, with its columns and its model, but without files."""
        configuration = EncDecConfiguration.objects.create(enc_dec_config=self.description())
        machine = make_machine(
            owner=owner,
            status=MachineStatus.READY,
            model_version=1,
            training_nn_model=NNModel.objects.create(nn_model=self.onnx),
            enc_dec_configuration=configuration,
            training_report=self.report | {"importance": IMPORTANCE},
            training_date_time_machine_model=timezone.now(),
            source_name="houses.csv",
            source_options=self.reading["found"],
            source_preview=self.reading["preview"],
            rows_count=self.reading["rows"],
            **kwargs,
        )
        Column.objects.bulk_create(self.columns(machine))
        return machine

    def description(self) -> dict[str, Any]:
        metadata = Predictor(self.onnx).metadata
        inputs = [item | {"importance": IMPORTANCE.get(item["name"])} for item in metadata["inputs"]]
        return metadata | {"inputs": inputs}

    def columns(self, machine: Machine) -> list[Column]:
        """The machine's columns, not yet saved, in the roles they were trained in."""
        profiles = enumerate(self.reading["columns"])
        columns = [column_from_profile(machine, position, profile) for position, profile in profiles]
        roles = {item["name"]: item["role"] for item in Predictor(self.onnx).metadata["columns"]}
        for column in columns:
            column.role = roles[column.name]
            column.zero_is_missing = column.name == "pressure"
        return columns


@cache
def houses() -> Trained:
    return train(csv_bytes(), OUTPUTS, zero_is_missing=("pressure",))


def train(content: bytes, outputs: tuple[str, ...], zero_is_missing: tuple[str, ...] = (), **types: str) -> Trained:
    """Read and train a table in the real children, for a second and a half."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").write_bytes(content)
        request = {"path": str(folder / "source"), "name": "table.csv", "options": {}, "folder": name}
        reading = run_child("machines.engine.reading", request, seconds=60, memory_mb=2048)
        assert reading["kind"] == "done", reading
        schema = [_column(profile, outputs, zero_is_missing, types) for profile in reading["columns"]]
        job = {"parts": [reading["part"]["path"]], "schema": schema, "level": 1, "deadline": 1.5, "seed": 1}
        places = {"onnx_path": str(folder / "machine.onnx"), "report_path": str(folder / "report.json")}
        done = run_child("machines.engine.fit_job", job | places, seconds=90, memory_mb=4096)
        assert done["kind"] == "done", done
        report = orjson.loads((folder / "report.json").read_bytes())
        return Trained(reading, (folder / "machine.onnx").read_bytes(), report)


def _column(
    profile: dict[str, Any], outputs: tuple[str, ...], zeros: tuple[str, ...], types: dict[str, str]
) -> dict[str, Any]:
    name, kind = profile["name"], types.get(profile["name"], profile["type"])
    return {
        "name": name,
        "type": kind,
        "role": "output" if name in outputs else "input",
        "format": (profile["readings"].get(kind) or {}).get("format", {}),
        "zero_is_missing": name in zeros,
    }
