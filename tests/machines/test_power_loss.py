"""Power lost while a file comes in (J5): all that was accepted is there, with whole files, or nothing of it is.

Each service runs in a real process against a real database, and reads a table in its real child. Both are killed with
SIGKILL before a change that they make in the storage (the process and its child) or of the database (SQLite's writes, or
what PostgreSQL is asked). On SQLite that is every change in the storage, and some of the database's, which are many and
alike; on PostgreSQL, where each kill needs a new database, some of both. These are spread evenly: see MOST. A kill leaves
what the system still held in memory, a loss of power does not: so each time the contents and names that nobody had synced
are then taken away. What the database wrote is left to it: rows that outlive their files are the worst case.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from tests.machines.houses import csv_bytes, table_rows
from tests.machines.jobs.workers import database_url

HERE = Path(__file__).parent
ROWS, COLUMNS = 150, 11
CONTENT = csv_bytes(table_rows(ROWS))
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MOST = {"sqlite": (99, 6), "postgresql": (6, 4)}  # kills of each act: in the storage, of the database

# What there is: one machine of Alice's, and when all went well also what was accepted, and what a worker made of it.
BEFORE = {
    "machines": [[ROWS, COLUMNS, DIGEST]],
    "parts": [[ROWS, True]],
    "asked": [],
    "works": [],
    "models": [],
    "files": 2,
    "folders": 1,
}
TWO = BEFORE | {"machines": BEFORE["machines"] * 2, "parts": BEFORE["parts"] * 2, "files": 4, "folders": 2}
MORE = BEFORE | {"machines": [[2 * ROWS, COLUMNS, DIGEST]], "parts": BEFORE["parts"] * 2, "files": 3}
WAITS, IS_READ = {"works": [["READING", "WAITING", DIGEST]]}, {"works": [["READING", "FINISHED", DIGEST]]}
NEW = {"machines": [*BEFORE["machines"], [0, 0, DIGEST]], "files": 3, "folders": 2}
ASKED = {"asked": [DIGEST], "works": [["SOLVING", "WAITING", DIGEST]], "files": 3, "folders": 2}
MODEL = {"models": [True], "works": [["CHECKING", "WAITING", None]], "files": 3, "folders": 2}
AFTER = {
    "upload": [TWO],
    "upload large": [BEFORE | NEW | WAITS, TWO | IS_READ],
    "add": [MORE],
    "add large": [BEFORE | WAITS | {"files": 3, "folders": 2}, MORE | {"works": [["READING", "FINISHED", None]]}],
    "solve": [BEFORE | ASKED],
    "model": [BEFORE | MODEL | {"machines": [*BEFORE["machines"], [0, 0, None]]}],
}


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("There is no C compiler. Install the packages gcc and libc6-dev.")
    made = tmp_path_factory.mktemp("shim") / "power_loss.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, HERE / "power_loss.c", "-ldl"], check=True)
    return made


class Sqlite:
    """A file in the folder, copied with it."""

    def make(self, place, like=None):
        return self.name(place)

    def name(self, place):
        return str(place / "data" / "db.sqlite3")

    def drop(self, place):
        return


class Postgres:
    """A database for each folder, on the server that the suite runs on."""

    def __init__(self):
        self.prefix, self.url = f"power_loss_{uuid4().hex[:12]}_", database_url()

    def make(self, place, like=None):
        self.run(f'CREATE DATABASE "{self.name(place)}"' + (f' TEMPLATE "{self.name(like)}"' if like else ""))
        return self.name(place)

    def name(self, place):
        return self.prefix + place.name

    def drop(self, place):
        self.run(f'DROP DATABASE "{self.name(place)}" WITH (FORCE)')

    def run(self, statement):
        with psycopg.connect(self.url, dbname="postgres", autocommit=True) as maintenance:
            maintenance.execute(statement)


class Host:
    """The process that forks; see tests/machines/power_loss.py."""

    def __init__(self, shim, folder):
        self.shim, self.folder, self.numbers = shim, folder, count()
        self.databases = Postgres() if connection.vendor == "postgresql" else Sqlite()
        self.table, self.template = folder / "table.csv", folder / "template"
        self.places = []
        environment = {"LD_PRELOAD": str(shim), "LOG_LEVEL": "ERROR", "SECRET_KEY": "x" * 50, "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [sys.executable, HERE / "power_loss.py"],
            env=environment | {"DATABASE_URL": database_url()},
            stdin=-1,
            stdout=-1,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def prepare(self):
        self.table.write_bytes(CONTENT)
        (self.template / "data" / "storage").mkdir(parents=True)
        self.make(self.template)
        assert self.ask("prepare", self.template, table=str(self.table)) == 0

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        for place in [*self.places]:
            self.drop(place)

    def make(self, place, like=None):
        self.databases.make(place, like)
        self.places.append(place)

    def drop(self, place):
        self.places.remove(place)
        self.databases.drop(place)
        shutil.rmtree(place)

    def ask(self, do, place, **order):
        known = {"do": do, "place": str(place), "database": self.databases.name(place)}
        self.process.stdin.write(json.dumps(known | order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def lose_power(self, do, end=0):
        """Do it, and lose power before change number `end`, or when all is done; return (status, changes, seen)."""
        place = self.folder / str(next(self.numbers))
        shutil.copytree(self.template, place)
        self.make(place, like=self.template)
        (place / "counter").write_bytes(bytes(8) + end.to_bytes(8, sys.byteorder))
        status = self.ask(do, place, shim=str(self.shim), table=str(self.table))
        changes = journal(place)
        lose_unsynced(place / "data" / "storage", changes)
        assert self.ask("look", place) == 0
        seen = json.loads((place / "seen").read_text())
        self.drop(place)
        return status, changes, seen


@pytest.fixture(scope="module")
def host(shim, tmp_path_factory):
    with closing(Host(shim, tmp_path_factory.mktemp("host"))) as host:
        host.prepare()
        yield host


def journal(place):
    """The changes in order: what, which file, its new name."""
    return [line.split("\t") for line in (place / "journal").read_text().splitlines()]


def lose_unsynced(storage, changes):
    """Take from the storage what a loss of power would."""
    unsynced, names = set(), []  # contents; (name that is new in its folder, the name before)
    for what, path, new in changes:
        if not Path(path).is_relative_to(storage):
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


def moments(changes):
    """The numbers of the changes before which to lose power."""
    ours = [number for number, (_, path, _) in enumerate(changes, 1) if "/storage" in path]
    others = [number for number in range(1, len(changes) + 1) if number not in ours]
    in_storage, of_database = MOST[connection.vendor]
    return sorted(spread(ours, in_storage) + spread(others, of_database))


def spread(numbers, most):
    """So many of them at most, the first and the last among them."""
    if len(numbers) <= most:
        return numbers
    return [numbers[at * (len(numbers) - 1) // (most - 1)] for at in range(most)]


def test_it_works(host):
    assert host.lose_power("upload")[::2] == (0, AFTER["upload"])


@pytest.mark.parametrize("do", AFTER)
def test_all_or_nothing(host, do):
    status, changes, seen = host.lose_power(do)
    assert (status, seen) == (0, AFTER[do]), "what was accepted is there before power is lost"
    assert {what for what, path, _ in changes if "/storage" in path} >= {"make", "write", "sync", "rename"}
    kept = []
    for end in moments(changes):
        status, _, seen = host.lose_power(do, end)
        assert status == -9, f"killed before {changes[end - 1]}"
        assert seen in ([BEFORE], AFTER[do]), f"after power was lost before {changes[end - 1]}"
        kept.append(seen == AFTER[do])
    assert not all(kept) and kept == sorted(kept), "first not there, then there"
