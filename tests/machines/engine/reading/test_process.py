"""Stored parts, and the child process that the website starts."""

import hashlib
import json

import polars as pl
import pytest

from machines.child import run_child
from machines.engine.columns.profile import ColumnProfile
from machines.engine.errors import Notice
from machines.engine.job import outcome
from machines.engine.reading import read_parts, write_part
from machines.engine.reading.__main__ import run
from machines.engine.schema import Schema
from tests.machines.engine.reading.files import read

CONTENT = "Name,Size,y\n" + "".join(f"n{at % 3},{at}.5,{'ab'[at % 2]}\n" for at in range(40))


def ask(folder, content, **request):
    path = folder / "upload"
    path.write_bytes(content.encode())
    request = {"path": str(path), "name": "a.csv", "folder": str(folder / "parts")} | request
    return outcome(run, request, Quiet())


class Quiet:
    """A parent that hears and says nothing."""

    def tell(self, progress):
        return True


def test_part(tmp_path):
    table = read(tmp_path, CONTENT)
    part = write_part(table, tmp_path / "parts")
    assert part.sha256 == hashlib.sha256(part.path.read_bytes()).hexdigest()
    assert part.bytes == part.path.stat().st_size
    assert [path.name for path in (tmp_path / "parts").iterdir()] == [part.path.name]
    assert pl.read_parquet(part.path).equals(table.frame)


def test_parts_are_read_together(tmp_path):
    first = write_part(read(tmp_path, "a,b\n1,x\n2,y\n"), tmp_path)
    second = write_part(read(tmp_path, "a,c\n3,z\n4,w\n"), tmp_path)
    frame = read_parts([first.path, second.path], ["c", "a"])
    assert frame.rows() == [(None, "1"), (None, "2"), ("z", "3"), ("w", "4")]
    assert read_parts([], ["a"]).shape == (0, 1)


def test_nothing_half_made_remains(tmp_path, monkeypatch):
    def fail(path):
        raise OSError("disk full")

    table = read(tmp_path, CONTENT)
    monkeypatch.setattr("machines.engine.files.sync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_part(table, tmp_path / "parts")
    assert list((tmp_path / "parts").iterdir()) == []


def test_child_process(tmp_path):
    (tmp_path / "upload").write_text(CONTENT)
    request = {
        "path": str(tmp_path / "upload"),
        "name": "a.csv",
        "options": {},
        "folder": str(tmp_path / "p"),
        "preview_rows": 2,
    }
    told = []
    reply = run_child("machines.engine.reading", request, seconds=60, memory_mb=1000, on_message=told.append)
    assert (reply["kind"], reply["rows"], reply["part"]["rows"]) == ("done", 40, 40)
    assert reply["preview"] == [["n0", "0.5", "a"], ["n1", "1.5", "b"]]
    assert [ColumnProfile.from_json(column).name for column in reply["columns"]] == ["Name", "Size", "y"]
    shares = [message["share"] for message in told if message["kind"] == "progress"]
    assert shares == sorted(shares) and len(shares) == 2 + 3
    assert "Looking at the columns: 3 of 3" in [str(Notice.from_json(m["message"])) for m in told if "message" in m]


def test_a_bad_file_is_a_sentence(tmp_path):
    reply = ask(tmp_path, "")
    assert reply["kind"] == "error"
    assert "empty" in str(Notice.from_json(reply["error"]))


def test_a_surprise_is_a_sentence_too(capsys):
    reply = outcome(run, {"path": "/nowhere"}, Quiet())
    assert reply["kind"] == "error" and "Traceback" not in json.dumps(reply)
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def schema(tmp_path):
    columns = [ColumnProfile.from_json(json.loads(json.dumps(column))) for column in ask(tmp_path, CONTENT)["columns"]]
    return Schema(tuple(column.column for column in columns)).to_json()


def test_append(tmp_path, schema):
    reply = ask(tmp_path, "Y; size ;NAME\n" + "a;1.5;n0\nb;2.5;n9\n" * 5, kind="append", schema=schema)
    assert (reply["kind"], reply["rows"]) == ("done", 10)
    assert pl.read_parquet(reply["part"]["path"]).row(1) == ("n9", "2.5", "b")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("Name,Size\nn0,1.5\nn1,2.5\n", "“y” is missing"),
        ("Name,Size,y,z\nn0,1.5,a,1\nn1,2.5,b,2\n", "“z” is not"),
        ("Name,Size,y\nn0,big,a\nn1,small,b\nn1,3.5,b\n", "“Size”"),
    ],
)
def test_append_refuses_other_columns(tmp_path, schema, content, word):
    reply = ask(tmp_path, content, kind="append", schema=schema)
    assert word in str(Notice.from_json(reply["error"]))


def test_append_forgives_a_few_bad_cells(tmp_path, schema):
    reply = ask(tmp_path, CONTENT + "n0,oops,a\n", kind="append", schema=schema)
    assert reply["kind"] == "done" and "Size" in json.dumps(reply["notices"])
