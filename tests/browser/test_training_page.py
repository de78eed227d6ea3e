"""The page of a training that runs, in a real browser: it asks for news every second, and nobody is disturbed by it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from machines.services.training import training_start
from models import User
from tests.browsing import faults, keep, listen, unexpected
from tests.dashboards.reporting.trained import trained
from tests.machines.test_loss_curve import TWO

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]
# How large the picture is, how many pixels have the colour of each line, and whether its corner is as the paper.
COLOURS = """async (address) => {
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const data = pen.getImageData(0, 0, picture.width, picture.height).data;
  const count = (selector) => {
    const wanted = getComputedStyle(document.querySelector(selector)).stroke.match(/\\d+/g).map(Number);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) found += wanted.every((part, place) => data[at + place] === part);
    return found;
  };
  const paper = getComputedStyle(document.querySelector(".card")).backgroundColor;
  const lines = [count(".c-training"), count(".c-validation")];
  return [picture.width, picture.height, ...lines, paper === `rgb(${[...data.slice(0, 3)].join(", ")})`];
}"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_the_curve_is_kept_as_a_picture_while_it_learns(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client, tmp_path: Path,
    width: int, scheme: str,
) -> None:  # fmt: skip
    machine = trained(alice)
    work = training_start(machine=machine, user=alice, level=1)
    work.start()
    work.report(0.4, "…", curve=TWO)
    context = chromium.new_context(locale="en", viewport={"width": width, "height": 800}, color_scheme=scheme)
    session = alice_client.cookies[site_settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    said = listen(page)
    page.goto(f"{live_server.url}/machines/{machine.pk}/training/")
    button = page.locator("#curve-png")
    button.focus()
    for _ in range(2):
        with page.expect_response("**/training/"):
            pass
    page.wait_for_timeout(100)
    assert button.evaluate("button => button === document.activeElement"), "the focus stays"
    with page.expect_download() as download:
        button.press("Enter")
    assert download.value.suggested_filename == f"{machine.machine_name} How it learned.png"
    download.value.save_as(tmp_path / "curve.png")
    address = "data:image/png;base64," + base64.b64encode((tmp_path / "curve.png").read_bytes()).decode()
    wide, high, training, validation, is_paper = page.evaluate(COLOURS, address)
    assert wide == 2 * (round(page.locator("#curve svg").bounding_box()["width"]) + 24) and high > 500
    assert validation > training > 200 and is_paper
    keep(page, f"training-{width}-{scheme}")
    assert [*unexpected(said), *faults(page)] == []
    context.close()
