"""Real-world CSV files: where the table begins and ends, what its titles are, and that every row arrives."""

import random

import pytest

from tests.machines.engine.reading.files import read, refusal, sentences

BODY = "".join(f"{at},{'ab'[at % 2]},{at * 1.5}\n" for at in range(40))


def test_it_works(tmp_path):
    table = read(tmp_path, 'id, name ,x\n1, Ann ,\n2," Bob\nsays ""hi""; ok",2.5\n')
    assert table.columns == ("id", "name", "x")
    assert table.frame.rows() == [("1", "Ann", None), ("2", 'Bob\nsays "hi"; ok', "2.5")]
    assert table.found.delimiter == "," and table.found.encoding == "utf-8"


@pytest.mark.parametrize(
    "above",
    [
        "Report generated 2024-03-01\n\n",
        "Report,Sales\nDate,2024-01-01\n\n",
        "Report,,\n,,\n",
        "\n\n",
        "sep=,\n",
    ],
)
def test_lines_above_are_skipped(tmp_path, above):
    table = read(tmp_path, above + "id,name,x\n" + BODY)
    assert (table.columns, table.rows) == (("id", "name", "x"), 40)


@pytest.mark.parametrize(
    "below",
    ["\nSource: IMF, April 2016", ",,\n,,\n", "\n\nSource: IMF\nExported by Bob\n", "International Monetary Fund"],
)
def test_notes_below_are_left_out(tmp_path, below):
    table = read(tmp_path, "id,name,x\n" + BODY + below)
    assert table.rows == 40
    assert "below the table" in sentences(table)


@pytest.mark.parametrize("rows", [15, 150])
def test_of_a_wide_table_few_rows_tell_where_it_begins_and_ends(tmp_path, rows):
    """2,200 columns: of 150 rows the first 120 are looked at, and the last ones for what stands below."""
    titles = ",".join(f"x{at}" for at in range(2_200))
    body = "".join(",".join(["1.5"] * 2_199 + ["west"]) + "\n" for _ in range(rows))
    table = read(tmp_path, f"Report 2024\n\n{titles}\n{body}\nSource: IMF\n")
    assert (table.columns[0], len(table.columns), table.rows) == ("x0", 2_200, rows)
    assert "below the table" in sentences(table)


def test_a_line_of_words_below_rows_that_begin_with_words_stays(tmp_path):
    rows = "".join(f"country {number},{number},{number * 2}\n" for number in range(40))
    table = read(tmp_path, "Country,a,b\n" + rows + "\nInternational Monetary Fund, April 2016\n")
    assert table.rows == 41
    assert "line 43" in sentences(table)


@pytest.mark.parametrize("total", ["Total,,999\n", "Summe,,1\n", ",TOTAL,77\n", "\nGrand total,,5\n"])
def test_totals_are_left_out(tmp_path, total):
    table = read(tmp_path, "id,name,x\n" + BODY + total)
    assert table.rows == 40
    assert "total" in sentences(table)


def test_empty_columns_at_the_right_are_left_out(tmp_path):
    table = read(tmp_path, "Date;T;;\n10/03/2004;2,6;;\n11/03/2004;2,0;;\n;;;\n;;;\n")
    assert (table.columns, table.rows) == (("Date", "T"), 2)


def test_no_titles(tmp_path):
    table = read(tmp_path, BODY)
    assert (table.columns, table.rows) == (("Column_1", "Column_2", "Column_3"), 40)
    assert "no line of titles" in sentences(table)


def test_repeating_words_are_no_titles(tmp_path):
    assert read(tmp_path, "red,yes\nblue,no\nred,no\nblue,yes\n").found.has_header is False


def test_years_are_titles(tmp_path):
    rows = "".join(f"Land {at},{at}.25,{at}.5,{at}.75\n" for at in range(9))
    assert read(tmp_path, "Country,2001,2002,2003\n" + rows).columns == ("Country", "2001", "2002", "2003")


def test_two_rows_of_titles(tmp_path):
    table = read(
        tmp_path, ",Sales,,Costs,\nRegion,2020,2021,2020,2021\n" + "N,1.5,2.5,3.5,4.5\nS,1.7,2.7,3.7,4.7\n" * 9
    )
    assert table.columns == ("Region", "Sales 2020", "Sales 2021", "Costs 2020", "Costs 2021")
    assert table.rows == 18


def test_row_names_of_r(tmp_path):
    assert read(tmp_path, "a,b\n" + "".join(f"r{at},{at}.5,2\n" for at in range(9))).columns == ("Column_1", "a", "b")


def test_descriptions(tmp_path):
    table = read(tmp_path, "sepal,petal,species\ninput,input,output\n" + "1.5,2.5,a\n1.7,2.2,b\n" * 9)
    assert table.rows == 18
    assert table.descriptions == {"sepal": "input", "petal": "input", "species": "output"}


def test_units_are_descriptions(tmp_path):
    table = read(tmp_path, "time,temp,name\ns,°C,\n" + "0.5,20.1,a\n1.0,21.5,b\n" * 9)
    assert (table.rows, table.descriptions["temp"]) == (18, "°C")


@pytest.mark.parametrize(
    "content",
    ["city,color\nBerlin,red\nParis,blue\nRome,green\nOslo,grey\n", "city,x\nBerlin,?\nParis,2\nRome,3\nOslo,4\n"],
)
def test_a_first_row_of_words_is_not_lost(tmp_path, content):
    assert read(tmp_path, content).rows == 4


def test_stray_quotes(tmp_path):
    table = read(tmp_path, 'size,x\n5" pipe,1\n6" pipe,2\n7"",3\n')
    assert table.frame["size"].to_list() == ['5" pipe', '6" pipe', '7""']


def test_blanks_before_quotes(tmp_path):
    assert read(tmp_path, 'a, "b"\n1, "x, y"\n2, "z"\n').frame.rows() == [("1", "x, y"), ("2", "z")]


def test_one_column_of_sentences(tmp_path):
    table = read(tmp_path, "review\nHello, world\nBye, you\nwell, well\n")
    assert (table.columns, table.rows) == (("review",), 3)


def test_comma_decimals_do_not_look_like_delimiters(tmp_path):
    table = read(tmp_path, "1,5;2,5\n3,5;4,5\n0,1;0,2\n")
    assert table.frame.rows()[0] == ("1,5", "2,5")


def test_rows_that_end_early(tmp_path):
    """Some programs leave out empty cells at the end of rows."""
    table = read(tmp_path, "a;b;c\n" + "1;2\n" * 20 + "1;2;\n" * 3)
    assert (table.columns, table.rows) == (("a", "b", "c"), 23)
    assert "line 2" in sentences(table)


def test_options_of_the_person_decide(tmp_path):
    content = "x;y\n1;2\n3;4\n".encode("utf-16")
    table = read(tmp_path, content, has_header=False, skip_rows=1, delimiter=";")
    assert table.frame.rows() == [("1", "2"), ("3", "4")]
    table = read(tmp_path, "a,b\nfoo,bar\n1,2\n3,4\n", has_description_row=True)
    assert (table.rows, table.descriptions) == (2, {"a": "foo", "b": "bar"})
    assert read(tmp_path, "a;b\nä;1\n".encode("cp1250"), encoding="cp1250").frame.item(0, 0) == "ä"


@pytest.mark.parametrize(
    "options", [{"encoding": "zip"}, {"encoding": "nonsense"}, {"delimiter": "ab"}, {"delimiter": '"'}]
)
def test_nonsense_options_are_refused(tmp_path, options):
    assert refusal(tmp_path, "a,b\n1,2\n", **options)


def test_wrong_encoding_names_the_line(tmp_path):
    assert "Line 3" in refusal(tmp_path, b"a,b\n1,2\n\xff,3\n", encoding="utf-8")


def test_random_tables_survive_any_writing(tmp_path):
    """Whatever the csv module writes is read back cell by cell, also across the pieces a file is read in."""
    import csv

    rng = random.Random(3)
    letters = "ab1 ,;\t|\"\n'é."
    for delimiter in ",;\t|":
        rows = [
            ["".join(rng.choices(letters, k=rng.randint(1, 9))).strip() or "x" for _ in range(5)] for _ in range(300)
        ]
        path = tmp_path / "written.csv"
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([list("vwxyz"), *rows])
        table = read(tmp_path, path.read_bytes(), delimiter=delimiter, has_header=True, skip_rows=0)
        assert table.frame.rows() == [tuple(row) for row in rows]


def test_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("machines.engine.reading.text.PIECE", 100)
    monkeypatch.setattr("machines.engine.reading.records.PIECE", 64)
    monkeypatch.setattr("machines.engine.reading.encoding.PIECE", 7)
    rows = [(str(at), f'é {at}\n"q"', str(at * 2)) for at in range(200)]
    content = "a,b,c\r\n" + "".join('{},"{}",{}\r\n\r\n'.format(a, b.replace('"', '""'), c) for a, b, c in rows)
    assert read(tmp_path, content).frame.rows() == rows
