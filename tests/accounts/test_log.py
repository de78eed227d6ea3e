"""The log of a team, on its page and as CSV."""

import csv
import io

import pytest

from models import AuditEntry
from models.access import Role
from models.audit import AuditAction, record
from tests.conftest import signed_in
from tests.factories import make_team, make_user


def page_of(client, team, **query):
    response = client.get(f"/teams/{team.pk}/log/", query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_it_works(alice_client, bob, team):
    alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "editor"})
    page = page_of(alice_client, team)
    for said in ("alice@example.org", "changed a role", "bob@example.org", "Predictor → Editor", "127.0.0.1"):
        assert said in page


def test_the_newest_comes_first_and_the_rest_on_further_pages(alice_client, alice, team):
    for number in range(52):
        record(AuditAction.MACHINE_SHARED, actor=alice, team=team, name=f"Machine {number:02}")
    page = page_of(alice_client, team)
    assert page.index("Machine 51") < page.index("Machine 50") and "Machine 00" not in page
    assert "Machine 00" in page_of(alice_client, team, page=2)


def test_it_can_be_narrowed_to_a_group_and_a_person(alice_client, alice, bob, team):
    record(AuditAction.KEY_MADE, actor=alice, team=team, name="Nightly")
    record(AuditAction.KEY_MADE, actor=bob, team=team, name="Hourly")
    record(AuditAction.LINK_PUBLISHED, actor=alice, team=team, name="Diabetes")
    page = page_of(alice_client, team, group="key")
    assert "Nightly" in page and "Hourly" in page and "Diabetes" not in page
    page = page_of(alice_client, team, group="key", who="archer")
    assert "Nightly" in page and "Hourly" not in page
    assert "Diabetes" in page_of(alice_client, team, who="diabetes")
    assert "Nothing in the log fits this." in page_of(alice_client, team, who="zebra")


@pytest.mark.parametrize("query", [{"group": "nonsense"}, {"group": "\0"}, {"who": "\0" * 9}, {"page": "last"}])
def test_nonsense_is_no_filter(alice_client, alice, team, query):
    record(AuditAction.KEY_MADE, actor=alice, team=team, name="Nightly")
    assert "Nightly" in page_of(alice_client, team, **query)


def test_it_tells_nothing_of_other_teams(alice_client, bob, team):
    other = make_team(admin=bob, name="Elsewhere")
    record(AuditAction.KEY_MADE, actor=bob, team=other, name="Their key")
    assert "Their key" not in page_of(alice_client, team)
    answer = alice_client.get(f"/teams/{team.pk}/log.csv")
    assert "Their key" not in b"".join(answer.streaming_content).decode()


def test_it_outlives_the_people_in_it(alice_client, team):
    gone = make_user(email="gone@example.org")
    team.add_user_to_team(gone, Role.ADMIN)
    record(AuditAction.KEY_MADE, actor=gone, team=team, name="Nightly")
    gone.delete()
    assert "gone@example.org" in page_of(alice_client, team)


# CSV


def test_all_of_it_can_be_downloaded(alice_client, alice, team):
    for number in range(60):
        record(AuditAction.MACHINE_SHARED, actor=alice, team=team, name=f"Machine {number}", role="editor")
    answer = alice_client.get(f"/teams/{team.pk}/log.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="log-alice-and-bob.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    header, *rows = rows_of(answer)
    assert header[:3] == ["At (UTC)", "Who", "What"]
    assert len(rows) == AuditEntry.objects.of_team(team).count() == 60
    assert rows[0][1:6] == ["alice@example.org", "shared a machine with the team", "", "Machine 59", "role: Editor"]
    assert rows[0][0].endswith("+00:00")


def test_it_begins_with_the_mark_of_utf_8(alice_client, team):
    answer = alice_client.get(f"/teams/{team.pk}/log.csv")
    assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_runs_in_a_spreadsheet(alice_client, alice, team, start):
    nasty = f"{start}cmd|' /C calc'!A0"
    record(AuditAction.MACHINE_SHARED, actor=alice, team=team, name=nasty)
    _header, row = rows_of(alice_client.get(f"/teams/{team.pk}/log.csv"))
    assert row[4] == f"'{nasty}"


def test_a_refusal_is_in_the_log(alice_client, bob, team):
    signed_in(bob).get(f"/teams/{team.pk}/log/")
    page = page_of(alice_client, team, group="access")
    assert "was refused" in page and "wanted: Read the log" in page


def test_who_joined_is_named_once_and_a_thing_with_its_kind(alice_client, alice, bob, team):
    record(AuditAction.MEMBER_JOINED, actor=bob, team=team, target=bob, invite="7")
    record(AuditAction.TEAM_RENAMED, actor=alice, team=team, target=team)
    page = page_of(alice_client, team)
    assert page.count("bob@example.org") == 1 and "invitation no.: 7" in page
    assert f"team: {team.name}" in page
