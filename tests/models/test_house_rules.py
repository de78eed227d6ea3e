"""What holds for every model: labels, history, and a skip that counts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.utils.functional import Promise

ROOT = str(Path(__file__).parents[2])
HISTORY = ["Work", "Operation", "Billing", "ConsultingRequest", "Credit", "Debit", "CreditIXIOO", "DebitIXIOO"]


@pytest.mark.parametrize("name", HISTORY)
def test_no_deletion_takes_history_along(name):
    for field in apps.get_model("models", name)._meta.fields:
        if field.is_relation:
            assert field.remote_field.on_delete in {models.SET_NULL, models.PROTECT}, field


@pytest.mark.parametrize("model", list(apps.get_app_config("models").get_models()))
def test_labels_can_be_translated(model):
    ours = [f for f in model._meta.concrete_fields if not f.auto_created and f.model.__module__.startswith("models.")]
    plain = [f.name for f in ours if not isinstance(f._verbose_name, Promise)]
    assert [n for n in plain if n not in {"x", "y", "z", "id"}] == []


@pytest.mark.parametrize(("ci", "said"), [("true", "1 failed"), ("", "1 skipped")])
def test_with_ci_a_skip_is_a_failure(tmp_path, ci, said):
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    (tmp_path / "test_skip.py").write_text("import pytest\ndef test_it(): pytest.skip('no Chromium')\n")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", str(tmp_path), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "DJANGO_SETTINGS_MODULE": "models.settings", "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said in answer.stdout, answer.stdout + answer.stderr
    assert "no Chromium" in answer.stdout or not ci
