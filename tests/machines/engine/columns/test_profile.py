"""Types, roles and flags of columns as people really write them; each table is a small look-alike of a real export."""

import json
import random

import numpy as np
import polars as pl
import pytest

from machines.engine.columns.flags import ENOUGH
from machines.engine.columns.parse import parse_table
from machines.engine.columns.profile import ColumnProfile, profile_table
from machines.engine.errors import DataError
from machines.engine.reading import RawTable, ReadOptions
from machines.engine.schema import CellFormat, Column, DataType, Role
from tests.machines.engine.reading.files import read

ROWS = 120


def profile(cells, found=None):
    """Profiles by name of a table given as {name: cells}."""
    frame = pl.DataFrame(
        {name: pl.Series([cell or None for cell in values], dtype=pl.String) for name, values in cells.items()}
    )
    raw = RawTable.from_frame(frame)
    return {column.name: column for column in profile_table(raw, found or ReadOptions(delimiter=","))}


def make(cell, rows=ROWS):
    rng = random.Random(5)
    return [cell(rng, at) for at in range(rows)]


def letters(folder, content):
    """The types of a file in the letters of the benchmark."""
    letter = {DataType.FLOAT: "n", DataType.DATE: "d", DataType.DATETIME: "d", DataType.TIME: "t"}
    columns = profile_table(read(folder, content))
    return "".join("i" if column.is_id else letter.get(column.type, "c") for column in columns)


def test_it_works(tmp_path):
    table = read(
        tmp_path,
        "age,job,bought\n"
        + "".join(f"{20 + at % 40},{'abc'[at % 3]},{'yes' if at % 4 else 'no'}\n" for at in range(80)),
    )
    age, job, bought = profile_table(table)
    assert (age.type, job.type, bought.type) == (DataType.FLOAT, DataType.LABEL, DataType.LABEL)
    assert (age.role, job.role, bought.role) == (Role.INPUT, Role.INPUT, Role.OUTPUT)
    assert str(age.reason) == "80 numbers from 20 to 59"
    assert str(job.reason) == "3 different values, all short text"
    assert bought.reading.top == (("yes", 60), ("no", 20))


def test_profiles_survive_json(tmp_path):
    table = read(tmp_path, "a,b,c\n1,2024-01-01,x\n2,,y\n3,2024-01-03,x\n")
    for column in profile_table(table):
        assert ColumnProfile.from_json(json.loads(json.dumps(column.to_json()))) == column


# Look-alikes of the messy files


def test_german_export(tmp_path):
    def line(at):
        rng = random.Random(at)
        price = f"{rng.randint(1, 24)}.{rng.randint(100, 999)},{rng.randint(10, 99)} €"
        start = f"K{at:05};{rng.randint(10**4, 99999)};{at % 28 + 1:02}.0{at % 9 + 1}.2024;{price};{at % 3},5 %"
        return f'{start};{"ja" if at % 3 else "nein"};{"SML"[at % 3]};"eins\n""zwei""; ä{at % 2}"\n'

    content = "\ufeffKunden-Nr;PLZ;Datum;Umsatz;Rabatt;Aktiv;Größe;Kommentar\n" + "".join(map(line, range(200)))
    assert letters(tmp_path, content) == "iidnnccc"


def test_american_export(tmp_path):
    def line(at):
        rng = random.Random(at)
        day = rng.choice(
            [
                f"May {at % 28 + 1:02}, 2022",
                f"{at % 12 + 1}/{at % 28 + 1}/2022",
                f"2023-08-{at % 28 + 1:02}",
                f"Mar {at % 28 + 1:02}, 2023",
            ]
        )
        price = rng.choice([f"${rng.randint(1, 20)},{rng.randint(100, 999)}.25", "(457.35)", "N/A"])
        start = f'{1000 + at},"{day}","{price}",{rng.choice(["-", "1", "4"])}'
        return f'{start},{"YN"[at % 2]},{rng.choice(["North", "n/a"])},"said ""ok"",\nthen left"\n'

    content = "Report generated 2024-03-01\r\n\r\nOrder ID,Order Date,Amount,Qty,Returned,Region,Notes\r\n" + "".join(
        map(line, range(200))
    )
    assert letters(tmp_path, content) == "idnnccc"


def test_italian_sensors(tmp_path):
    rows = "".join(
        f"{at % 28 + 1:02}/03/2004;{at % 24}.00.00;{at % 7},{at % 9};{at % 50 - 200};;\n" for at in range(400)
    )
    assert letters(tmp_path, "Date;Time;CO;NOx;;\n" + rows + ";;;;;\n" * 20) == "dtnn"


def test_supermarket(tmp_path):
    rows = "".join(
        f"{at:03}-67-{at * 7:04},{'ABC'[at % 3]},{at % 90}.5,{at % 9 + 1},{at % 3 + 1}/{at % 28 + 1}/2019"
        f",{at % 12 + 9}:{at % 60:02},4.7619,{at % 7}.5\n"
        for at in range(300)
    )
    assert letters(tmp_path, "Invoice ID,Branch,Unit price,Quantity,Date,Time,margin,Rating\n" + rows) == "icnndtnn"


def test_gdp(tmp_path):
    rows = "".join(
        f"Land {at}\tU.S. dollars\t{at % 40 + 1},{at * 7 % 900 + 100}.383\t{2000 + at % 15}\r\n" for at in range(100)
    )
    content = "Country\tUnits\t2015\tEstimates Start After\r\n" + rows + "\r\nInternational Monetary Fund, April 2016"
    table = read(tmp_path, content.encode("cp1252"))
    assert table.rows == 101  # the line of the source begins with words, as the rows do: it stays
    assert [column.type for column in profile_table(table)][2:] == [DataType.FLOAT, DataType.FLOAT]


# Cells

NUMBERS = {
    "swiss": (lambda rng, at: f"CHF {rng.randint(1, 99)}'{rng.randint(100, 999)}.05", CellFormat(".", "'")),
    "french": (
        lambda rng, at: f"{rng.randint(1, 99)}\u202f{rng.randint(100, 999)},{rng.randint(10, 99)} €",
        CellFormat(",", " "),
    ),
    "german": (lambda rng, at: f"{rng.randint(1, 99)}.{rng.randint(100, 999)},5", CellFormat(",", ".")),
    "american": (lambda rng, at: f"${rng.randint(1, 99)},{rng.randint(100, 999)}.50", CellFormat(".", ",")),
    "percent": (lambda rng, at: f"{rng.random() * 100:.1f}%", CellFormat(".")),
    "scientific": (lambda rng, at: f"{rng.random() * 1e-9:.4e}", CellFormat(".")),
    "accounting": (lambda rng, at: rng.choice(["(12.50)", "7.25", "13.75"]), CellFormat(".")),
    "codes of currencies": (lambda rng, at: f"EUR {rng.randint(1, 999)}.{rng.randint(10, 99)}", CellFormat(".")),
    "Excel's days": (lambda rng, at: str(45000 + rng.randint(0, 300)), CellFormat(".")),
    "negative": (lambda rng, at: str(rng.randint(-200, 50)), CellFormat(".")),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    cell, format = NUMBERS[name]
    column = profile({"x": make(cell)})["x"]
    assert (column.type, column.reading.failed) == (DataType.FLOAT, 0)
    assert (column.reading.format.decimal, column.reading.format.thousands) == (format.decimal, format.thousands)


OTHERS = {
    "dates": (lambda rng, at: f"{rng.randint(1, 28)}. {rng.choice(['Januar', 'März', 'Mai'])} 2023", DataType.DATE),
    "moments": (
        lambda rng, at: f"2024-01-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:00:00+02:00",
        DataType.DATETIME,
    ),
    "midnights": (lambda rng, at: f"2024-01-{rng.randint(1, 28):02} 00:00:00", DataType.DATE),
    "times": (
        lambda rng, at: f"{rng.randint(1, 12)}:{rng.randint(0, 59):02} {rng.choice(['AM', 'PM'])}",
        DataType.TIME,
    ),
    "packed dates": (lambda rng, at: f"2024{rng.randint(1, 12):02}{rng.randint(1, 28):02}", DataType.DATE),
    "oui": (lambda rng, at: rng.choice(["oui", "non"]), DataType.LABEL),
    "true": (lambda rng, at: rng.choice(["TRUE", "FALSE"]), DataType.LABEL),
    "months": (lambda rng, at: rng.choice(["Jan", "Feb", "Mar"]), DataType.LABEL),
    "json": (lambda rng, at: rng.choice(['[1, 2, "x"]', "[]", "[3]"]), DataType.JSON),
    "sentences": (lambda rng, at: f"The product number {at} was really good and I would buy it", DataType.LANGUAGE),
    "nothing": (lambda rng, at: rng.choice(["", "n/a"]), DataType.IGNORE),
    "ranges": (lambda rng, at: rng.choice(["1-5", "6-10", "11-20"]), DataType.LABEL),
    "units": (lambda rng, at: f"{rng.randint(1, 9)} kg", DataType.LABEL),
    "versions": (lambda rng, at: f"1.{rng.randint(0, 3)}.{rng.randint(0, 3)}", DataType.LABEL),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_types(name):
    cell, type = OTHERS[name]
    assert profile({"x": make(cell)})["x"].type is type


IDS = {
    "customer": lambda rng, at: f"K{at:05}",
    "row": lambda rng, at: str(at + 1),
    "customer_id": lambda rng, at: str(rng.randint(10_000, 12_000)),
    "PLZ": lambda rng, at: str(rng.randint(10_000, 99_999)),
    "zip": lambda rng, at: f"{rng.randint(0, 99_999):05}",
    "phone": lambda rng, at: f"+49 {rng.randint(100, 999)} {rng.randint(100_000, 999_999)}",
    "Mobile": lambda rng, at: f"+49{rng.randint(10**8, 10**9)}",
    "mail": lambda rng, at: f"person{at}@example.org",
    "token": lambda rng, at: f"{rng.getrandbits(64):016x}",
    "customerID": lambda rng, at: f"{rng.randint(1000, 9999)}-{at:04}ABC",
}


@pytest.mark.parametrize("name", IDS)
def test_identifiers(name):
    column = profile(
        {"a": make(lambda rng, at: str(rng.random())), name: make(IDS[name]), "y": make(lambda rng, at: "pq"[at % 2])}
    )[name]
    assert column.is_id and column.type is DataType.LABEL


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("year", lambda rng, at: str(1900 + at)),
        ("x", lambda rng, at: str(rng.randint(0, 500))),
        ("hour", lambda rng, at: str(at % 24)),
        ("width", lambda rng, at: str(rng.randint(0, 500))),
        ("residual", lambda rng, at: f"{rng.random():.6f}"),
    ],
)
def test_numbers_that_are_no_identifiers(name, cell):
    column = profile({name: make(cell), "y": make(lambda rng, at: "pq"[at % 2])})[name]
    assert (column.type, column.is_id) == (DataType.FLOAT, False)


def test_a_few_bad_cells_do_not_change_the_type():
    column = profile({"x": ["broken", *make(lambda rng, at: str(rng.random()))]})["x"]
    assert column.type is DataType.FLOAT
    assert "broken" in str(column.flags[0])


def test_what_cannot_be_decided_is_asked():
    days = profile(
        {
            "day": make(lambda rng, at: f"0{rng.randint(1, 9)}/0{rng.randint(1, 9)}/2024"),
            "y": make(lambda r, at: "ab"[at % 2]),
        }
    )
    assert "Is that right?" in str(days["day"].flags[-1])
    numbers = profile(
        {
            "x": make(lambda rng, at: f"{rng.randint(1, 9)},{rng.randint(100, 999)}"),
            "y": make(lambda r, at: "ab"[at % 2]),
        }
    )
    assert "decimal mark" in str(numbers["x"].flags[-1])


def test_the_person_decides():
    cells = {
        "x": make(lambda rng, at: f"{rng.randint(1, 9)},{rng.randint(100, 999)}"),
        "d": make(lambda rng, at: f"0{at % 9 + 1}/02/2024"),
    }
    found = profile(cells, ReadOptions(decimal=",", date_order="DMY"))
    assert found["x"].reading.high < 10
    assert found["d"].reading.format.date_order == "DMY"
    assert not found["d"].flags


def test_a_neighbour_decides():
    """02/03 is read as its neighbour, where 25/03 can only have the day first."""
    cells = {"a": make(lambda rng, at: f"02/0{at % 9 + 1}/2024"), "b": make(lambda rng, at: f"25/0{at % 9 + 1}/2024")}
    assert profile(cells)["a"].reading.format.date_order == "DMY"


def test_every_type_is_read_beforehand():
    column = profile({"x": make(lambda rng, at: str(at % 4))})["x"]
    assert set(column.readings) == set(DataType)
    assert column.readings[DataType.LABEL].top[0] == ("0", 30)
    assert column.readings[DataType.DATE].read == 0 and column.readings[DataType.DATE].failed == 90
    assert column.column_as(DataType.FLOAT, Role.INPUT).type is DataType.FLOAT


def test_statistics_are_those_of_numpy():
    cells = make(lambda rng, at: f"{rng.gauss(5, 2):.1f}", 999)
    values, reading = np.array(cells, dtype=float), profile({"x": cells})["x"].reading
    quantiles = np.quantile(values, [0.2, 0.3, 0.5, 0.7, 0.8])
    assert [reading.q20, reading.q30, reading.median, reading.q70, reading.q80] == pytest.approx(quantiles)
    assert (reading.mean, reading.std) == pytest.approx((values.mean(), values.std()))
    assert reading.histogram == tuple(np.histogram(values, bins=12)[0])


def test_huge_numbers_have_statistics():
    reading = profile({"x": make(lambda rng, at: f"{rng.choice('+-')}{rng.random() + 1}e307")})["x"].reading
    assert np.isfinite([reading.mean, reading.std, reading.median]).all()
    assert sum(reading.histogram) == ROWS


def test_zeros_that_mean_not_measured():
    glucose = make(lambda rng, at: "0" if at % 20 == 0 else str(rng.randint(60, 190)))
    children = make(lambda rng, at: str(rng.randint(0, 30)))
    loss = make(lambda rng, at: "0" if at % 10 else str(1500 + at * 7))
    found = profile({"glucose": glucose, "children": children, "loss": loss, "y": make(lambda rng, at: "ab"[at % 2])})
    assert [found[name].zeros_suspect for name in ("glucose", "children", "loss")] == [True, False, False]
    assert found["glucose"].zeros == 6 and found["glucose"].reading.low_without_zero > 50


# Roles


def roles(cells):
    return {name: column.role.value for name, column in profile(cells).items()}


X = make(lambda rng, at: str(rng.random()))
Y = make(lambda rng, at: str(rng.randint(0, 1)))


def test_the_last_usable_column_is_the_answer():
    cells = {"x": X, "y": Y, "note": ["same"] * ROWS, "id": make(lambda rng, at: f"K{at}")}
    assert roles(cells) == {"x": "input", "y": "output", "note": "ignored", "id": "ignored"}
    assert profile(cells)["y"].type is DataType.LABEL


def test_the_word_output_decides():
    assert roles({"Output 1": X, "x": make(lambda rng, at: str(rng.gauss(0, 1))), "y": Y})["Output 1"] == "output"
    assert roles({"throughput": X, "y": Y}) == {"throughput": "input", "y": "output"}


def test_a_description_decides(tmp_path):
    table = read(
        tmp_path, "a,b,c\noutput,input,input\n" + "".join(f"{at}.5,{at * at}.1,{at % 5}\n" for at in range(50))
    )
    assert [column.role for column in profile_table(table)] == [Role.OUTPUT, Role.INPUT, Role.INPUT]


def test_rows_that_wait_for_an_answer():
    cells = {"y": [*Y[:-10], *[""] * 10], "x": X}
    found = profile(cells)
    assert found["y"].role is Role.OUTPUT
    assert "last rows are empty" in str(found["y"].role_reason)


def test_mostly_empty_columns_are_left_out():
    found = profile({"rare": [*X[:20], *[""] * (ROWS - 20)], "x": X, "y": Y})
    assert found["rare"].role is Role.IGNORED and "83 %" in str(found["rare"].flags[0])


@pytest.mark.parametrize(("filled", "role"), [(ENOUGH - 1, Role.IGNORED), (ENOUGH, Role.INPUT)])
def test_mostly_empty_columns_are_used_where_enough_is_known(filled, role):
    long = ROWS * 20
    cells = {"rare": [*[""] * (long - filled), *(X * 20)[:filled]], "x": X * 20, "y": Y * 20}
    assert profile(cells)["rare"].role is role


@pytest.mark.parametrize(
    "copy",
    [
        lambda y: y,
        lambda y: {"0": "no", "1": "yes"}[y],
        lambda y: {"0": "-3.5", "1": "7"}[y],
    ],
)
def test_copies_of_the_answer_are_left_out(copy):
    found = profile({"x": X, "copy": [copy(y) for y in Y], "y": Y})
    assert found["copy"].role is Role.IGNORED
    assert "repeats the answer" in str(found["copy"].flags[0])
    assert found["x"].role is Role.INPUT


def test_straight_lines_through_the_answer_are_left_out():
    found = profile(
        {"x": X, "line": [str(float(x) * -3 + 1) for x in X], "noise": make(lambda r, at: str(r.gauss(0, 1))), "y": X}
    )
    assert (found["line"].role, found["x"].role, found["noise"].role) == (Role.IGNORED, Role.IGNORED, Role.INPUT)


def test_wide_and_long_tables():
    wide = profile({f"c{at}": ["1.5", "2.5", "x"] * 4 for at in range(200)})
    assert len(wide) == 200


# Arrays


def test_parse_table():
    frame = pl.DataFrame(
        {
            "x": ["1,5", "0", "bad", None, "-"],
            "l": [" a ", "n/a", None, "None", "b"],
            "d": ["02.05.2024", "31.02.2024", "", None, "x"],
            "z": ["1"] * 5,
        }
    )
    columns = [
        Column("x", DataType.FLOAT, format=CellFormat(","), zero_is_missing=True),
        Column("l", DataType.LABEL),
        Column("d", DataType.DATE, format=CellFormat(date_order="DMY")),
        Column("z", DataType.FLOAT, role=Role.IGNORED),
    ]
    table, unreadable = parse_table(frame, columns)
    np.testing.assert_array_equal(table["x"], [1.5, np.nan, np.nan, np.nan, np.nan])
    assert table["l"].tolist() == ["a", "", "", "None", "b"] and table["l"].dtype == object
    assert table["d"][0] == 1714608000
    assert unreadable == {"x": 1, "l": 0, "d": 1}


def test_parse_table_names_a_missing_column():
    with pytest.raises(DataError, match="“y”"):
        parse_table(pl.DataFrame({"x": ["1"]}), [Column("y", DataType.FLOAT)])
