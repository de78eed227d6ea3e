from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from machines.reports import main_score
from models import Team, User
from tests.factories import make_column, make_machine, make_ready_machine, make_work

HOME = "/"
HOLDOUT = {"roc_auc": {"value": 0.883, "low": 0.841, "high": 0.92}}
REPORT = {"outputs": [{"name": "Outcome", "task": "binary", "holdout": HOLDOUT}]}


def page(client: Client) -> str:
    response = client.get(HOME)
    assert response.status_code == 200
    return response.content.decode()


def ready(owner: User, **kwargs: Any) -> Any:
    machine = make_ready_machine(owner=owner, training_report=REPORT, **kwargs)
    make_column(machine, name="Outcome", role="output")
    return machine


def test_it_works(alice: User, alice_client: Client) -> None:
    machine = ready(alice, machine_name="Diabetes risk")
    html = page(alice_client)
    assert "Hello, Alice" in html
    assert "Diabetes risk" in html
    assert "0,88" in html and "0,84 – 0,92" in html
    assert "Outcome · Yes or no" in html
    assert reverse("machines:predict", args=[machine.pk]) in html


def test_strangers_see_one_primary_button(db: None) -> None:
    html = page(Client())
    assert html.count("btn-primary") == 1
    assert reverse("account_signup") in html
    assert reverse("machines:list") not in html


def test_an_empty_home_teaches(alice_client: Client) -> None:
    html = page(alice_client)
    assert html.count("btn-primary") == 1
    assert reverse("dashboards:demo-table") in html


def test_machines_of_others_do_not_show(alice: User, charlie_client: Client) -> None:
    ready(alice, machine_name="Private")
    assert "Private" not in page(charlie_client)


def test_a_team_sees_its_machines(alice: User, team: Team, bob_client: Client) -> None:
    ready(alice, machine_name="Shared", machine_owner_team=team)
    html = page(bob_client)
    assert "Shared" in html and "Alice and Bob" in html


def test_an_administrator_sees_whose_a_machine_is(alice: User, dana_client: Client) -> None:
    ready(alice)
    html = page(dana_client)
    assert "Alice Archer" in html and "<span>Mine</span>" not in html


def test_training_shows_its_bar(alice: User, alice_client: Client) -> None:
    machine = make_machine(owner=alice, status="training")
    work = make_work(machine)
    work.start()
    work.report(0.62, seconds_left=20)
    html = page(alice_client)
    assert 'value="62"' in html and "training · 62 %" in html
    assert "about 20 s left" in html
    assert reverse("machines:training", args=[machine.pk]) in html


@pytest.mark.parametrize("status", ["new", "typed", "failed"])
def test_every_state_has_a_next_step(alice: User, alice_client: Client, status: str) -> None:
    machine = make_machine(owner=alice, status=status)
    html = page(alice_client)
    target = "columns" if status == "new" else "training"
    assert reverse(f"machines:{target}", args=[machine.pk]) in html


def test_more_machines_cost_no_more_queries(
    alice: User, alice_client: Client, team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(2):
        ready(alice)
        make_work(make_machine(owner=alice, status="training", machine_owner_team=team))
    with django_assert_num_queries(9):
        page(alice_client)
    for _ in range(10):
        ready(alice, machine_owner_team=team)
        make_work(make_machine(owner=alice, status="training"))
    with django_assert_num_queries(9):
        html = page(alice_client)
    assert html.count("<article") == 12
    assert "All 24 machines" in html


def test_names_are_escaped(alice: User, alice_client: Client) -> None:
    ready(alice, machine_name="<b>bold</b>")
    assert "<b>bold" not in page(alice_client)


def test_the_demo_table_is_for_everybody(db: None) -> None:
    response = Client().get(reverse("dashboards:demo-table"))
    assert response.status_code == 200
    assert b"".join(response.streaming_content).count(b"\n") > 700  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "output", [{}, {"name": "a"}, {"holdout": {"roc_auc": {"value": None}}}, {"holdout": 3}, {"holdout": {"new": 1}}]
)
def test_broken_reports_have_no_score(output: dict[str, object]) -> None:
    assert main_score(output) is None


def test_numbers_get_as_many_digits_as_mean_something() -> None:
    score = main_score({"holdout": {"rmse": {"value": 43126.4, "low": 41210.0, "high": 45033.0}}})
    assert score is not None
    assert [text.replace("\u202f", "") for text in (score.value, score.low, score.high)] == ["43100", "41200", "45000"]
