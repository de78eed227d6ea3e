"""All rows of a file answered, whatever the file looks like."""

import io
import math

import onnx
import polars as pl
import pytest

from machines.engine.solving import problems
from machines.engine.solving.machine_file import open_machine
from tests.machines.commands.conftest import flats, write
from tests.machines.engine.solving import INPUTS, Bench, finish, read, start, unanswered
from tests.machines.houses import xlsx_bytes

ANSWERS = ["price", "price:low", "price:high", "kind", "kind:small", "kind:big flat"]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_it_works(bench):
    done = bench.solved(unanswered())
    found = bench.answers()
    assert list(found[0]) == [*INPUTS, *ANSWERS] or list(found[0]) == [*INPUTS, *ANSWERS[:4], *reversed(ANSWERS[4:])]
    assert [{name: row[name] for name in INPUTS} for row in found] == unanswered()
    assert all(float(row["price:low"]) <= float(row["price"]) <= float(row["price:high"]) for row in found)
    assert all(row["kind"] in {"small", "big flat"} for row in found)
    assert (done["rows"], done["errors"], done["unreadable"], done["resumed_chunks"]) == (30, 0, {}, 0)
    assert done["titles"] == list(found[0]) and len(done["preview"]) == 5
    assert [str(cell) for cell in done["preview"][0]] == list(found[0].values())
    assert (bench.folder / "errors.csv").read_text() == "row,column,value,problem\n"
    assert not list(bench.folder.rglob(".*"))


def test_a_process_of_its_own_does_the_same(bench):
    here = bench.solved(unanswered(), cells=1)
    files = (bench.folder / "answers.csv").read_bytes(), (bench.folder / "errors.csv").read_bytes()
    there = finish(start(bench.request(bench.folder / "rows.csv", cells=1, folder=str(bench.folder / "other"))))
    assert there | {"told": None} == here | {"told": None} and there["told"]
    assert ((bench.folder / "answers.csv").read_bytes(), (bench.folder / "errors.csv").read_bytes()) == files


def test_progress_is_told_in_sentences(bench):
    done = bench.solved(unanswered(), cells=1)
    told = done["told"]
    assert told[0]["message"]["template"] == "Reading the file" and told[0]["share"] == 0.0
    shares = [event["share"] for event in told]
    assert shares == sorted(shares) and all(0 <= share <= 1 for share in shares)


def test_answers_are_those_of_the_machine_itself(bench):
    bench.solved(unanswered(5))
    predictor, _ = open_machine(bench.machine)
    row = bench.answers()[0]
    table = {"Floor area": [float(row["Floor area"])], "floor": [float(row["floor"])], "Town": [row["Town"]]}
    table["sold"] = [pl.Series([row["sold"]]).str.to_date().dt.timestamp("ms")[0] / 1000]
    price, kind = predictor.predict(table)
    assert math.isclose(float(row["price"]), price.values[0], rel_tol=1e-6) and row["kind"] == kind.values[0]


def test_a_file_with_the_outputs_keeps_them_beside_the_answers(bench):
    done = bench.solved(flats(10))
    found = bench.answers()
    assert [row["price"] for row in found] == [row["price"] for row in flats(10)]
    assert {"price:answer", "price:answer:low", "price:answer:high", "kind:answer", "kind:answer:small"} <= {*found[0]}
    assert "price:low" not in found[0]
    assert any(notice["values"].get("title") == "price:answer" for notice in done["notices"])


def test_a_column_that_is_called_like_an_interval_moves_all_of_that_output(bench):
    bench.solved([row | {"PRICE : low": "1", "Price:answer": "2"} for row in unanswered(3)])
    titles = list(bench.answers()[0])
    assert "price:answer2" in titles and "price:answer2:low" in titles and "kind" in titles
    assert "price" not in titles


def test_decimal_commas_days_first_other_titles_and_further_columns(bench):
    bench.solved(unanswered())
    plain = bench.answers()
    rows = [
        {
            "note": "=cmd|' /C calc'!A1",
            "TOWN": row["Town"],
            "floor  AREA": row["Floor area"].replace(".", ","),
            "change": "-3,5",
            "Floor": row["floor"],
            "sold": "{2}.{1}.{0}".format(*row["sold"].split("-")),
        }
        for row in unanswered()
    ]
    file = write(bench.folder / "commas.csv", rows, ";")
    assert bench.solve(file, folder=str(bench.folder / "other"))["kind"] == "done"
    found = bench.answers()
    assert [{name: row[name] for name in ANSWERS} for row in found] == [
        {name: row[name] for name in ANSWERS} for row in plain
    ]
    assert found[0]["note"] == "'=cmd|' /C calc'!A1"
    assert found[0]["change"] == "-3,5" and found[0]["floor AREA"] == rows[0]["floor  AREA"]


def test_an_excel_file(bench):
    file = bench.folder / "rows.xlsx"
    file.write_bytes(xlsx_bytes([list(row.values()) for row in unanswered()], INPUTS))
    bench.solved(unanswered())
    plain = bench.answers()
    assert bench.solve(file, folder=str(bench.folder / "other"))["rows"] == 30
    assert bench.answers() == plain


def test_parquet_says_the_same_as_csv(bench):
    bench.solved(unanswered())
    bench.solved(unanswered(), format="parquet", folder=str(bench.folder / "other"))
    table = pl.read_parquet(bench.folder / "answers.parquet")
    assert table.schema["price"] == pl.Float64 and table.schema["Floor area"] == pl.String
    again = io.BytesIO()
    table.write_csv(again)
    assert again.getvalue() == (bench.folder / "answers.csv").read_bytes()


def test_an_absent_column_counts_as_missing_with_a_notice(bench):
    done = bench.solved([{"Floor area": row["Floor area"], "x": "1"} for row in unanswered(5)])
    assert [n["values"]["column"] for n in done["notices"] if n["weight"] == "warning"] == ["floor", "Town", "sold"]
    assert len(bench.answers()) == 5 and done["errors"] == 0


def test_unreadable_cells_are_listed_and_their_rows_are_answered(bench):
    rows = unanswered(60)
    rows[3] |= {"Floor area": "=1+1", "sold": "soon"}
    rows[41] |= {"Floor area": "large"}
    done = bench.solved(rows, cells=1)
    assert len(bench.answers()) == 60 and all(row["price"] for row in bench.answers())
    number, day = (f"This is not a {what}, so the cell counts as empty." for what in ("number", "date"))
    assert [tuple(line.values()) for line in bench.errors()] == [
        ("4", "Floor area", "'=1+1", number),
        ("4", "sold", "soon", day),
        ("42", "Floor area", "large", number),
    ]
    assert done["unreadable"] == {"Floor area": 2, "sold": 1} and done["errors"] == 3
    assert {"column": "Floor area", "cells": 2} in [notice["values"] for notice in done["notices"]]


def test_rows_are_numbered_through_all_chunks(bench):
    rows = unanswered(1000)
    for at in (0, 255, 256, 999):
        rows[at]["floor"] = "top"
    bench.solved(rows, cells=1)
    assert [line["row"] for line in bench.errors()] == ["1", "256", "257", "1000"]
    assert [row["Floor area"] for row in bench.answers()] == [row["Floor area"] for row in rows]


def test_rows_with_nothing_to_go_by_are_answered_and_listed(bench):
    rows = [row | {"note": "x"} for row in unanswered(20)]
    rows[7] |= dict.fromkeys(INPUTS, "")
    rows[9] |= dict.fromkeys(INPUTS, "") | {"floor": "?!"}
    done = bench.solved(rows)
    assert len(bench.answers()) == 20 and all(row["price"] for row in bench.answers())
    listed = [(line["row"], line["column"]) for line in bench.errors()]
    assert listed == [("8", ""), ("10", "floor"), ("10", "")] and done["errors"] == 3
    assert bench.errors()[0]["problem"] == problems.BARE and done["unreadable"] == {"floor": 1}


def test_lines_without_a_single_cell_are_no_rows(bench):
    file = write(bench.folder / "rows.csv", unanswered(10))
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines[:4], "", ",,,", *lines[4:], ""]), encoding="utf-8")
    assert bench.solve(file)["rows"] == 10
    assert [{name: row[name] for name in INPUTS} for row in bench.answers()] == unanswered(10)


def test_labels_that_were_never_seen_are_no_problem(bench):
    done = bench.solved([row | {"Town": "Atlantis"} for row in unanswered(5)])
    assert done["errors"] == 0 and all(math.isfinite(float(row["price"])) for row in bench.answers())


def test_more_problems_than_anyone_reads_are_counted(bench, tmp_path):
    lines = pl.DataFrame({"row": range(1, 60_001), "column": "a", "value": "b", "problem": "c"}, strict=False)
    lines = lines.select(pl.col("row").cast(pl.Int64), "column", "value", "problem")
    parts = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for part in parts:
        lines.write_parquet(part)
    with (tmp_path / "e.csv").open("wb") as file:
        found = problems.join_problems(parts, file)
    written = read(tmp_path / "e.csv")
    assert found == problems.Problems(120_000, {"a": 120_000}) and len(written) == 100_001
    assert written[-1] == {"row": "", "column": "", "value": "", "problem": problems.MORE.format(count=20_000)}


def test_threads_change_nothing(bench):
    bench.solved(unanswered(2000), cells=1)
    plain = (bench.folder / "answers.csv").read_bytes()
    bench.solved(unanswered(2000), cells=1, threads=2, folder=str(bench.folder / "other"))
    assert (bench.folder / "answers.csv").read_bytes() == plain


def test_stored_rows_of_several_parts(bench):
    bench.solved(unanswered(700))
    plain = bench.answers()
    frame = pl.DataFrame(unanswered(700)).with_columns(price=pl.lit(None, pl.String))
    parts = [frame.slice(0, 300), frame.slice(300, 1), frame.slice(301).drop("price")]
    for at, part in enumerate(parts):
        part.write_parquet(bench.folder / f"{at}.parquet")
    paths = [str(bench.folder / f"{at}.parquet") for at in range(3)]
    done = bench.solve(parts=paths, folder=str(bench.folder / "other"), cells=1)
    assert done["rows"] == 700
    assert [row["price:answer"] for row in bench.answers()] == [row["price"] for row in plain]


def test_stored_rows_are_written_as_the_machine_learned(bench):
    """They were checked when they were stored; how they write a number is not guessed again."""
    pl.DataFrame({"Floor area": ["1234,5", "99,25"]}).write_parquet(bench.folder / "0.parquet")
    done = bench.solve(parts=[str(bench.folder / "0.parquet")])
    assert done["unreadable"] == {"Floor area": 2}


def test_no_rows_at_all(bench):
    pl.DataFrame({"Floor area": []}, schema={"Floor area": pl.String}).write_parquet(bench.folder / "0.parquet")
    assert "no rows" in refused(bench, parts=[str(bench.folder / "0.parquet")])


def refused(bench, file=None, **kwargs):
    said = bench.solve(file, **kwargs)
    assert (
        said["kind"] == "error" and not list(bench.folder.glob("answers.*")) and not list(bench.folder.glob("errors.*"))
    )
    return said["error"]["template"] % said["error"]["values"]


def test_a_wrong_file_is_refused(bench):
    assert "It needs “Floor area”" in refused(bench, write(bench.folder / "rows.csv", [{"a": "1", "b": "2"}]))
    (bench.folder / "empty.csv").write_bytes(b"")
    assert refused(bench, bench.folder / "empty.csv", folder=str(bench.folder / "other"))


def test_models_that_no_training_wrote_are_refused(bench):
    file = write(bench.folder / "rows.csv", unanswered())
    model = onnx.load_model_from_string(bench.machine.read_bytes())
    model.graph.node.append(onnx.helper.make_node("Loop", ["", ""], [], body=onnx.helper.make_graph([], "b", [], [])))
    bench.machine = bench.folder / "machine.onnx"
    for content, why in ((model.SerializeToString(), "other operations"), (b"a,b\n1,2\n", "not an ONNX file")):
        bench.machine.write_bytes(content)
        assert why in refused(bench, file)


def test_a_folder_begun_with_another_machine_begins_anew(bench, tmp_path):
    rows = unanswered(600)
    assert bench.solved(rows, cells=1)["resumed_chunks"] == 0
    assert bench.solved(rows, cells=1)["resumed_chunks"] == 3
    other = onnx.load_model_from_string(bench.machine.read_bytes())
    other.doc_string = "trained again"
    bench.machine = tmp_path / "machine.onnx"
    bench.machine.write_bytes(other.SerializeToString())
    assert bench.solved(rows, cells=1)["resumed_chunks"] == 0


def test_a_process_that_nobody_waits_for_ends(bench):
    process = start(bench.request(write(bench.folder / "rows.csv", unanswered(20_000)), cells=1))
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(5) == 3 and not (bench.folder / "answers.csv").exists()
