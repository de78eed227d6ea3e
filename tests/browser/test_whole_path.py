"""From nothing to an answer, as a new person does it, in a real browser against the site that `make run` starts."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Site
from tests.browsing import faults, keep, listen, unexpected

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TRAINING_MS = 90_000
DESKTOP, PHONE, SMALL = {"width": 1280, "height": 900}, {"width": 390, "height": 844}, {"width": 320, "height": 640}


def flats_csv(path: Path, rows: int = 400) -> Path:
    """Write a table of flats: numbers, labels, a date, an id and a price with decimal commas."""
    dice = random.Random(7)
    lines = ["Flat;Size;Rooms;District;Built;Heating;Price"]
    for number in range(rows):
        size, rooms = dice.uniform(25, 140), dice.randint(1, 5)
        district = dice.choice(["Nord", "Süd", "Mitte"])
        price = 2500 * size + 9000 * rooms + {"Nord": 0, "Süd": 20_000, "Mitte": 60_000}[district] + dice.gauss(0, 8000)
        built = f"{dice.randint(1, 28):02}.{dice.randint(1, 12):02}.{dice.randint(1950, 2020)}"
        cells = [f"F{number:04}", f"{size:.1f}", str(rooms), district, built, str(dice.randint(1, 3)), f"{price:.2f}"]
        lines.append(";".join(cell.replace(".", ",") if i in {1, 6} else cell for i, cell in enumerate(cells)))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def check(page: Any, name: str) -> None:
    """Ask axe and keep pictures, wide, on a phone and at 320 px."""
    for label, size in (("desktop", DESKTOP), ("phone", PHONE), ("small", SMALL)):
        page.set_viewport_size(size)
        assert faults(page) == [], f"{name} {label}"
        keep(page, f"{name}-{label}")
    page.set_viewport_size(DESKTOP)


def new_page(chromium: Any, **options: Any) -> Any:
    return chromium.new_context(viewport=DESKTOP, locale="en-US", **options).new_page()


def sign_in_demo(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("E-mail").fill("demo@example.org")
    page.get_by_label("Password").fill("diabetes-demo")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.url}/")


def test_sign_up_upload_train_and_ask(chromium: Any, site: Site, tmp_path: Path) -> None:
    page = new_page(chromium)
    said = listen(page)
    page.goto(site.url)
    check(page, "1-landing")
    page.goto(f"{site.url}/accounts/signup/")
    check(page, "2-sign-up")
    page.get_by_label("E-mail").fill("alice@example.org")
    page.get_by_label("Password").fill("a-long-walk-in-november")
    page.locator("main").get_by_role("button", name="Make my account").click()
    page.wait_for_url(f"{site.url}/")

    check(page, "3-home")
    page.goto(f"{site.url}/machines/new/")
    check(page, "3-upload")
    page.get_by_label("Table", exact=True).set_input_files(flats_csv(tmp_path / "flats.csv"))
    page.get_by_label("Name of the machine").fill("Flat prices")
    page.get_by_role("button", name="Upload and look").click()
    page.wait_for_url("**/columns/")
    check(page, "4-columns")
    retype_one_column(page)

    page.get_by_label("3 · 1 min").check()
    page.get_by_role("button", name="Train").click()
    page.wait_for_url("**/training/")
    watch_the_progress_and_finish_early(page)
    page.get_by_role("heading", name="Trained", exact=True).wait_for(timeout=TRAINING_MS)
    check(page, "6-trained")
    page.get_by_role("link", name="How good is it?").click()
    page.locator(".curve svg").first.wait_for()
    check(page, "7-report")
    page.get_by_role("link", name="Ask it something").click()
    ask_with_a_mistake_and_repair_it(page)
    assert unexpected(said) == []


def retype_one_column(page: Any) -> None:
    """Change one type; only that row is rendered again."""
    other = page.locator("tr", has_text="District")
    other.evaluate("row => { row.dataset.same = 'yes'; }")
    assert page.get_by_label("Type of Heating").input_value() == "FLOAT"
    with page.expect_response(lambda response: "/columns/" in response.url and response.request.method == "POST"):
        page.get_by_label("Type of Heating").select_option("LABEL")
    page.locator("tr", has=page.get_by_label("Type of Heating")).get_by_text("3 different values").wait_for()
    assert page.get_by_label("Type of Heating").input_value() == "LABEL"
    assert other.get_attribute("data-same") == "yes"
    assert page.get_by_label("Use of Flat").input_value() == "ignored"
    assert page.get_by_label("Use of Price").input_value() == "output"


def watch_the_progress_and_finish_early(page: Any) -> None:
    """Look at a training at work, then take the best it has found."""
    page.locator("progress[value]:not([value='0']):not([value='1'])").wait_for(timeout=TRAINING_MS)
    page.get_by_role("button", name="Cancel").wait_for()
    check(page, "5-training")
    page.get_by_role("button", name="Finish now, keep the best").click()


def ask_with_a_mistake_and_repair_it(page: Any) -> None:
    page.get_by_role("button", name="Predict").wait_for()
    check(page, "8-form")
    page.get_by_label("Size").fill("8o")
    page.get_by_label("District").select_option("Mitte")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("link", name="Size: “8o” is not a number").wait_for()
    assert page.get_by_label("Size").input_value() == "8o"
    assert page.get_by_label("District").input_value() == "Mitte"
    page.locator(".error-summary:focus").wait_for()
    check(page, "9-mistake")
    page.get_by_role("link", name="Size: “8o” is not a number").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("80.5")
    page.get_by_role("button", name="Predict").click()
    page.locator(".outcome").wait_for()
    assert "likely" in page.locator(".sentence").inner_text()
    page.locator("#result:focus").wait_for()
    check(page, "10-answer")


def test_the_demo_form_answers_without_javascript(chromium: Any, site: Site) -> None:
    assert any("demo@example.org" in line for line in site.lines)
    page = new_page(chromium, java_script_enabled=False)
    sign_in_demo(page, site)
    page.get_by_role("link", name="Answer").first.click()
    page.get_by_label("Glucose").fill("148")
    page.get_by_label("Age").fill("150")
    page.get_by_role("button", name="Predict").click()
    assert "probability" in page.locator(".sentence").inner_text()
    assert page.get_by_text("Above anything seen in training").count() == 1
    assert page.get_by_label("Glucose").input_value() == "148"


def test_the_demo_form_in_the_dark_on_a_phone(chromium: Any, site: Site) -> None:
    page = new_page(chromium, color_scheme="dark")
    sign_in_demo(page, site)
    check(page, "home-dark")
    page.get_by_role("link", name="Answer").first.click()
    page.set_viewport_size(PHONE)
    page.get_by_label("Glucose").fill("148")
    page.get_by_role("button", name="Predict").click()
    page.locator(".outcome").wait_for()
    assert page.locator("#result").evaluate("part => part.getBoundingClientRect().top < innerHeight")
    check(page, "demo-answer-dark")


@pytest.mark.parametrize(
    "place", ["machines/", "machines/1/source/", "machines/1/rows/", "machines/1/delete/", "accounts/profile/"]
)
def test_other_pages_are_accessible(chromium: Any, site: Site, place: str) -> None:
    page = new_page(chromium)
    sign_in_demo(page, site)
    page.goto(f"{site.url}/{place}")
    check(page, place.strip("/").replace("/", "-"))
