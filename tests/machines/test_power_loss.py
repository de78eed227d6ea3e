"""Power lost during an upload (J5): the machine is there with all of its rows, or nothing of it is.

The service runs in a real process against a real SQLite file, and reads the table in its real child. Both are killed with
SIGKILL before a change that they make to a file in the storage or of the database: at every one in the storage (of the
upload and of the child), and at some of SQLite's, which are many and alike. A kill leaves what the system still held in
memory, a loss of power does not: so each time the contents and names that nobody had synced are then taken away. What
SQLite wrote is left to it: rows that outlive their files are the worst case.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from tests.machines.houses import csv_bytes, table_rows

pytestmark = pytest.mark.engine  # it brings its own database

HERE = Path(__file__).parent
CONTENT = csv_bytes(table_rows(150))
OF_SQLITE = 6  # one of so many of its writes


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("There is no C compiler. Install the packages gcc and libc6-dev.")
    made = tmp_path_factory.mktemp("shim") / "power_loss.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, HERE / "power_loss.c", "-ldl"], check=True)
    return made


class Host:
    """The process that forks; see tests/machines/power_loss.py."""

    def __init__(self, shim, folder):
        self.shim, self.folder, self.numbers = shim, folder, count()
        (folder / "table.csv").write_bytes(CONTENT)
        (folder / "template" / "data" / "storage").mkdir(parents=True)
        environment = {"LD_PRELOAD": str(shim), "LOG_LEVEL": "ERROR", "SECRET_KEY": "x" * 50, "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [sys.executable, HERE / "power_loss.py"],
            env=environment,
            stdin=-1,
            stdout=-1,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.ask("prepare", folder / "template") == 0

    def ask(self, act, place, **order):
        self.process.stdin.write(json.dumps({"do": act, "place": str(place), **order}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def upload(self, end=0):
        """Upload, and lose power before change number `end`, or never; return where, and the status."""
        place = self.folder / str(next(self.numbers))
        shutil.copytree(self.folder / "template", place)
        (place / "counter").write_bytes(bytes(8) + end.to_bytes(8, sys.byteorder))
        return place, self.ask("upload", place, shim=str(self.shim), table=str(self.folder / "table.csv"))

    def look(self, place):
        assert self.ask("look", place) == 0
        return json.loads((place / "seen").read_text())


@pytest.fixture(scope="module")
def host(shim, tmp_path_factory):
    host = Host(shim, tmp_path_factory.mktemp("host"))
    yield host
    host.process.stdin.close()
    host.process.wait(10)


def journal(place):
    """The changes in order: what, which file, its new name."""
    return [line.split("\t") for line in (place / "journal").read_text().splitlines()]


def lose_unsynced(place):
    """Take from the storage what a loss of power would."""
    unsynced, names = set(), []  # contents; (name that is new in its folder, the name before)
    for what, path, new in journal(place):
        if not Path(path).is_relative_to(place / "data" / "storage"):
            continue
        if what == "write":
            unsynced.add(path)
        elif what == "make" and path not in (name for name, _ in names):
            names.append((path, None))
        elif what == "rename":
            unsynced = {new if name == path else name for name in unsynced}
            names.append((new, path))
        elif what == "sync":
            unsynced.discard(path)
            names = [pair for pair in names if str(Path(pair[0]).parent) != path]
    for path in filter(Path.exists, map(Path, unsynced)):
        path.write_bytes(b"")
    for name, before in reversed(names):
        undo(Path(name), before)


def undo(path, before):
    if not path.exists():
        return
    if before:
        path.rename(before)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def check(host, place, is_there=None):
    seen = host.look(place)
    assert seen["operations"] == len(seen["machines"])
    if seen["machines"] or is_there:
        digest = hashlib.sha256(CONTENT).hexdigest()
        assert seen["machines"] == [{"source": digest, "is_part_whole": True, "rows": [150, 150], "columns": 11}]
    assert seen["files"] == 2 * len(seen["machines"]), "what no row names has been swept"
    assert len(seen["folders"]) == len(seen["machines"])
    return bool(seen["machines"])


def test_it_works(host):
    place, status = host.upload()
    assert status == 0
    lose_unsynced(place)
    assert check(host, place, is_there=True)


def test_at_every_change(host):
    place, _ = host.upload()
    changes = journal(place)
    ours = [number for number, (_, path, _) in enumerate(changes, 1) if "/storage" in path]
    sqlite = [number for number in range(1, len(changes) + 1) if number not in ours]
    assert {what for what, path, _ in changes if "/storage" in path} == {"make", "write", "sync", "rename"}
    kept = []
    for end in sorted([*ours, *sqlite[::OF_SQLITE], sqlite[-1]]):
        place, status = host.upload(end)
        assert status == -9, f"killed before {changes[end - 1]}"
        lose_unsynced(place)
        kept.append(check(host, place))
    assert not all(kept) and kept == sorted(kept), "first not there, then there"
