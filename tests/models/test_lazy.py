"""`from models import Machine`: lazy, complete, and possible without the site."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

import models

FOLDER = Path(models.__file__).parent
# What is in models/ and holds no table.
OTHER_FILES = {
    "__init__",
    "models",
    "apps",
    "settings",
    "admin",
    "access",
    "fields",
    "flags",
    "shared_link",
    "prepared",
    "tokens",
    "work_states",
    "database_handler",
}


def run_python(code: str, **env: str) -> str:
    """Run code in a fresh interpreter in the project's root."""
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FOLDER.parent,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def names_for_type_checkers() -> set[str]:
    tree = ast.parse((FOLDER / "__init__.py").read_text())
    return {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level == 1 for a in n.names}


def test_names_files_and_registry_agree():
    registered = {m.__name__ for m in apps.get_app_config("models").get_models()}

    assert set(models.__all__) == registered
    assert names_for_type_checkers() == registered
    assert set(models._FILE_OF) == registered
    assert {f.stem for f in FOLDER.glob("*.py")} - OTHER_FILES == set(models._FILES)


@pytest.mark.parametrize("name", models.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(models, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Nothing"):
        models.Nothing  # noqa: B018


def test_importing_the_package_loads_no_model_and_no_django():
    loaded = run_python("import models, sys, json; print(json.dumps([m for m in sys.modules]))")

    assert "models.machine" not in json.loads(loaded)
    assert "django" not in json.loads(loaded)


def test_dir_lists_the_models():
    assert "Machine" in dir(models)


def test_works_without_the_site(tmp_path):
    code = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from models import Machine, User
user = User.objects.create_user("a@example.org", "x")
machine = Machine.objects.create(machine_name="m", machine_owner_user=user)
import sys
print(Machine.objects.visible_to(user).count(), user.create_team("t").generate_link()[:30], "config" in sys.modules)
"""
    answer = run_python(code, DJANGO_SETTINGS_MODULE="models.settings", DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3")

    assert answer.split() == ["1", "http://localhost:8000/invites/", "False"]


@pytest.mark.django_db
def test_migrations_are_complete():
    from django.core.management import call_command

    call_command("makemigrations", "models", check=True, dry_run=True, verbosity=0)


def test_every_model_is_in_the_admin():
    from django.contrib import admin

    missing = [m for m in apps.get_app_config("models").get_models() if not admin.site.is_registered(m)]
    assert missing == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", models.__all__)
def test_every_admin_list_opens(dana_client, settings, name):
    from django.urls import clear_url_caches, reverse

    settings.ROOT_URLCONF = "tests.models.admin_urls"
    clear_url_caches()

    answer = dana_client.get(reverse(f"admin:models_{name.lower()}_changelist"))

    assert answer.status_code == 200
