"""What may stand in no file of the site: code from text, a shell, pickles, SQL by hand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("site", "models", "machines", "dashboards", "marketplace", "consulting", "manage.py", "tools")
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
UNSAFE_SQL = {"raw", "extra", "RawSQL", "executescript"}
UNSAFE_HTML = {"mark_safe", "SafeString", "SafeText"}
CURSORS = {"execute", "executemany"}
DRAWN_BY_US = [
    "templates/dashboards/export/report.html: |safe"
]  # colours of tokens.css; SVG whose texts exporting.xml escapes
WRITTEN_BY_DJANGO = ("models/prepared.py:", "makes SQL out of values")  # of a queryset; values stand beside it


def files() -> list[Path]:
    found = [
        path for place in PLACES for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    return [path for path in found if "__pycache__" not in path.parts]


def findings(path: Path) -> Iterator[str]:
    place = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for what in _wrong(node):
            yield f"{place}:{getattr(node, 'lineno', 0)} {what}"


def _wrong(node: ast.AST) -> Iterator[str]:
    """Yield what this part of a program must not do."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
        yield from (f"imports {name}" for name in names if name.partition(".")[0] in FORBIDDEN_MODULES)
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    is_plain = isinstance(node.func, ast.Name)
    is_of_text = bool(node.args) and not isinstance(node.args[0], ast.Constant)
    if (is_plain and name in FORBIDDEN_CALLS) or name in UNSAFE_SQL or (is_of_text and name in UNSAFE_HTML):
        yield f"calls {name}()"
    if ast.unparse(node.func) in {"os.system", "os.popen"} or any(
        word.arg == "shell" and _is_true(word.value) for word in node.keywords
    ):
        yield "starts a shell"
    if is_of_text and name in CURSORS:
        yield "makes SQL out of values"
    if name == "load" and any(word.arg == "allow_pickle" and _is_true(word.value) for word in node.keywords):
        yield "reads pickles"


def _is_true(value: ast.AST) -> bool:
    return not (isinstance(value, ast.Constant) and not value.value)


def test_no_file_runs_text_or_unpickles_or_writes_sql():
    assert len(files()) > 100
    found = [finding for path in files() for finding in findings(path)]
    place, what = WRITTEN_BY_DJANGO
    excused = [finding for finding in found if finding.startswith(place) and finding.endswith(what)]
    assert [finding for finding in found if finding not in excused] == []
    assert len(excused) == 2


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)", "exec(text)", "import pickle", "from joblib import load", "import pickle as p",
        "subprocess.run(x, shell=True)", "subprocess.run(x, shell=flag)", "os.system(x)",
        "Machine.objects.raw(sql)", "Machine.objects.extra(where=[x])", "RawSQL(x, [])", "mark_safe(name)",
        "cursor.execute(f'SELECT {x}')", "cursor.execute('SELECT ' + x)", "numpy.load(f, allow_pickle=True)",
    ],
)  # fmt: skip
def test_the_rule_finds(code: str):
    assert any(_wrong(node) for node in ast.walk(ast.parse(code)) for _ in _wrong(node))


@pytest.mark.parametrize(
    "code", ["re.compile(x)", "cursor.execute('SELECT 1')", "subprocess.run(x, shell=False)", "mark_safe('<wbr>')"]
)
def test_the_rule_lets_pass(code: str):
    assert not [what for node in ast.walk(ast.parse(code)) for what in _wrong(node)]


def test_templates_trust_no_text():
    """Nothing a person typed is marked as safe, and data for scripts goes through json_script."""
    words = ("|safe", "autoescape off", "|safeseq", "<script>")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "templates").rglob("*.html")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == DRAWN_BY_US
    assert (ROOT / "templates/dashboards/export/report.html").read_text(encoding="utf-8").count("|safe") == 2


def test_scripts_make_no_code_of_text():
    words = ("eval(", "new Function", "innerHTML", "outerHTML =", "document.write", "insertAdjacentHTML")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "static").rglob("*.js")
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
