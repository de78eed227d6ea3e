"""What a template shows of a figure: formats, words, moments, and colours that stay apart."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import pytest
from django.template.loader import render_to_string
from django.utils import translation

from config.formats import Formats, use_formats
from dashboards.drawing.draw import draw
from dashboards.drawing.figure import ROWS, Field
from dashboards.graph_view import Cell, graph_view
from machines.engine.errors import Notice
from machines.engine.schema import DataType

ROOT = Path(__file__).parents[2]
GERMAN = Formats(date_separator=".", decimal_separator=",")
AMERICAN = Formats(date_format="MDY", time_format="12H", decimal_separator=".")


def drawn(kind=2, type="DATE", **cells):
    """A figure as the process that draws sends it."""
    frame = pl.DataFrame(cells or {"x": 86_400.0 * np.arange(20_000, 20_004), "y": [0.5, 1.5, None, 12_345.678]})
    labels = {place: DataType.LABEL for place in frame.columns if frame.schema[place] == pl.String}
    types = {"x": DataType(type)} | labels
    fields = {
        place: Field(f"<{place}>", types.get(place, DataType.FLOAT), "kg" * (place == "y")) for place in frame.columns
    }
    return orjson.loads(orjson.dumps(draw(kind, frame.lazy(), fields).to_json(), option=orjson.OPT_SERIALIZE_NUMPY))


def test_it_works():
    with use_formats(GERMAN):
        view = graph_view(drawn(), "Sales")
    assert view.title == "Sales" and view.film is None
    assert view.heads[:2] == [Cell("<x>", True), Cell("<y> (kg)", True)]
    assert [cell.text for cell in view.rows[0]] == ["04.10.2024", "0,5", "–", "–", "1"]
    assert view.rows[-1][1].text.startswith("12\u202f345,")
    assert view.rules[-1] == "Rows left out because a value is missing: 1."
    assert view.figure["layout"]["separators"] == ",\u202f"


@pytest.mark.parametrize(
    ("formats", "day", "month", "hour"),
    [(GERMAN, "%d.%m.%Y", "%m.%Y", "%H:%M"), (AMERICAN, "%m/%d/%Y", "%m/%Y", "%I:%M %p")],
)
def test_moments_on_an_axis_are_written_as_the_reader_does(formats, day, month, hour):
    with use_formats(formats):
        axis = graph_view(drawn(), "").figure["layout"]["xaxis"]
        time = graph_view(drawn(type="TIME", x=[60.0, 7200.0], y=[1.0, 2.0]), "").figure["layout"]["xaxis"]
    patterns = [stop["value"] for stop in axis["tickformatstops"]]
    assert patterns[1] == f"{hour}\n{day}" and patterns[2:] == [day, month, "%Y"]
    assert axis["hoverformat"] == f"{day} {hour}"
    assert time["tickformat"] == hour and "tickformatstops" not in time


def test_the_figure_that_was_kept_stays_as_it_is():
    figure = drawn()
    before = orjson.dumps(figure)
    graph_view(figure, "")
    assert orjson.dumps(figure) == before


def test_points_do_not_need_what_the_csp_refuses():
    figure = drawn(7, type="FLOAT", x=[1.0, 2.0, 3.0, 4.0], y=[1.0, 3.0, 2.0, 4.0])
    assert "scattergl" in {trace["type"] for trace in figure["traces"]}
    assert {trace["type"] for trace in graph_view(figure, "").figure["traces"]} == {"scatter", "bar"}


def test_words_of_ours_are_translated_and_labels_are_not(monkeypatch):
    monkeypatch.setattr("dashboards.graph_view.gettext", lambda text: {"rows": "Zeilen"}.get(text, text))
    view = graph_view(drawn(13, y=["rows", "rows", "b"]), "")
    assert view.heads[-1].text == view.figure["layout"]["xaxis"]["title"]["text"] == "Zeilen"
    assert view.rows[0][0].text == "rows"
    assert ROWS not in str(view)


def test_rules_have_numbers_as_the_reader_writes_them():
    figure = {**drawn(), "rules": [Notice("%(rows)s rows.", {"rows": 1_234_567}).to_json()]}
    with use_formats(GERMAN), translation.override("en"):
        assert graph_view(figure, "").rules == ["1\u202f234\u202f567 rows."]


def test_a_film_has_its_moments_as_they_are_called():
    cells = {"x": [1.0, 2.0], "y": [1.0, 2.0], "animation_frame": ["<1900", "2000"]}
    film = graph_view(drawn(1, type="FLOAT", **cells), "").film
    assert film.title == "<animation_frame>" and film.labels == ["2000", "<1900"]


def test_the_component_escapes_what_people_wrote():
    view = graph_view(drawn(13, y=["</script><b>", "b"]), "<b>Sales</b>")
    html = render_to_string("components/_graph.html", {"view": view, "key": "graph1", "csv": "/one.csv"})
    assert "<b>" not in html and html.count("</script>") == 1
    assert 'href="/one.csv"' in html and "&lt;b&gt;Sales&lt;/b&gt;" in html
    without = render_to_string("components/_graph.html", {"view": view, "key": "graph1", "csv": ""})
    assert "download" not in without


@pytest.mark.parametrize("number", range(1, 14))
def test_every_kind_has_a_picture_of_its_own(number):
    pictures = {render_to_string("components/_kind_picture.html", {"number": each}).strip() for each in range(1, 14)}
    assert len(pictures) == 13
    picture = render_to_string("components/_kind_picture.html", {"number": number})
    assert picture.count("<svg") == 1 and re.search(r'class="(k|l)-', picture) and 'aria-hidden="true"' in picture


# Colours: linear light, the cones' view of Machado, Oliveira and Fernandes 2009, and distances in OKLab (Ottosson 2020).
CONES = {
    "all": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
}  # fmt: skip
OKABE_ITO = 0.087  # the smallest distance between two of Okabe and Ito's eight colours, by the same reckoning


def palette(mode: int) -> dict[str, str]:
    text = (ROOT / "static/css/tokens.css").read_text()
    found = re.findall(r"--(c\d|scale-\d|paper): light-dark\((#\w{6}), (#\w{6})\)", text)
    return {name: (light, dark)[mode] for name, light, dark in found}


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.63]]
    axes = [[0.2105, 0.7936, -0.0041], [1.978, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return np.array(axes) @ np.cbrt(np.array(cones) @ light.clip(0, 1))


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_apart_and_seen_on_paper(mode):
    found = palette(mode)
    colours = [found[f"c{number}"] for number in range(8)]
    for colour in colours:
        low, high = sorted([luminance(colour), luminance(found["paper"])])
        assert (high + 0.05) / (low + 0.05) >= 3
    for view in CONES.values():
        seen = [oklab(view @ linear(colour)) for colour in colours]
        assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > OKABE_ITO


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_the_scale_goes_one_way(mode):
    steps = [luminance(palette(mode)[f"scale-{step}"]) for step in range(4)]
    assert steps in (sorted(steps), sorted(steps)[::-1])
