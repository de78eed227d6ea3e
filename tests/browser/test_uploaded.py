"""Models made elsewhere, from their file to an answer, as people do it in a browser against a running site."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.browser.test_whole_path import sign_in_demo
from tests.browsing import faults, keep, listen, unexpected

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 740}
CHECK_SECONDS = 60
MAKERS = {  # as the page of the upload says, each in a process of its own: their libraries stay out of the tests'
    "model.keras": (
        "import keras; from keras import layers; "
        "model = keras.Sequential([keras.Input((3,)), layers.Dense(8, activation='relu'), "
        "layers.Dense(1, activation='sigmoid')]); model.save({path!r})"
    ),
    "model.pt": (
        "import torch; from torch import nn; "
        "model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()).eval(); "
        "torch.jit.trace(model, torch.randn(2, 3)).save({path!r})"
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same small network of three inputs, made by Keras and by PyTorch."""
    folder = tmp_path_factory.mktemp("models")
    for name, code in MAKERS.items():
        command = [sys.executable, "-c", code.format(path=str(folder / name))]
        subprocess.run(
            command, check=True, capture_output=True, env=os.environ | {"KERAS_BACKEND": "torch"}, timeout=120
        )
    return {name: folder / name for name in MAKERS}


@pytest.mark.parametrize(
    ("name", "size", "scripts"),
    [
        ("model.keras", DESKTOP, True),
        ("model.pt", PHONE, True),
        ("model.pt", DESKTOP, False),
        ("model.keras", PHONE, False),
    ],
    ids=["keras", "torch-phone", "torch-no-scripts", "keras-phone-no-scripts"],
)
def test_from_the_file_to_an_answer(
    chromium: Any, site: Site, files: dict[str, Path], name: str, size: dict[str, int], scripts: bool
) -> None:
    context = chromium.new_context(viewport=size, locale="en-US", java_script_enabled=scripts)
    page = context.new_page()
    said = listen(page)
    sign_in_demo(page, site)
    page.goto(f"{site.url}/models/new/")
    page.get_by_label("Model", exact=True).set_input_files(files[name])
    page.get_by_label("Name", exact=False).first.fill("Risk")
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url("**/models/*/")
    wait_for_the_report(page, scripts)
    look(page, scripts, f"model-{name}-{size['width']}")
    page.get_by_role("link", name="Describe its inputs").first.click()
    describe(page)
    look(page, scripts, f"model-form-{name}-{size['width']}")
    for field, value in (("Age", "44"), ("Height", "1.7"), ("Weight", "70")):
        page.get_by_label(field).fill(value)
    page.get_by_role("button", name="Predict").click()
    page.locator(".outcome").wait_for()
    assert page.locator(".outcome").inner_text() in {"well", "ill"}
    look(page, scripts, f"model-answer-{name}-{size['width']}")
    assert unexpected(said) == []
    context.close()


def wait_for_the_report(page: Any, scripts: bool) -> None:
    """The page of the check comes to its end by itself; without scripts one looks again."""
    report = page.get_by_role("heading", name="Safety report")
    if scripts:
        report.wait_for(timeout=CHECK_SECONDS * 1000)
        return
    end = time.monotonic() + CHECK_SECONDS
    while not report.count() and time.monotonic() < end:
        page.wait_for_timeout(500)
        page.reload()
    assert report.count() == 1


def describe(page: Any) -> None:
    """Say what three numbers and the answer mean."""
    for number, name in enumerate(("Age", "Height", "Weight"), 1):
        page.locator(f"[name=type{number}-name]").fill(name)
    page.locator("[name=type1-low]").fill("18")
    page.locator("[name=type1-high]").fill("99")
    page.locator("[name=kind1-name]").fill("Health")
    page.locator("[name=kind1-kind]").select_option("chance")
    page.locator("[name=kind1-labels]").fill("well\nill")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/predict/")


def look(page: Any, scripts: bool, name: str) -> None:
    """Keep a picture; ask axe, which is a script itself."""
    assert not scripts or faults(page) == []
    keep(page, name)
