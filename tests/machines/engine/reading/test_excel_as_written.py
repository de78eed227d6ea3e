"""Excel files as programs write them: with the namespace of relations on the sheet, hundreds of rows and more."""

import pytest

from machines.engine.errors import DataError
from machines.engine.reading import read_table
from tests.machines.engine.reading.files import OFFICE, sheet_xml, write_xlsx

ROWS = [["size", "price"], *([number, number * 3.5] for number in range(345))]


def named(sheet):
    return sheet.replace("<worksheet ", f'<worksheet xmlns:r="{OFFICE}" ')


def test_a_namespace_is_no_cell(tmp_path):
    sheet = named(sheet_xml(ROWS))
    assert 'xmlns:r="http' in sheet
    assert read_table(write_xlsx(tmp_path / "a.xlsx", [], sheet=sheet), "a.xlsx").rows == 345


@pytest.mark.parametrize("cell", ['<c r="XFD1048576">', '<c t="n"r="XFD1048576">', '<c\nr = "XFD1048576">'])
def test_a_far_cell_is_still_seen(tmp_path, cell):
    sheet = named(sheet_xml([["a"], [1]])).replace("</sheetData>", f"<row>{cell}<v>1</v></c></row></sheetData>")
    with pytest.raises(DataError, match="too many"):
        read_table(write_xlsx(tmp_path / "a.xlsx", [], sheet=sheet), "a.xlsx")
