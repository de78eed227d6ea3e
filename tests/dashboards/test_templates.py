"""What every page rests on: templates the CSP accepts, colours that can be read, error pages that need nothing."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template, render_to_string

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
REFUSED = re.compile(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|hx-on|=['\"]js:", re.IGNORECASE)
# A file to keep has its styles in itself; it comes with a policy of its own, see tests/dashboards/exporting/test_export.py
TAKEN_AWAY = ROOT / "templates" / "dashboards" / "export" / "report.html"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_keep_to_the_content_security_policy(template: Path) -> None:
    found = REFUSED.findall(template.read_text())
    assert found == (["<style"] if template == TAKEN_AWAY else [])


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "413", "500", "507"])
def test_error_pages_need_no_context_and_no_database(name: str) -> None:
    html = get_template(f"{name}.html").render({})
    assert "<h1>" in html and html.count("btn-primary") == 1


@pytest.mark.parametrize("name", [path.name for path in TEMPLATES if path.parent.name == "components"])
def test_components_say_their_parameters(name: str) -> None:
    assert (ROOT / "templates" / "components" / name).read_text().startswith("{% comment %}")


def test_bars_are_written_without_a_decimal_comma() -> None:
    html = render_to_string("components/_bar.html", {"percent": 12.34})
    assert 'width="12.3%"' in html


def test_histogram_places_its_bars() -> None:
    html = render_to_string("components/_histogram.html", {"heights": [0, 50, 100.0], "label": "Ages"})
    assert 'viewBox="0 0 30 100"' in html and 'x="20"' in html and 'aria-label="Ages"' in html


# Contrast (WCAG 2.2): text 4.5, edges of controls and charts 3
TEXT = {
    "paper": ["ink", "ink-soft", "accent", "warn", "bad"],
    "ground": ["ink", "ink-soft", "accent", "warn"],
    "sunk": ["ink", "ink-soft", "accent"],
    "accent-soft": ["ink", "accent"],
    "warn-soft": ["ink", "accent", "warn"],
    "bad-soft": ["ink", "accent", "bad"],
    "good-soft": ["ink", "accent", "good"],
    "info-soft": ["ink", "accent", "info"],
    "accent": ["on-accent"],
    "accent-strong": ["on-accent"],
    "bad": ["on-bad"],
}
EDGES = {"paper": ["line-strong", "raises", "lowers"], "ground": ["line-strong"], "track": ["accent"]}
PAIRS = [
    (front, back, least) for pairs, least in ((TEXT, 4.5), (EDGES, 3.0)) for back in pairs for front in pairs[back]
]


def _tokens(mode: int) -> dict[str, str]:
    text = (ROOT / "static/css/tokens.css").read_text()
    return {m[0]: m[mode + 1] for m in re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)", text)}


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(front: str, back: str, least: float, mode: int) -> None:
    tokens = _tokens(mode)
    dark, light = sorted([_luminance(tokens[front]), _luminance(tokens[back])])
    assert (light + 0.05) / (dark + 0.05) >= least
