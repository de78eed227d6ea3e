"""The figures on a machine's page: one at first, all on demand, each with its range and the simple rule beside."""

from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from machines.reports import report_view
from models import Machine, User
from tests.browsing import faults, keep, listen, unexpected
from tests.factories import make_ready_machine
from tests.machines.measured import full_report
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(point: User) -> Machine:
    """Alice's machine with three outputs and everything measured."""
    return make_ready_machine(owner=point, machine_name="Everything", training_report=full_report())


def text_of(client: Client, machine: Machine) -> str:
    return page(client.get(url("detail", machine.pk))).text


def test_it_works(measured: Machine, alice_client: Client) -> None:
    shown = page(alice_client.get(url("detail", measured.pk)))
    for name in ("ROC AUC", "PR AUC", "Log loss", "Accuracy", "Balanced accuracy", "F1", "Calibration error"):
        assert name in shown.text
    for name in ("RMSE", "Mean error", "R²"):
        assert name in shown.text
    for sentence in ("Share of rows answered right.", "What it takes for what", "How far off it is"):
        assert sentence in shown.text
    assert shown.text.count("All figures") == 3
    assert len(set(shown.ids())) == len(shown.ids())
    pictures = [svg["aria-label"] for svg in shown.all("svg", role="img")]
    assert sum("came true" in (label or "") for label in pictures) == 2
    assert sum("Most often off by" in (label or "") for label in pictures) == 1


def test_the_main_figure_has_its_range_and_the_simple_rule_beside(measured: Machine, alice_client: Client) -> None:
    output = measured.training_report["outputs"][0]
    main, simple = output["holdout"]["roc_auc"], output["baseline"]["roc_auc"]
    said = f"ROC AUC, {main['low']:.2f} – {main['high']:.2f} · always the usual shares {simple['value']:.2f}"
    assert said in text_of(alice_client, measured)


def test_one_of_several_is_told_by_its_accuracy(measured: Machine) -> None:
    assert report_view(measured).outputs[1].main.name == "Accuracy"


def test_the_verdict_is_that_of_the_same_rows(measured: Machine, alice_client: Client) -> None:
    text = text_of(alice_client, measured)
    assert text.count("On the same rows it is better than “always the usual shares”.") == 2
    assert "On the same rows it cannot be told from “simple linear model”." in text
    measured.training_report["outputs"][2]["difference"] = {"value": 2.0, "low": 1.0, "high": 3.0}
    measured.save()
    assert "On the same rows it is worse than “simple linear model”." in text_of(alice_client, measured)


def test_ranges_say_how_often_they_held(measured: Machine, alice_client: Client) -> None:
    assert "91 % of its 90 % ranges held the truth." in text_of(alice_client, measured).replace("\xa0", " ")


def test_many_labels_are_taken_together(measured: Machine) -> None:
    table = report_view(measured).outputs[1].confusion
    assert table is not None
    assert table.labels == [*(f"label {number}" for number in range(1, 8)), "others"] and len(table.rows) == 8
    assert sum(int(rows) for _label, cells in table.rows for rows, _is_right in cells) == 300
    counts = measured.training_report["outputs"][1]["confusion"]
    assert table.rows[0][1][7] == (str(sum(counts[0][7:])), False)
    assert table.rows[7][1][7] == (str(sum(sum(row[7:]) for row in counts[7:])), True)


def test_points_of_the_curve_say_what_they_count(measured: Machine) -> None:
    curve = report_view(measured).outputs[0].reliability
    assert curve is not None and len(curve.points) == 10
    assert sum(int(point.rows) for point in curve.points) == 300
    assert all(0 <= point.high_y <= point.low_y <= 100 for point in curve.points), "up is down in a picture"


def test_bars_count_every_row(measured: Machine) -> None:
    spread = report_view(measured).outputs[2].residuals
    assert spread is not None and max(spread.heights) == 100
    assert sum(int(bar.rows) for bar in spread.bars) == 300
    assert spread.first.startswith("\N{MINUS SIGN}") and not spread.last.startswith("\N{MINUS SIGN}")


def test_a_report_from_before_has_a_page_too(measured: Machine, alice_client: Client) -> None:
    for output in measured.training_report["outputs"]:
        for new in ("difference", "reliability", "residuals", "rows", "coverage"):
            del output[new]
    measured.save()
    text = text_of(alice_client, measured)
    assert "All figures" in text and "On the same rows" not in text and "How far off it is" not in text


def test_a_label_is_text_not_markup(measured: Machine, alice_client: Client) -> None:
    measured.training_report["outputs"][0]["classes"] = ["<b>no</b>", "yes"]
    measured.save()
    assert "<b>no</b>" not in alice_client.get(url("detail", measured.pk)).content.decode()


def test_nobody_else_sees_them(measured: Machine, charlie_client: Client) -> None:
    assert charlie_client.get(url("detail", measured.pk)).status_code == 404


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("files_as_they_lie")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_look(
    chromium: Any, live_server: LiveServer, measured: Machine, alice_client: Client, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    cookie = alice_client.cookies[site_settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    shown = context.new_page()
    said = listen(shown)
    shown.goto(live_server.url + url("detail", measured.pk))
    assert [*unexpected(said), *faults(shown)] == []
    shown.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    wrong = [*unexpected(said), *faults(shown)]
    keep(shown, f"figures-{width}-{scheme}")
    context.close()
    assert wrong == []


def test_what_answers_is_told_in_names_that_people_know(measured: Machine, alice_client: Client) -> None:
    text = " ".join(text_of(alice_client, measured).split())
    assert text.count("Each answer is a weighted mean of these models.") == 2, "nothing where nothing is known"
    assert "Boosted trees, random splits 60 % Network 40 %" in text and "boosting extra" not in text
