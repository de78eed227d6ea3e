"""The bad files of the checklist, by number: accepted with a visible warning, or refused with a sentence that says where."""

import gzip
import pickle
import resource
import zipfile

import pytest

from machines.engine.columns.profile import profile_table
from machines.engine.errors import DataError
from machines.engine.reading import read_table
from machines.engine.schema import DataType, Role
from tests.machines.engine.reading.files import read, refusal, sentences, sheet_xml, write_xlsx

ROWS = "".join(f"{at},{at * 2}\n" for at in range(30))


def profile(table):
    return {column.name: column for column in profile_table(table)}


def test_01_empty_file(tmp_path):
    assert "empty" in refusal(tmp_path, "")


@pytest.mark.parametrize("content", ["a,b,c\n", "a,b,c", "a,b,c\n\n\n", "a\n"])
def test_02_header_only(tmp_path, content):
    assert "no rows" in refusal(tmp_path, content)


def test_03_one_column(tmp_path):
    table = read(tmp_path, "value\n1\n2\n3\n")
    assert (table.columns, table.rows) == (("value",), 3)


def test_04_one_row(tmp_path):
    assert read(tmp_path, "a,b\n1,2\n").frame.rows() == [("1", "2")]


def test_05_duplicate_headers(tmp_path):
    table = read(tmp_path, "a,a,a_2,a\n1,2,3,4\n")
    assert len(set(table.columns)) == 4
    assert "renamed" in sentences(table)
    assert table.frame.row(0) == ("1", "2", "3", "4")


def test_06_empty_headers(tmp_path):
    table = read(tmp_path, "a,,c\n1,2,3\n4,5,6\n")
    assert table.columns == ("a", "Column_2", "c")
    assert "Column_2" in sentences(table)


def test_07_long_header(tmp_path):
    assert "column 2" in refusal(tmp_path, f"a,{'h' * 10_000}\n1,2\n")


def test_08_headers_that_are_code_stay_plain_text(tmp_path):
    table = read(tmp_path, "<script>alert(1)</script>,{{7*7}},'; DROP TABLE\n1,2,3\n")
    assert table.columns == ("<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE")


def test_09_reserved_headers(tmp_path):
    titles = "__class__,id,csrfmiddlewaretoken,constructor"
    table = read(tmp_path, titles + "\n1,2,3,4\n5,6,7,8\n")
    assert ",".join(table.columns) == titles
    assert [column.name for column in profile_table(table)] == list(table.columns)


def test_10_too_many_columns(tmp_path):
    assert "line 1" in refusal(tmp_path, "a," * 1_000_000 + "\n1\n").lower()
    assert "6000 columns" in refusal(tmp_path, ",".join(f"c{at}" for at in range(6000)) + "\n" + "1," * 5999 + "1\n")


def test_11_one_huge_line(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="200 MB"):
        read_table(path, "huge.csv")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert "Line 1 is longer" in refusal(tmp_path, "x" * 3_000_000)
    assert "line 3" in refusal(tmp_path, "a,b\n1,2\n" + "x" * 3_000_000 + ",2\n" + ROWS)


@pytest.mark.parametrize("end", ["", ROWS, '"x",1\n' + ROWS])
def test_12_unterminated_quote(tmp_path, end):
    assert "line 3" in refusal(tmp_path, 'a,b\n1,2\n"open,3\n4,5\n' + end)


def test_13_few_ragged_rows_are_mended(tmp_path):
    table = read(tmp_path, f"a,b\n{ROWS}1\n1,2,3\n")
    assert table.frame.rows()[-2:] == [("1", None), ("1", "2")]
    assert "line 32" in sentences(table)


def test_13_many_ragged_rows_are_refused(tmp_path):
    assert "line 5" in refusal(tmp_path, "a,b,c\n" + "1,2,3\n" * 3 + "1,2,3,4\n1,2\n1,2,3,4,5\n" * 5 + "1,2,3\n" * 20)


def test_14_nul_bytes(tmp_path):
    assert "Line 3" in refusal(tmp_path, b"a,b\n1,2\n3,\x004\n")


def test_15_not_utf8(tmp_path):
    table = read(tmp_path, "name,größe\nMüller,1\nÉtienne,2\n".encode("cp1252"))
    assert table.columns == ("name", "größe")
    assert table.found.encoding == "cp1252"
    assert "Western European" in sentences(table)


def test_16_utf8_mark(tmp_path):
    assert read(tmp_path, "\ufeffa,b\n1,2\n".encode()).columns == ("a", "b")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_17_utf16(tmp_path, encoding):
    table = read(tmp_path, ("ä,b\n" + ROWS).encode(encoding))
    assert (table.columns, table.rows) == (("ä", "b"), 30)


@pytest.mark.parametrize("content", ["a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4\r", "a,b\r\r\n1,2\r\r\n3,4"])
def test_18_line_ends(tmp_path, content):
    assert read(tmp_path, content).frame.rows() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_19_delimiters_and_decimal_comma(tmp_path, delimiter):
    table = read(tmp_path, f"a{delimiter}b\n" + f"1,5{delimiter}x\n2,25{delimiter}y\n" * 20)
    assert table.found.delimiter == delimiter
    assert profile(table)["a"].reading.high == 2.25


def test_20_formulas_are_text(tmp_path):
    table = read(tmp_path, 'a,b\n=1+1,x\n"@SUM(A1)",y\n')
    assert table.frame["a"].to_list() == ["=1+1", "@SUM(A1)"]


def test_21_odd_numbers_never_become_numbers(tmp_path):
    odd = ["nan", "inf", "1e400", "1_000", "٣", "0x10"]
    table = read(
        tmp_path, "a,b\n" + "".join(f"{cell},1\n" for cell in odd) + "".join(f"{at}.5,2\n" for at in range(300))
    )
    column = profile(table)["a"]
    assert (column.type, column.reading.read, column.reading.failed, column.reading.missing) == (
        DataType.FLOAT,
        300,
        5,
        1,
    )
    assert "inf" in str(column.flags[0])


def test_22_huge_integer_is_text(tmp_path):
    table = read(tmp_path, f"a,b\n{'9' * 5000},1\n7,2\n8,3\n")
    assert profile(table)["a"].type is not DataType.FLOAT


def test_23_impossible_dates_are_missing(tmp_path):
    days = "".join(f"{at}/0{at % 9 + 1}/2024,{at}.5\n" for at in range(1, 29))
    column = profile(read(tmp_path, f"day,x\n0000-00-00,1\n31/02/2024,2\n{days}"))["day"]
    assert (column.type, column.reading.read, column.reading.missing) == (DataType.DATE, 28, 1)
    assert "31/02/2024" in str(column.flags[0])


def test_23_mixed_order_is_told(tmp_path):
    column = profile(read(tmp_path, "day,x\n13/01/2024,1\n14/01/2024,2\n15/02/2024,3\n01/25/2024,4\n02/03/2024,5\n"))[
        "day"
    ]
    assert column.type is DataType.DATE
    assert "Some dates" in str(column.flags[-1])


def test_24_constant_target_empty_column_and_id(tmp_path):
    columns = profile(read(tmp_path, "id,empty,x,y\n" + "".join(f"K{at},,{at % 7}.5,same\n" for at in range(50))))
    assert columns["id"].is_id and columns["id"].role is Role.IGNORED
    assert columns["empty"].type is DataType.IGNORE and columns["empty"].role is Role.IGNORED
    assert columns["y"].role is Role.IGNORED and "same value" in str(columns["y"].flags[0])
    assert columns["x"].role is Role.OUTPUT


def test_25_target_of_many_classes_is_flagged(tmp_path):
    rows = "".join(f"{at % 5}.5,class {at % 100_000}\n" for at in range(150_000))
    column = profile(read(tmp_path, "x,target\n" + rows))["target"]
    assert column.role is Role.OUTPUT
    assert any("100000 different classes" in str(flag) for flag in column.flags)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04" + b"\0" * 50, "ZIP"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (pickle.dumps({"a": 1}), "pickle"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
        (b"PAR1", "Parquet"),
    ],
)
def test_26_other_files_named_csv(tmp_path, content, word):
    assert word in refusal(tmp_path, content)


def test_27_zip_bomb(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [["a"], [1]], {"xl/media/bomb.bin": "0" * 30_000_000})
    with pytest.raises(DataError, match="unpacks to far more"):
        read_table(path, "a.xlsx")


def test_27_huge_declared_size(tmp_path):
    sheet = sheet_xml([["a"], [1]]).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    with pytest.raises(DataError, match="1048576 rows"):
        read_table(write_xlsx(tmp_path / "a.xlsx", [], sheet=sheet), "a.xlsx")
    sheet = sheet_xml([["a"], [1]]).replace('<row r="2">', '<row r="1000000000">')
    with pytest.raises(DataError, match="1000000000 rows"):
        read_table(write_xlsx(tmp_path / "b.xlsx", [], sheet=sheet), "b.xlsx")


def test_27_far_cell_of_a_tiny_file(tmp_path):
    """A single filled cell far away makes a sheet of billions of cells."""
    sheet = sheet_xml([["a"], [1]]).replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    with pytest.raises(DataError, match="too many"):
        read_table(write_xlsx(tmp_path / "a.xlsx", [], sheet=sheet), "a.xlsx")


def test_27_entities(tmp_path):
    sheet = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + sheet_xml([["a"], [1]])
    with pytest.raises(DataError, match="entities"):
        read_table(write_xlsx(tmp_path / "a.xlsx", [], sheet=sheet), "a.xlsx")


def test_27_shared_strings(tmp_path):
    extra = {"xl/sharedStrings.xml": '<sst count="1000000000" uniqueCount="1000000000"></sst>'}
    with pytest.raises(DataError, match="too many texts"):
        read_table(write_xlsx(tmp_path / "a.xlsx", [["a"], [1]], extra), "a.xlsx")


def test_27_macros(tmp_path):
    with pytest.raises(DataError, match="macros"):
        read_table(write_xlsx(tmp_path / "a", [["a"], [1]], {"xl/vbaProject.bin": "x"}), "a.xlsx")
    assert "macros" in refusal(tmp_path, b"PK\x03\x04", "a.xlsm")
    assert "xls" in refusal(tmp_path, b"\xd0\xcf\x11\xe0", "a.xls")


def test_27_many_members_and_broken_archives(tmp_path):
    with pytest.raises(DataError, match="too large"):
        read_table(write_xlsx(tmp_path / "a", [["a"]], {f"x/{at}": "" for at in range(1100)}), "a.xlsx")
    assert "cannot be read" in refusal(tmp_path, b"PK\x03\x04" + b"\0" * 100, "a.xlsx")
    with zipfile.ZipFile(tmp_path / "b", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(DataError, match="ZIP archive"):
        read_table(tmp_path / "b", "b.xlsx")


def test_28_gzip_bomb(tmp_path):
    bomb = gzip.compress(b"0" * 50_000_000, mtime=0)
    assert "gzip" in refusal(tmp_path, bomb, "a.csv")
    assert "gz" in refusal(tmp_path, bomb, "a.csv.gz")


@pytest.mark.parametrize("name", ["../../x.csv", "a" * 300 + ".csv", "a\u202evsc.csv", "con.csv", "a\nb.csv", "A.CSV"])
def test_29_only_the_ending_of_a_name_matters(tmp_path, name):
    assert read(tmp_path, "a,b\n1,2\n", name).rows == 1


@pytest.mark.parametrize("name", ["x.exe", "csv", "", "x.csv.exe", "..", "x.pkl"])
def test_29_other_endings_are_refused(tmp_path, name):
    assert "cannot be read" in refusal(tmp_path, "a,b\n1,2\n", name)


def test_long_cell(tmp_path):
    assert "“b”" in refusal(tmp_path, f"a,b\n1,{'x' * 70_000}\n2,3\n")
