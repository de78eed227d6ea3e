"""Small files for the tests of the reader."""

import zipfile
from pathlib import Path
from typing import Any

from machines.engine.errors import DataError
from machines.engine.reading import RawTable, ReadOptions, read_table

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def read(folder: Path, content: bytes | str, name: str = "table.csv", **options: Any) -> RawTable:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, name, ReadOptions(**options))


def refusal(folder: Path, content: bytes | str, name: str = "table.csv", **options: Any) -> str:
    """The sentence with which a file is refused."""
    try:
        read(folder, content, name, **options)
    except DataError as error:
        return str(error)
    raise AssertionError("The file was accepted.")


def sentences(table: RawTable) -> str:
    return " | ".join(str(notice) for notice in table.notices)


def write_xlsx(path: Path, rows: list[list[Any]], extra: dict[str, str] | None = None, sheet: str = "") -> Path:
    """A minimal Excel file; `extra` adds members, `sheet` replaces the sheet's XML. A number in a tuple is a date."""
    members = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
        f'Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{SHEET}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": sheet or sheet_xml(rows),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (members | (extra or {})).items():
            archive.writestr(name, text)
    return path


def sheet_xml(rows: list[list[Any]]) -> str:
    lines = []
    for at, row in enumerate(rows, start=1):
        cells = "".join(
            _cell(f"{chr(65 + column)}{at}", value) for column, value in enumerate(row) if value is not None
        )
        lines.append(f'<row r="{at}">{cells}</row>')
    return f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f'<c r="{place}" s="1"><v>{value[0]}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
