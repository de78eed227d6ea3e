import pytest

from tests.factories import make_machine, make_ready_machine, make_user
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db


def test_it_works(alice, alice_client):
    make_ready_machine(owner=alice, machine_name="Churn", rows_count=12_345)
    make_machine(owner=alice, machine_name="Half done")
    shown = page(alice_client.get(url("list")))
    assert "Churn" in shown.text and "Half done" in shown.text and "2 machines" in shown.text
    assert "12\u202f345" in shown.text
    assert len([a for a in shown.all("a") if (a.get("href") or "").endswith("/predict/")]) == 1


def test_nothing_there_yet(alice_client):
    shown = page(alice_client.get(url("list")))
    assert "No machine yet" in shown.text
    assert shown.all("a", href=url("new"))


def test_who_sees_what(alice, bob, charlie, dana, team, alice_client, bob_client, charlie_client, dana_client):
    make_machine(owner=alice, machine_name="Private")
    make_machine(owner=alice, team=team, machine_name="Shared")
    seen = {
        client: {name for name in ("Private", "Shared") if name in page(client.get(url("list"))).text}
        for client in (alice_client, bob_client, charlie_client, dana_client)
    }
    assert list(seen.values()) == [{"Private", "Shared"}, {"Shared"}, set(), {"Private", "Shared"}]


def test_pages(alice, alice_client):
    for number in range(25):
        make_machine(owner=alice, machine_name=f"Nr {number:02}")
    first, second = (page(alice_client.get(url("list"), {"page": number})) for number in (1, 2))
    assert "Nr 24" in first.text and "Nr 00" not in first.text
    assert "Nr 00" in second.text and "Page 2 of 2" in second.text


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "1e9", "'; DROP TABLE models_machine"])
def test_odd_page_numbers(alice, alice_client, number):
    make_machine(owner=alice, machine_name="Only one")
    assert "Only one" in page(alice_client.get(url("list"), {"page": number})).text


def test_as_many_queries_for_ten_machines_as_for_one(dana_client, django_assert_max_num_queries):
    make_machine(owner=make_user(first_name="A"))
    with django_assert_max_num_queries(50) as one:
        dana_client.get(url("list"))
    for _ in range(9):
        make_machine(owner=make_user(first_name="A"))
    with django_assert_max_num_queries(len(one)):
        dana_client.get(url("list"))
