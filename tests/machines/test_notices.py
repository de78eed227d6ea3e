"""Every sentence of the engine can be translated: it is a template that `makemessages` finds, filled in afterwards."""

import ast
from pathlib import Path

import pytest

from machines.engine.errors import PLAIN

ROOT = Path(__file__).parents[2] / "machines"
FILES = sorted(path for part in ("engine", "serving", "conversion") for path in (ROOT / part).rglob("*.py"))
SAY = {"Notice", "DataError", "_warning"}


def calls(path, names):
    """The first arguments of calls of these names."""
    tree = ast.parse(path.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [node.args[0] for node in nodes if node.func.id in names and node.args]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_marked_for_translation(path):
    said = [
        ast.unparse(argument) for argument in calls(path, SAY) if isinstance(argument, ast.Constant | ast.JoinedStr)
    ]
    assert said == [], "wrap it in gettext_noop"
    for argument in calls(path, {"gettext_noop"}):
        template = argument.value if isinstance(argument, ast.Constant) else None
        assert template and PLAIN.fullmatch(template), ast.unparse(argument)


def test_there_are_sentences():
    assert sum(len(calls(path, {"gettext_noop"})) for path in FILES) > 100
