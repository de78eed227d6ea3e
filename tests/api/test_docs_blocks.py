"""The seed's whole map works from `curl` as the manual writes it, with models that today's Keras and PyTorch make.

The manual is there in two languages. Their examples are the same, so they run once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.api.conftest import make_key
from tests.machines.jobs.workers import Fleet, database_url

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
ROWS = [[0.35, 0.74, 0.59, 0.35, 0, 0.5, 0.23, 0.48], [0.06, 0.43, 0.54, 0.29, 0, 0.4, 0.12, 0.17]]
NATIVE = "\nimport json\nprint(json.dumps({ask}.tolist()))\n"
ASK = {
    "keras": f"model.predict(__import__('numpy').array({ROWS}, dtype='float32'), verbose=0)",
    "torch": f"model(torch.tensor({ROWS}))",
}

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing: `apt-get install curl`")


def blocks(language: str, text: str = TEXT) -> list[str]:
    section = text[text.index("\n## A model made elsewhere") :]
    return [code for name, code in BLOCK.findall(section) if name == language]


def test_both_languages_have_the_same_examples():
    russian = (DOCS / "api.ru.md").read_text(encoding="utf-8")
    assert BLOCK.findall(russian) == BLOCK.findall(TEXT)
    assert [len(line) - len(line.lstrip("#")) for line in russian.splitlines() if line.startswith("#")] == [
        len(line) - len(line.lstrip("#")) for line in TEXT.splitlines() if line.startswith("#")
    ]
    assert _cells(russian) == _cells(TEXT)


def _cells(text: str) -> list[str]:
    """What stands in code in the first column of tables: addresses, fields, statuses."""
    return re.findall(r"^\| (`[^|]+|[0-9]{3} \| `\w+`)", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The models of the manual, made by its own lines, and what they say of ROWS before they are uploaded."""
    folder, said = tmp_path_factory.mktemp("models"), {}
    for code in blocks("python"):
        library = "keras" if "keras" in code else "torch"
        script = code + NATIVE.format(ask=ASK[library])
        words = {"PATH": os.environ["PATH"], "KERAS_BACKEND": "torch", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env=words, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        said[library] = json.loads(done.stdout.splitlines()[-1])
    return folder, said


@pytest.fixture
def shell(alice, live_server: LiveServer, made) -> Any:
    """Run an example as a person would, beside the model's file, with the number of their model in place of 1."""
    words = {"EASYAUTOML": live_server.url, "EASYAUTOML_KEY": make_key(alice).secret, "PATH": os.environ["PATH"]}
    fleet = Fleet(database_url(), lease=20, pace={})
    fleet.start()
    number: dict[str, int] = {}

    def run(command: str) -> str:
        for name, pk in number.items():
            command = command.replace(f"/{name}/1/", f"/{name}/{pk}/", 1)
        done = subprocess.run(
            ["bash", "-c", command], cwd=made[0], env=words, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        if "upload" in command and '"id"' in done.stdout:
            number["models"] = json.loads(done.stdout)["id"]
        return done.stdout

    yield run
    fleet.end()


def prediction_of(told: str) -> Any:
    return json.loads(told)["prediction"]


@needs_curl
def test_the_whole_map(shell: Callable[[str], str], made):
    """Upload, list, details, predict; then a version by the other framework, back to the first, and the end."""
    said = made[1]
    upload, listed, details, one, many, version, versions, delete = (
        code for code in blocks("bash") if "/models/" in code
    )
    told = json.loads(shell(upload))
    assert told == {"id": told["id"], "status": "uploaded"}
    assert json.loads(shell(listed)) == [{"id": told["id"], "name": "Diabetes", "framework": "tensorflow"}]
    about = json.loads(shell(details))
    assert (about["status"], about["inputs"][0]["shape"], about["safety"]["format"]) == ("uploaded", [8], "keras")
    assert prediction_of(shell(one)) == pytest.approx(said["keras"][0], abs=1e-5)
    assert [row[0] for row in prediction_of(shell(many))] == pytest.approx([row[0] for row in said["keras"]], abs=1e-5)
    first, again = json.loads(shell(version)), json.loads(shell(version))
    assert first == again == {"id": told["id"], "version": 2, "status": "uploaded"}, "the key makes it one call"
    assert prediction_of(shell(one)) == pytest.approx(said["torch"][0], abs=1e-5)
    look, use = versions.split("\ncurl -s -X POST")
    assert [(item["version"], item["answers"]) for item in json.loads(shell(look))] == [(2, True), (1, False)]
    assert json.loads(shell(f"curl -s -X POST{use}"))["answers"] is True
    assert prediction_of(shell(one)) == pytest.approx(said["keras"][0], abs=1e-5)
    assert shell(delete) == "" and json.loads(shell(listed)) == []


@needs_curl
def test_the_json_that_is_shown(shell: Callable[[str], str]):
    """Each answer has the fields that the manual shows, in its order."""
    shown = [json.loads(code) for code in blocks("json")]
    upload, listed, _details, one = [code for code in blocks("bash") if "/models/" in code][:4]
    assert list(json.loads(shell(upload))) == list(shown[0])
    assert list(json.loads(shell(listed))[0]) == list(shown[1][0])
    assert list(json.loads(shell(one))) == list(shown[2])
