import csv
import os
import re
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import onnx
import pytest
from django.conf import settings
from django.core.management import call_command
from onnx import TensorProto, helper

from machines.engine import answers_csv
from machines.engine.answers_csv import write_answers
from machines.engine.errors import DataError
from machines.engine.reading import read_table
from machines.engine.solving.csv_cells import escape
from machines.engine.solving.machine_file import OPERATORS, open_machine
from machines.engine.solving.match import match_inputs
from machines.serving.predictor import Answer, Predictor
from tests.machines.commands.conftest import Trained, flats, run, write

pytestmark = pytest.mark.xdist_group("commands")


def answered(machine: Path, rows: Path, save: Path) -> list[dict[str, str]]:
    run("predict_csv", machine, rows, "--save", save)
    with save.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def answers(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    return answered(trained.machine, trained.data, tmp_path_factory.mktemp("answers") / "out.csv")


def test_it_works(answers: list[dict[str, str]]) -> None:
    assert list(answers[0]) == ["price", "price:low", "price:high", "kind", "kind:small", "kind:big flat"] or list(
        answers[0]
    ) == ["price", "price:low", "price:high", "kind", "kind:big flat", "kind:small"]
    assert len(answers) == len(flats())


def test_rows_stay_in_order(answers: list[dict[str, str]]) -> None:
    truth = np.array([float(row["price"]) for row in flats()])
    assert np.corrcoef(truth, [float(row["price"]) for row in answers])[0, 1] > 0.9
    right = [row["kind"] == flat["kind"] for row, flat in zip(answers, flats(), strict=True)]
    assert np.mean(right) > 0.9


def test_figures_are_possible(answers: list[dict[str, str]]) -> None:
    for row in answers:
        assert float(row["price:low"]) <= float(row["price"]) <= float(row["price:high"])
        assert float(row["kind:small"]) + float(row["kind:big flat"]) == pytest.approx(1, abs=1e-4)


def test_another_way_of_writing_the_rows_gives_the_same_answers(
    trained: Trained, answers: list[dict[str, str]], tmp_path: Path
) -> None:
    """Semicolons, decimal commas, days first, titles in other letters, another order, columns nobody asked for."""
    rows = [
        {
            "TOWN": row["Town"],
            " floor  AREA": row["Floor area"].replace(".", ","),
            "note": "x",
            "Floor": row["floor"],
            "sold": "{2}.{1}.{0}".format(*row["sold"].split("-")),
        }
        for row in flats()
    ]
    assert answered(trained.machine, write(tmp_path / "rows.csv", rows, ";"), tmp_path / "out.csv") == answers


def test_one_row_with_an_open_date_is_read_as_in_training(trained: Trained, tmp_path: Path) -> None:
    predictor, schema = open_machine(trained.machine)
    rows = write(tmp_path / "rows.csv", [{"Floor area": "50.5", "sold": "03/04/2024"}])
    formats = {c.name: c.format for c in match_inputs(read_table(rows, rows.name), schema).columns}
    assert formats["sold"] == next(c.format for c in schema.inputs if c.name == "sold")
    assert predictor.outputs[0] == "price"


def test_chunks_change_nothing(
    trained: Trained, answers: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_csv, "CELLS", 1)
    rows = write(tmp_path / "rows.csv", flats() * 2)
    assert answered(trained.machine, rows, tmp_path / "out.csv") == answers * 2


def test_unknown_labels_and_empty_cells_are_answered(trained: Trained, tmp_path: Path) -> None:
    rows = [row | {"Town": "Atlantis", "floor": ""} for row in flats(5)]
    found = answered(trained.machine, write(tmp_path / "rows.csv", rows), tmp_path / "out.csv")
    assert len(found) == 5
    assert all(np.isfinite(float(row["price"])) for row in found)


def test_an_absent_column_counts_as_missing_with_a_warning(trained: Trained, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", [{"Floor area": row["Floor area"], "x": "1"} for row in flats(5)])
    errors = StringIO()
    call_command(
        "predict_csv",
        str(trained.machine),
        str(rows),
        "--save",
        str(tmp_path / "out.csv"),
        stdout=StringIO(),
        stderr=errors,
    )
    assert "Warning: The input column “Town” is not in the file" in errors.getvalue()


def test_unreadable_cells_are_counted(trained: Trained, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", [*flats(30), flats(1)[0] | {"Floor area": "large"}])
    errors = StringIO()
    call_command(
        "predict_csv",
        str(trained.machine),
        str(rows),
        "--save",
        str(tmp_path / "out.csv"),
        stdout=StringIO(),
        stderr=errors,
    )
    assert "Warning: Cells of “Floor area” that could not be read as its type count as missing: 1." in errors.getvalue()


def refused(tmp_path: Path, machine: Path, rows: Path) -> str:
    with pytest.raises(DataError) as error:
        run("predict_csv", machine, rows, "--save", tmp_path / "out.csv")
    assert not list(tmp_path.glob("*out.csv*"))
    return str(error.value)


def test_a_file_without_any_input_is_refused(trained: Trained, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", [{"a": "1", "b": "2"}])
    assert "It needs “Floor area”" in refused(tmp_path, trained.machine, rows)


def test_the_machine_is_not_overwritten(trained: Trained) -> None:
    with pytest.raises(DataError, match="also read"):
        run("predict_csv", trained.machine, trained.data, "--save", trained.machine)


def changed(trained: Trained, path: Path, change) -> Path:
    """The machine with something changed in it."""
    model = onnx.load_model_from_string(trained.machine.read_bytes())
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def graph_within_a_node(model: onnx.ModelProto) -> None:
    attribute = helper.make_attribute("body", helper.make_graph([], "body", [], []))
    model.graph.node[0].attribute.append(attribute)


def other_file(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    entry = model.graph.initializer[0].external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def other_words(model: onnx.ModelProto) -> None:
    model.metadata_props[0].value = "{}"


def no_words(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def other_input(model: onnx.ModelProto) -> None:
    text = model.metadata_props[0].value
    model.metadata_props[0].value = text.replace('"name":"Town"', '"name":"City"')


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (loop, "other operations"),
        (graph_within_a_node, "other operations"),
        (other_file, "other files"),
        (other_words, "damaged"),
        (no_words, "does not describe"),
        (other_input, "not those it describes"),
    ],
)
def test_files_that_no_training_wrote_are_refused(trained: Trained, tmp_path: Path, change, why: str) -> None:
    assert why in refused(tmp_path, changed(trained, tmp_path / "machine.onnx", change), trained.data)


def test_files_that_are_no_onnx_are_refused(trained: Trained, tmp_path: Path) -> None:
    for content in (b"", b"a,b\n1,2\n", trained.machine.read_bytes()[:2000], os.urandom(500)):
        (tmp_path / "machine.onnx").write_bytes(content)
        assert "not an ONNX file" in refused(tmp_path, tmp_path / "machine.onnx", trained.data)
    assert "There is no file" in refused(tmp_path, tmp_path / "none.onnx", trained.data)


def test_every_operator_that_training_writes_is_known() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (settings.BASE_DIR / "machines/engine").glob("*.py"))
    written = set(re.findall(r'(?:\.add|\.add_many|make_node)\(\s*"(\w+)"', sources))
    assert len(written) > 20
    assert written <= OPERATORS


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 170", "-a", "@SUM(A1)", "\tx", "\rx", "\0x", "＝1", "＋1", "－1", "＠a", "-1+1"]
)
def test_cells_that_a_spreadsheet_would_run_are_escaped(cell: str) -> None:
    assert escape(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=b", "-3.5", "-3,5", "-1.234,5", "+7", "-1e-7", "'=1", "small"])
def test_other_cells_stay(cell: str) -> None:
    assert escape(cell) == cell


class Told(Predictor):
    """Answers with what it was told."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers

    def predict(self, table) -> list[Answer]:
        return self.answers


def test_titles_and_labels_are_escaped_and_numbers_are_not(trained: Trained, tmp_path: Path) -> None:
    labels = np.array(["=cmd()", "-3.5"], dtype=object)
    chances = {"=cmd()": np.array([0.9, 0.1]), "-3.5": np.array([0.1, 0.9])}
    told = Told(
        [Answer("@y", labels, probabilities=chances), Answer("n", np.array([-1.5, 2.0]), np.zeros(2), np.ones(2))]
    )
    raw = read_table(write(tmp_path / "rows.csv", flats(2)), "rows.csv")
    out = BytesIO()
    _, schema = open_machine(trained.machine)
    write_answers(told, raw, match_inputs(raw, schema), out)
    title, first, second = csv.reader(StringIO(out.getvalue().decode()))
    assert title == ["'@y", "'@y:=cmd()", "'@y:-3.5", "n", "n:low", "n:high"]
    assert first == ["'=cmd()", "0.9", "0.1", "-1.5", "0.0", "1.0"]
    assert second[0] == "-3.5"


def test_what_it_writes_can_be_read_again(trained: Trained, answers: list[dict[str, str]], tmp_path: Path) -> None:
    run("predict_csv", trained.machine, trained.data, "--save", tmp_path / "out.csv")
    table = read_table(tmp_path / "out.csv", "out.csv")
    assert table.frame.to_dicts() == answers


def test_it_needs_no_database_and_loads_no_training_code(trained: Trained, tmp_path: Path) -> None:
    program = (
        "import atexit, sys, runpy; sys.argv = sys.argv[1:]\n"
        "heavy = {'torch', 'tensorflow', 'sklearn'}\n"
        "atexit.register(lambda: print(*sorted(heavy & sys.modules.keys()), 'loaded'))\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    line = [sys.executable, "-c", program, str(settings.BASE_DIR / "manage.py"), "predict_csv", str(trained.machine)]
    done = subprocess.run(
        [*line, str(trained.data), "--save", str(tmp_path / "out.csv")],
        capture_output=True,
        text=True,
        env=os.environ | {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded"
    assert (tmp_path / "out.csv").exists()
