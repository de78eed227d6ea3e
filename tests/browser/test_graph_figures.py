"""All thirteen kinds in a real browser: drawn, without a message in the console, for keyboard, paper and phone, too."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template
from django.urls import path
from pytest_django.live_server_helper import LiveServer
from sklearn.datasets import load_diabetes, load_iris, load_wine

from config.urls import urlpatterns as whole_site
from dashboards.drawing.draw import draw
from dashboards.drawing.figure import Field
from dashboards.graph_view import GraphView, graph_view
from machines.engine.schema import DataType
from models.graph import GraphType
from tests.browsing import faults, keep, listen, unexpected

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("files_as_they_lie"),
]
PAGE = Template("""{% extends "base.html" %}
{% block title %}Graphs{% endblock %}
{% block scripts %}{% include "components/_graph_scripts.html" %}{% endblock %}
{% block heading %}Graphs{% endblock %}
{% block content %}<div class="stack" id="graphs">{% for key, view in graphs.items %}
<section class="card card-body">{% include "components/_graph.html" with csv="/graphs.csv" %}</section>{% endfor %}</div>
<ul class="row-of plain" aria-label="Kinds">{% for number in kinds %}
<li>{% include "components/_kind_picture.html" %}</li>{% endfor %}</ul>
<button type="button" class="btn btn-quiet" hx-get="/figures/one/" hx-target="#graphs">One</button>
<ol class="plain" data-sortable="/figures/order/">{% for number in "123" %}<li class="card card-body" data-id="{{ number }}">
<button type="button" class="btn btn-quiet" data-handle hidden>Drag {{ number }}</button></li>{% endfor %}</ol>{% endblock %}""")
ONE = Template('{% for key, view in graphs.items %}{% include "components/_graph.html" with csv="" %}{% endfor %}')
sent: list[list[str]] = []


def tables() -> dict[str, pl.DataFrame]:
    """Iris, wine and diabetes as scikit-learn brings them, their classes as labels; numbers cut into labels."""
    iris, wine, sugar = load_iris(), load_wine(), load_diabetes(scaled=False)
    found = {
        "iris": pl.DataFrame(iris.data, schema=["sepal length", "sepal width", "petal length", "petal width"]),
        "wine": pl.DataFrame(wine.data, schema=list(wine.feature_names)),
        "sugar": pl.DataFrame(sugar.data, schema=list(sugar.feature_names)).with_columns(progress=sugar.target),
    }
    found["iris"] = found["iris"].with_columns(species=iris.target_names[iris.target])
    found["wine"] = found["wine"].with_columns(cultivar=np.array(["first", "second", "third"])[wine.target])
    sugar_label = pl.when(pl.col("sex") > 1).then(pl.lit("women")).otherwise(pl.lit("men"))
    weight = pl.when(pl.col("bmi") > 25).then(pl.lit("heavy")).otherwise(pl.lit("light"))
    decade = (pl.col("age") // 10 * 10).cast(pl.Int32).cast(pl.String)
    day = 1.6e9 + 86_400.0 * pl.int_range(pl.len())
    found["sugar"] = found["sugar"].with_columns(sex=sugar_label, weight=weight, decade=decade, day=day)
    return found


CHOSEN: list[tuple[int, str, dict[str, str]]] = [
    (
        1,
        "iris",
        {"x": "sepal length", "y": "sepal width", "hue": "species", "size": "petal length", "style": "species"},
    ),
    (2, "sugar", {"x": "age", "y": "progress", "hue": "sex"}),
    (3, "sugar", {"x": "bmi", "y": "progress"}),
    (4, "wine", {"x": "proline", "hue": "cultivar"}),
    (5, "sugar", {"x": "bmi", "y": "bp"}),
    (6, "wine", {"x": "alcohol", "y": "proline", "hue": "color_intensity", "size": "flavanoids"}),
    (7, "sugar", {"x": "bmi", "y": "progress"}),
    (8, "sugar", {"x": "decade", "y": "progress", "hue": "sex"}),
    (9, "sugar", {"x": "weight", "y": "bp", "hue": "sex"}),
    (10, "sugar", {"x": "weight", "y": "progress", "hue": "sex"}),
    (11, "sugar", {"x": "decade", "y": "progress"}),
    (12, "wine", {"x": "proline", "y": "cultivar"}),
    (13, "sugar", {"y": "decade", "x": "progress", "z": "bmi"}),
    (
        1,
        "sugar",
        {"x": "bmi", "y": "progress", "hue": "bp", "col": "sex", "row": "weight", "animation_frame": "decade"},
    ),
    (2, "sugar", {"x": "day", "y": "progress", "col": "sex", "style": "weight"}),
]


def views() -> dict[str, GraphView]:
    found, rows = {}, tables()
    for number, (kind, name, chosen) in enumerate(CHOSEN, 1):
        frame = rows[name].select(pl.col(column).alias(place) for place, column in chosen.items())
        fields = {place: Field(column, _type(frame, place, column)) for place, column in chosen.items()}
        drawn = draw(kind, frame.lazy(), fields).to_json()
        told = orjson.loads(orjson.dumps(drawn, option=orjson.OPT_SERIALIZE_NUMPY))
        found[f"graph{number}"] = graph_view(told, str(GraphType(kind).label))
    return found


def _type(frame: pl.DataFrame, place: str, column: str) -> DataType:
    if column == "day":
        return DataType.DATE
    return DataType.LABEL if frame.schema[place] == pl.String else DataType.FLOAT


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE.render(RequestContext(request, {"graphs": views(), "kinds": range(1, 14)})))


def one(request: HttpRequest) -> HttpResponse:
    graphs = {"graph99": views()["graph7"]}
    return HttpResponse(ONE.render(Context({"graphs": graphs})))


def order(request: HttpRequest) -> HttpResponse:
    sent.append(request.POST.getlist("ids"))
    return HttpResponse(status=204)


urlpatterns = [
    *whole_site,
    path("figures/", page),
    path("figures/one/", one),
    path("figures/order/", order),
]


@pytest.fixture
def url(live_server: LiveServer, settings: LazySettings) -> str:
    settings.ROOT_URLCONF = __name__
    return f"{live_server.url}/figures/"


def opened(chromium: Any, url: str, width: int = 1280, scheme: str = "light", **more: Any) -> Any:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, locale="de", **more)
    return context.new_page()


def wait_for_pictures(page: Any, count: int) -> None:
    """Have all drawn, as for printing: what is far from the screen waits."""
    page.locator("[data-graph] .cartesianlayer").first.wait_for(state="attached")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.locator("[data-graph] .cartesianlayer").nth(count - 1).wait_for(state="attached")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_all_kinds_are_drawn(chromium: Any, url: str, width: int, scheme: str) -> None:
    shown = opened(chromium, url, width, scheme)
    said = listen(shown)
    shown.goto(url)
    wait_for_pictures(shown, len(CHOSEN))
    keep(shown, f"figures-{width}-{scheme}")
    assert [*unexpected(said), *faults(shown)] == []
    assert shown.locator("[data-graph-table][open]").count() == 0
    drawn = (
        "[...document.querySelectorAll('[data-graph]')].map(it => it.querySelectorAll('.cartesianlayer path').length)"
    )
    assert min(shown.evaluate(drawn)) > 3
    tokens = "[...document.querySelectorAll('[data-graph]')].map(it => JSON.stringify([it.data, it.layout])).join()"
    assert '"@' not in shown.evaluate(tokens)
    shown.context.close()


def test_pictures_are_drawn_when_somebody_comes_near(chromium: Any, url: str) -> None:
    shown = opened(chromium, url)
    shown.goto(url)
    last, height = shown.locator("#graph15"), "document.documentElement.scrollHeight"
    shown.locator("#graph1 .cartesianlayer").wait_for(state="attached")
    assert last.locator("svg").count() == 0
    before = shown.evaluate(height)
    last.scroll_into_view_if_needed()
    last.locator(".cartesianlayer").first.wait_for(state="attached")
    assert shown.locator("#graph7 svg").count() == 0, "nobody saw it"
    assert abs(shown.evaluate(height) - before) < 20, "nothing moves away from the reader"
    shown.context.close()


def test_pictures_follow_the_page(chromium: Any, url: str, tmp_path: Path) -> None:
    """The theme, the slider, the download, a swap, a new order: each as people do it."""
    shown = opened(chromium, url)
    said = listen(shown)
    shown.goto(url)
    wait_for_pictures(shown, len(CHOSEN))
    colour = "document.getElementById('graph7').data[0].marker.color"
    light = shown.evaluate(colour)
    shown.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    shown.wait_for_timeout(500)
    assert shown.evaluate(colour) != light

    slider, visible = shown.locator("#graph14-moment"), "document.getElementById('graph14').data.map(it => it.visible)"
    before = shown.evaluate(visible)
    slider.press("ArrowRight")
    assert shown.evaluate(visible) != before
    assert shown.locator("[data-graph-film] output").inner_text() == slider.get_attribute("aria-valuetext") == "20"

    button = shown.locator("[data-graph-png=graph5]")
    with shown.expect_download() as download:
        button.press("Enter")
    assert download.value.suggested_filename == "Bivariate plot with multiple elements.png"
    download.value.save_as(tmp_path / "graph.png")
    width, height = picture_size(tmp_path / "graph.png")
    assert width == 2 * shown.evaluate("document.getElementById('graph5').layout.width") and height > 800

    first, last = (shown.locator(f"[data-id='{number}'] [data-handle]") for number in (1, 3))
    first.scroll_into_view_if_needed()
    last.scroll_into_view_if_needed()
    start, end = first.bounding_box(), last.bounding_box()
    shown.mouse.move(start["x"] + 9, start["y"] + 9)
    shown.mouse.down()
    shown.mouse.move(end["x"] + 9, end["y"] + 9, steps=8)
    with shown.expect_response("**/order/"):
        shown.mouse.up()
    assert sent.pop() == ["2", "3", "1"]

    shown.evaluate("window.old = document.getElementById('graph1')")
    shown.get_by_role("button", name="One").click()
    shown.locator("#graph99 .cartesianlayer").wait_for(state="attached")
    assert shown.evaluate("old._fullLayout === undefined")
    assert unexpected(said) == []
    shown.context.close()


def test_without_scripts_the_numbers_are_there(chromium: Any, url: str) -> None:
    shown = opened(chromium, url, java_script_enabled=False)
    shown.goto(url)
    assert shown.locator("main").inner_text().count("The picture needs JavaScript.") == len(CHOSEN)
    assert shown.get_by_role("table").first.is_visible()
    assert shown.get_by_role("button", name="Picture as PNG").count() == 0
    shown.context.close()


def picture_size(file: Path) -> tuple[int, int]:
    head = file.read_bytes()[:24]
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
