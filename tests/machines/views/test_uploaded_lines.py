"""The lines of code that the page of the upload shows make files that are taken."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from machines.jobs.runner import work_run
from models import ModelVersion, Work

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = {
    "keras": "import shutil, keras, tensorflow as tf\n"
    "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, 'relu'), keras.layers.Dense(1)])\n",
    "torch": "import torch, safetensors.torch\nfrom torch import nn\n"
    "model, example = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).eval(), torch.randn(2, 3)\n",
}
GUIDE = Path(__file__).parents[3] / "docs" / "guide-models.md"


def made(folder: Path, kind: str, lines: list[str]) -> None:
    """Run the lines in a process of their own."""
    code = BEFORE[kind] + "\n".join(lines)
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, env=environment, timeout=240
    )


def test_every_line_makes_a_file_that_is_taken(alice_client, tmp_path):
    html = alice_client.get(reverse("uploaded:new")).content.decode()
    codes = [unescape(code) for code in re.findall(r"(?s)<code>(.*?)</code>", html)]
    lines = [code for code in codes if not code.startswith(("{", "["))]
    layers = next(code for code in codes if code.startswith("{"))
    assert len(lines) == 9 and all(f"`{line}`" in GUIDE.read_text() for line in lines) and layers in GUIDE.read_text()
    weights = [line for line in lines if "state_dict" in line]
    of_keras = [line for line in lines if "torch" not in line]
    made(tmp_path, "keras", of_keras)
    made(tmp_path, "torch", [line for line in lines if line not in of_keras + weights])
    (tmp_path / "weights").mkdir()
    made(tmp_path / "weights", "torch", weights)
    files = sorted(path for path in tmp_path.rglob("model.*") if path.is_file())
    assert len(files) == 9
    for file in files:
        said = {"layers": layers} if file.parent.name == "weights" else {}
        sent = {"file": SimpleUploadedFile(file.name, file.read_bytes())}
        assert alice_client.post(reverse("uploaded:new"), sent | said).status_code == 302, file.name
        work_run(work_id=Work.objects.latest("pk").pk)
        version = ModelVersion.objects.latest("pk")
        assert version.state == "ready", f"{file.name}: {version.notice}"
        assert version.signature["inputs"][0]["shape"] == [3] and version.served == "converted", file.name
