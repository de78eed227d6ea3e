"""Whatever a view, a REST call or a task fetches comes by a query that holds the rule of who may have it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

import models

ROOT = Path(__file__).parents[2]
APPS = [ROOT / name for name in ("machines", "dashboards", "marketplace", "consulting", "site/accounts", "site/api")]
GUARDS = {
    "visible_to", "editable_by", "allowing", "of",  # this person's
    "by_token", "by_hash", "by_secret", "usable",  # whoever holds the secret's
    "of_team",  # a team's, which was fetched by the rule
    "none",
}  # fmt: skip
FETCHERS = {"fetch", "allowed", "for_key"}  # functions that add the guard themselves

# Where a bare query is right, and why.
EXCEPTIONS = {
    ("machines/api/answers.py", "ModelVersion.objects.light"): "of a machine that was found by the rule",
    ("machines/api/calls.py", "Machine.objects.light"): "names the refused object in the log; never shown",
    ("machines/api/models.py", "ModelVersion.objects.filter"): "of machines that were found by the rule",
    ("machines/views/access.py", "rows.model.objects.filter"): "names the refused object in the log; never shown",
}

# Models that nobody fetches by `visible_to`, and why.
UNGUARDED = {
    "Billing": "nobody's yet: pages of money come with their issue",
    "Credit": "nobody's yet: pages of money come with their issue",
    "CreditIXIOO": "nobody's yet: pages of money come with their issue",
    "Debit": "nobody's yet: pages of money come with their issue",
    "DebitIXIOO": "nobody's yet: pages of money come with their issue",
    "Column": "through its machine only",
    "DataLinesOperation": "through its machine only",
    "EncDecConfiguration": "through its machine only",
    "IdempotentCall": "through its key only",
    "MachineTableLockWrite": "nobody's: a lock",
    "NNModel": "through its machine only",
    "Server": "staff only",
}


def guarded_files() -> list[Path]:
    """Views, REST calls and tasks."""
    found = [path for app in APPS for path in app.rglob("*.py")]
    places = ("views", "api", "tasks")
    return [path for path in found if {*path.relative_to(ROOT).with_suffix("").parts} & {*places}]


class Chains(ast.NodeVisitor):
    """Finds `X.objects.a().b()` and `get_object_or_404(X`, each with the words that follow and what it is given to."""

    def __init__(self, tree: ast.AST) -> None:
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.bare: list[tuple[int, str]] = []
        self.visit(tree)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in {"objects", "_default_manager", "_base_manager"}:
            words, top = self._words(node)
            if not GUARDS & set(words) and self._given_to(top) not in FETCHERS:
                self.bare.append((node.lineno, ".".join([ast.unparse(node), *words[:1]])))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        is_getter = ast.unparse(node.func).endswith(("get_object_or_404", "get_list_or_404"))
        if is_getter and ast.unparse(node.args[0]).rpartition(".")[2][:1].isupper():  # a model's class
            self.bare.append((node.lineno, ast.unparse(node)))
        self.generic_visit(node)

    def _words(self, node: ast.AST) -> tuple[list[str], ast.AST]:
        """Return the methods called on this, in order, and the whole expression."""
        words = []
        while isinstance(self.parents.get(node), ast.Attribute | ast.Call):
            above = self.parents[node]
            if isinstance(above, ast.Attribute):
                words.append(above.attr)
            elif above.func is not node:
                break
            node = above
        return words, node

    def _given_to(self, node: ast.AST) -> str:
        """Return the function that gets it, also by way of a variable of the same function."""
        above = self.parents.get(node)
        if isinstance(above, ast.Call):
            return ast.unparse(above.func).rpartition(".")[2]
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
            return self._receiver_of(above, above.targets[0].id)
        return ""

    def _receiver_of(self, node: ast.AST, name: str) -> str:
        while not isinstance(node, ast.FunctionDef | ast.Module):
            node = self.parents[node]
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
        receivers = {
            ast.unparse(call.func).rpartition(".")[2]
            for call in calls
            for given in call.args
            if isinstance(given, ast.Name) and given.id == name
        }
        return receivers.pop() if len(receivers) == 1 else ""


def bare_queries(path: Path) -> Iterator[str]:
    place = path.relative_to(ROOT).as_posix()
    for line, query in Chains(ast.parse(path.read_text(encoding="utf-8"))).bare:
        if (place, query) not in EXCEPTIONS:
            yield f"{place}:{line} {query}"


def test_views_calls_and_tasks_fetch_by_the_rule():
    files = guarded_files()
    assert len(files) > 8
    found = [query for path in files for query in bare_queries(path)]
    assert not found, "fetch by visible_to(), editable_by(), allowing() or by_token():\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("code", "is_bare"),
    [
        ("Machine.objects.get(pk=pk)", True),
        ("Machine.objects.filter(pk=pk).first()", True),
        ("models.Machine.objects.all()", True),
        ("Machine.objects.create(x=1)", True),
        ("get_object_or_404(Machine, pk=pk)", True),
        ("get_object_or_404(models.Machine, pk=pk)", True),
        ("get_object_or_404(Machine.objects, pk=pk)", True),
        ("get_object_or_404(Machine.objects.all(), pk=pk)", True),
        ("def f():\n    rows = Machine.objects.light()\n    show(rows)", True),
        ("show(Machine.objects.light())", True),
        ("Machine.objects.visible_to(user).get(pk=pk)", False),
        ("Machine.objects.light().select_related('team').allowing(user, action)", False),
        ("get_object_or_404(machine.columns.all(), pk=pk)", False),
        ("fetch(request, Machine.objects.light(), action, pk)", False),
        ("def f():\n    rows = Machine.objects.light()\n    return fetch(request, rows, action, pk)", False),
        ("Invite.objects.by_token(token).first()", False),
    ],
)
def test_the_rule_is_understood(code: str, is_bare: bool):
    assert bool(Chains(ast.parse(code)).bare) is is_bare


def test_every_model_says_who_may_see_it():
    found = {model.__name__: model for model in apps.get_app_config("models").get_models()}
    guarded = {name for name, model in found.items() if hasattr(model._default_manager, "visible_to")}
    assert set(models.__all__) == set(found)
    assert guarded & set(UNGUARDED) == set(), "these have visible_to by now: take them off the list"
    assert guarded | set(UNGUARDED) == set(found), "give these visible_to, or a reason why not"
    assert {"Machine", "Team", "Membership", "Invite", "PublicLink", "ApiKey", "AuditEntry", "Work"} <= guarded


def test_exceptions_are_still_needed():
    for place, query in EXCEPTIONS:
        bare = Chains(ast.parse((ROOT / place).read_text(encoding="utf-8"))).bare
        assert query in [found for _line, found in bare], f"{place} has no {query} any more"
