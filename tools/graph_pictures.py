"""Make the pictures of docs/graphs.md anew: python tools/graph_pictures.py http://127.0.0.1:8000, with `make run` there.

Each kind of the demo's diabetes table, as the builder shows it, 720 pixels wide.
"""

import base64
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images" / "graphs"
WIDTH = 720
CHOSEN = {
    1: {"x": "BMI", "y": "Glucose", "hue": "Outcome", "size": "Age"},
    2: {"x": "Age", "y": "Glucose", "hue": "Outcome"},
    3: {"x": "BMI", "y": "Glucose"},
    4: {"x": "Glucose", "hue": "Outcome"},
    5: {"x": "BMI", "y": "Glucose"},
    6: {"x": "Glucose", "y": "Insulin", "hue": "Age", "size": "BMI"},
    7: {"x": "BMI", "y": "SkinThickness"},
    8: {"x": "Outcome", "y": "Glucose"},
    9: {"x": "Outcome", "y": "BMI"},
    10: {"x": "Outcome", "y": "Glucose"},
    11: {"x": "Outcome", "y": "Age"},
    12: {"x": "Glucose", "y": "Outcome"},
    13: {"y": "Outcome", "x": "Pregnancies"},
}
AS_WEBP = """async (source) => {
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.8);
}"""


def main(site: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 1600}, bypass_csp=True).new_page()
        page.goto(f"{site}/accounts/login/")
        page.fill("input[name=login]", "demo@example.org")
        page.fill("input[name=password]", "diabetes-demo")
        page.click("main button[type=submit]")
        page.goto(f"{site}/machines/")
        machine = page.get_by_role("link", name="Diabetes risk").first.get_attribute("href")
        blank = browser.new_page()
        for kind, chosen in CHOSEN.items():
            page.set_viewport_size({"width": 1280, "height": 1600})
            page.goto(f"{site}{machine}graphs/new/?{urlencode({'kind': kind, **chosen})}")
            keep(page, blank, kind)
        browser.close()


def keep(page: Any, blank: Any, kind: int) -> None:
    """Make the picture as wide as it shall be, wait until it is drawn anew, and write it."""
    figure = page.locator("#preview-graph")
    page.locator("#preview-graph .cartesianlayer").wait_for(state="attached")
    width = figure.evaluate("figure => figure.clientWidth")
    figure.evaluate(f"figure => {{ figure.style.width = '{WIDTH}px'; figure.style.background = '#fff'; }}")
    if width != WIDTH:
        page.wait_for_function(f"document.getElementById('preview-graph')._fullLayout.width === {WIDTH}")
    page.wait_for_timeout(300)
    page.evaluate("document.querySelectorAll('form.card').forEach((form) => form.remove())")  # it would lie above
    source = base64.b64encode(figure.screenshot()).decode()
    told = blank.evaluate(AS_WEBP, f"data:image/png;base64,{source}")
    content = base64.b64decode(told.split(",")[1])
    (IMAGES / f"kind-{kind:02}.webp").write_bytes(content)
    print(f"kind {kind}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
