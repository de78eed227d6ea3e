"""The page of a training that runs, in a real browser: it asks for news every second, and nobody is disturbed by it."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from machines.services.training import training_start
from models import User, Work
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.dashboards.reporting.trained import trained
from tests.machines.test_loss_curve import TWO

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]
# How large the picture is, how many pixels of the plot have the colour of each line, how many beside it that of the
# numbers there, and whether its corner is as the paper.
COLOURS = """async (address) => {
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  const margin = 24, title = 80, room = 2 * document.querySelector(".curve-room").getBoundingClientRect().width;
  const count = (selector, drawn, left, wide) => {
    const wanted = getComputedStyle(document.querySelector(selector))[drawn].match(/\\d+/g).map(Number);
    const { data } = pen.getImageData(left, title + 40, wide, 400);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) found += wanted.every((part, place) => data[at + place] === part);
    return found;
  };
  const lines = [".c-training", ".c-validation"].map((line) => count(line, "stroke", margin + room, picture.width));
  const numbers = count(".c-loss", "fill", 0, margin + room - 8);
  const paper = getComputedStyle(document.querySelector(".card")).backgroundColor;
  const corner = `rgb(${[...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)].join(", ")})`;
  return [picture.width, picture.height, ...lines, numbers, paper === corner];
}"""


HAS_FOCUS = "part => part === document.activeElement"


@contextmanager
def training_page(
    chromium: Any, url: str, owner: User, client: Client, *, width: int = 1280, scheme: str = "light",
    curve: Mapping[str, Any] = TWO,
) -> Iterator[tuple[Any, Work]]:  # fmt: skip
    """Open the page of a training that runs; in the end nothing may be wrong with it."""
    machine = trained(owner)
    work = training_start(machine=machine, user=owner, level=1)
    work.start()
    work.report(0.4, "…", curve=curve)
    context = chromium.new_context(locale="en", viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(context, client, url)
    page = context.new_page()
    said = listen(page)
    page.goto(f"{url}/machines/{machine.pk}/training/")
    yield page, work
    assert [*unexpected(said), *faults(page)] == []
    context.close()


def wait_for_news(page: Any) -> None:
    """Wait until the page has asked twice: what came first is surely shown."""
    for _ in range(2):
        with page.expect_response("**/training/"):
            pass
    page.wait_for_timeout(100)


def falling(rounds: int) -> dict[str, list[float]]:
    losses = [1 / (at + 1) for at in range(rounds)]
    return {"training_loss": losses, "validation_loss": losses}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_the_curve_is_kept_as_a_picture_while_it_learns(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client, tmp_path: Path,
    width: int, scheme: str,
) -> None:  # fmt: skip
    with training_page(chromium, live_server.url, alice, alice_client, width=width, scheme=scheme) as (page, _work):
        button = page.locator("#curve-png")
        button.focus()
        wait_for_news(page)
        assert button.evaluate(HAS_FOCUS), "the focus stays"
        with page.expect_download() as download:
            button.press("Enter")
        assert download.value.suggested_filename == "Houses How it learned.png"
        download.value.save_as(tmp_path / "curve.png")
        address = "data:image/png;base64," + base64.b64encode((tmp_path / "curve.png").read_bytes()).decode()
        wide, high, training, validation, numbers, is_paper = page.evaluate(COLOURS, address)
        assert wide == 2 * (round(page.locator(".curve-picture").bounding_box()["width"]) + 24) and high > 500
        assert validation > training > 200 and numbers > 20 and is_paper
        keep(page, f"training-{width}-{scheme}")


def test_an_opened_table_stays_as_it_is_read_while_newer_rounds_come(
    chromium: Any, live_server: LiveServer, alice: User, alice_client: Client
) -> None:
    with training_page(chromium, live_server.url, alice, alice_client, curve=falling(60)) as (page, work):
        summary, rows = page.locator("#curve-numbers"), page.locator("#curve-rows")
        wait_for_news(page)
        assert not rows.is_visible(), "closed until it is opened"
        summary.press("Enter")
        wait_for_news(page)
        assert rows.is_visible() and summary.evaluate(HAS_FOCUS)
        summary.press("Tab")
        rows.evaluate("rows => rows.scrollTo(0, 150)")
        work.report(0.5, "…", curve=falling(70))
        rows.get_by_role("cell", name="70", exact=True).wait_for()
        wait_for_news(page)
        assert rows.locator("tbody tr").count() == 70 and rows.evaluate(HAS_FOCUS)
        assert rows.evaluate("rows => rows.scrollTop") == 150
        summary.press("Enter")
        wait_for_news(page)
        assert not rows.is_visible() and summary.evaluate(HAS_FOCUS), "closed again"
