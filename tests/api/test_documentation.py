"""docs/api.md cannot lag: its examples run against a real server, its tables hold what the code does."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from api.formats import MOST_BYTES, Pages
from api.throttling import CALLS
from machines.api.answers import MOST_EXPLAINED
from machines.forms.rows import MOST_ERRORS, MOST_ROWS
from machines.serving.reasons import MOST_PLAYERS
from models import Machine, User, Work
from models.api_key import Scope
from tests.api.conftest import make_key
from tests.dashboards.works import running
from tests.machines.houses import train

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
START, END = "## A model made elsewhere", "## When something is refused"
MACHINES = TEXT[: TEXT.index(START)] + TEXT[TEXT.index(END) :]  # the rest: test_docs_blocks


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", MACHINES, flags=re.DOTALL)


@pytest.fixture
def diabetes(alice: User) -> Machine:
    """A machine with the columns of the manual's examples."""
    lines = [f"{60 + at},{20 + at % 40},{int(at > 90)}" for at in range(180)]
    trained = train(
        ("Glucose,Age,Outcome\n" + "\n".join(lines) + "\n").encode(), ("Outcome",), Outcome="LABEL", Glucose="FLOAT"
    )
    return trained.machine(owner=alice, machine_name="Diabetes")


@pytest.fixture
def training(diabetes, alice) -> Work:
    """A training as far as the one in the manual."""
    diabetes.training_started()
    return running(alice, machine=diabetes)


@pytest.fixture
def run(diabetes, alice, live_server: LiveServer, tmp_path):
    """Run an example as a person would, with the number of their machine in place of 1."""
    words = {"EASYAUTOML": live_server.url, "EASYAUTOML_KEY": make_key(alice).secret, "PATH": os.environ["PATH"]}

    def start(*command: str) -> str:
        work = Work.objects.order_by("pk").last()
        places = {"/machines/1/": f"/machines/{diabetes.pk}/", "/work/7/": f"/work/{work.pk if work else 7}/"}
        for place, here in places.items():
            command = tuple(part.replace(place, here) for part in command)
        done = subprocess.run(command, env=words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing: install it with `apt-get install curl`")
def test_the_examples_for_the_shell(run, diabetes, tmp_path):
    calls = [example for example in examples("bash") if "/work/" not in example and example.startswith("curl")]
    assert len(calls) == 6
    listed, machine, answer, why, work, download = (run("bash", "-c", example) for example in calls)
    assert list(json.loads(listed)[0]) == list(promised(0)[0])
    assert json.loads(machine)["columns"][0]["name"] == "Glucose"
    told = json.loads(answer)
    assert list(told) == list(promised(1))
    assert [list(row) for row in told["predictions"]] == [list(row) for row in promised(1)["predictions"]]
    (found,), (shown,) = json.loads(why)["predictions"], promised(2)["predictions"]
    assert list(found) == list(shown) and list(found["Outcome:reasons"]) == list(shown["Outcome:reasons"])
    assert list(json.loads(work)) == list(promised(3)) and Work.objects.get().pk == int(json.loads(work)["work"])
    assert download == "" and (tmp_path / "machine.onnx").read_bytes() == diabetes.training_nn_model_extfield


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing: install it with `apt-get install curl`")
def test_the_examples_about_work(run, training):
    look, ends = (example for example in examples("bash") if "/work/" in example)
    told = json.loads(run("bash", "-c", look))
    assert told == promised(4) | {"id": str(training.pk), "machine": training.machine_id}
    finished, cancelled = run("bash", "-c", ends).replace("}{", "}\n{").splitlines()
    assert list(json.loads(finished)) == list(told) and json.loads(finished)["status"] == "running"
    assert json.loads(cancelled)["status"] == "cancelled"


def promised(number):
    return json.loads(examples("json")[number])


def test_the_example_for_python(run):
    (example,) = examples("python")
    label, chance = run(sys.executable, "-c", example).split()
    assert label in {"0", "1"} and 0 <= float(chance) <= 1


def test_the_refusal_that_is_shown(diabetes, alice):
    response = make_key(alice).ask(diabetes, {}, {"Glucose": "high"})
    assert response.json() == promised(5)


def test_the_reasons_that_are_shown_add_up():
    (row,) = promised(2)["predictions"]
    found = row["Outcome:reasons"]
    total = found["usual"] + sum(found["parts"].values()) + found["others"]
    assert total == pytest.approx(row["Outcome:probabilities"][row["Outcome"]])


def test_every_scope_is_named():
    assert re.findall(r"^\| `(\w+)` \| (?!and)", TEXT.partition("## Which")[0], flags=re.MULTILINE) == list(
        Scope.values
    )


def test_the_figures_are_those_of_the_code():
    assert f"Up to {MOST_ROWS:,} rows go into one call" in TEXT
    assert f"more than {MOST_ROWS:,} rows or {MOST_BYTES // 1_000_000} MB" in TEXT
    assert f"for {MOST_EXPLAINED} rows in one call at most" in TEXT
    assert f"more than {MOST_EXPLAINED} rows with reasons" in TEXT and f"more than {MOST_PLAYERS};" in TEXT
    assert f"ask {CALLS['predict']} times (" in TEXT
    assert f"upload {CALLS['upload']} files and make {CALLS['other']} other calls a minute" in TEXT
    assert f"A page holds {Pages.page_size} machines" in TEXT
    assert MOST_ERRORS == 20 and "the first twenty places" in TEXT
