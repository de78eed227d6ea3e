"""The web process answers with ONNX Runtime alone: what trains and what reads tables runs in children."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ["torch", "tensorflow", "polars", "sklearn", "onnx", "pandas", "scipy", "fastexcel"]
HEAVY += ["requests", "pygments"]  # what the REST framework might one day use
HEAVY += ["drf_spectacular", "jsonschema", "yaml"]  # only for those who ask for the description of the calls

SCRIPT = """
import json, sys
sys.path[:0] = ["site", "."]
from config.wsgi import application
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver, reverse
call_command("migrate", verbosity=0)
from models import User
client = Client()
user = User.objects.create_user("web@example.org", "correct horse battery staple")
client.force_login(user)
answers = {}
def ask(name, address, data=None):
    answers[name] = (client.get(address) if data is None else client.post(address, data)).status_code
ask("healthz", "/healthz")
for name in ("machines:list", "machines:new", "accounts:profile", "dashboards:home"):
    ask(name, reverse(name))
from django.utils import timezone
from machines.serving.predictor import Predictor
from models import Column, EncDecConfiguration, Machine, NNModel
onnx = open(sys.argv[2], "rb").read()
machine = Machine.objects.create(
    machine_name="Houses", machine_owner_user=user, machine_status="ready", model_version=1,
    training_report=json.load(open(sys.argv[3])), training_date_time_machine_model=timezone.now(),
    training_nn_model=NNModel.objects.create(nn_model=onnx),
    enc_dec_configuration=EncDecConfiguration.objects.create(enc_dec_config=Predictor(onnx).metadata),
)
for name in ("detail", "columns", "source", "rows", "training", "predict", "download", "delete"):
    ask(name, reverse(f"machines:{name}", args=[machine.pk]))
for name in ("graphs:list", "graphs:new", "dashboards:profile", "dashboards:report"):
    ask(name, reverse(name, args=[machine.pk]))
ask("asked", reverse("machines:predict", args=[machine.pk]), {"c0": "50"})
from models import ApiKey
key = ApiKey(user=user, name="web", scopes=["read", "predict", "write"])
bearer = {"Authorization": "Bearer " + key.make_secret()}
key.save()
address = f"/api/machines/{machine.pk}/"
for name in ("", "download/"):
    answers[f"api {name}"] = Client(headers=bearer).get(address + name).status_code
told = Client(headers=bearer).post(address + "predict/", {"rows": [{"size": 50}]}, content_type="application/json")
answers["api predict/"] = told.status_code
ask("trained", reverse("machines:training", args=[machine.pk]), {"level": "1"})
print(json.dumps({"answers": answers, "modules": sorted(sys.modules)}))
"""


def test_it_never_loads_what_training_needs(tmp_path):
    from tests.machines.houses import houses

    (tmp_path / "machine.onnx").write_bytes(houses().onnx)
    (tmp_path / "report.json").write_text(json.dumps(houses().report))
    environment = {"PATH": os.environ["PATH"], "STORAGE_ROOT": str(tmp_path), "LOG_LEVEL": "ERROR"}
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            SCRIPT,
            str(tmp_path / "db.sqlite3"),
            *map(str, (tmp_path / "machine.onnx", tmp_path / "report.json")),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    told = json.loads(answer.stdout.splitlines()[-1])
    assert set(told["answers"].values()) == {200}, told["answers"]
    assert {"onnxruntime", "machines.views", "machines.child", "machines.serving.predictor"} <= set(told["modules"])
    assert [name for name in HEAVY if name in told["modules"]] == []


def test_nothing_calls_home(tmp_path):
    """ONNX Runtime's telemetry keeps a database in the home folder and has a thread of its own."""
    script = (
        "import os, time; import machines.serving.predictor; time.sleep(0.5); print(len(os.listdir('/proc/self/task')))"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
    assert not list(home.iterdir())
