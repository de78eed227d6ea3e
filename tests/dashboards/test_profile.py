"""The page of the data profile, by the real child process."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards import kept, profile_work
from dashboards.profile_advice import PLACES
from dashboards.profile_lines import Line
from dashboards.profiling.asked import TASK, profile_of
from dashboards.profiling.discreet import discreet
from dashboards.profiling.warnings import ORDER
from machines.child import ChildFailedError
from machines.engine.errors import DataError
from models import Column, DataLinesOperation, Membership
from models.access import Role
from tests.dashboards.profiled import add, make_profiled, rows_of
from tests.dashboards.profiling.tables import profiled
from tests.factories import make_machine

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def machine(alice):
    return make_profiled(alice)


def page(client, machine, **more):
    return client.get(f"/machines/{machine.pk}/profile/", **more)


def test_it_works(alice_client, machine):
    waiting = page(alice_client, machine)
    assert b"Looking at the rows" in waiting.content and b'hx-trigger="load"' in waiting.content
    part = page(alice_client, machine, **HTMX)
    shown = part.content.decode()
    assert shown.strip().startswith('<div id="profile"') and "hx-trigger" not in shown
    assert "Nothing here stands in the way" in shown and "What has to do with what" in shown
    assert "&lt;i&gt;Rome&lt;/i&gt;" in shown and "<i>Rome" not in shown and "town <b>" not in shown
    assert "15/01/2021 – 15/12/2021" in shown and "0 – 100" in shown
    whole = page(alice_client, machine).content.decode()  # kept now
    assert "Looking at the rows" not in whole and "What has to do with what" in whole


def test_the_table_at_a_glance(alice_client, machine):
    shown = page(alice_client, machine, **HTMX).content.decode()
    assert "<dt>Columns</dt><dd>2 Number · 1 Label · 1 Date</dd>" in shown
    assert "<dt>Rows that repeat another one</dt><dd>0</dd>" in shown and "<dt>Uploads</dt>" not in shown
    assert "chosen at random" not in shown and "is not shown here" not in shown


def test_a_warning_leads_to_where_it_is_mended(alice_client, machine):
    odd = Column.objects.create(machine=machine, position=9, name="empty", type="FLOAT", role="input")
    shown = page(alice_client, machine, **HTMX).content.decode()
    link = f"/machines/{machine.pk}/columns/?page=1#column-{odd.pk}"
    assert "“empty”: the same in every row" in shown and f'href="{link}"' in shown
    assert f'id="column-{odd.pk}"' in alice_client.get(link).content.decode()


def test_every_warning_leads_somewhere():
    assert set(PLACES) == set(ORDER)


def test_a_large_table_is_looked_at_in_part(alice_client, machine):
    page(alice_client, machine, **HTMX)
    (kept,) = (machine.folder / "drawn").glob("*.json")
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"looked": 200}))  # as of a larger table, see drawn_rows
    assert "200 of 240 rows were looked at, chosen at random" in page(alice_client, machine).content.decode()


@pytest.mark.parametrize("role", Role.stored())
def test_who_sees_what_only_a_few_rows_share(bob, bob_client, team, machine, role):
    machine.machine_owner_team = team
    machine.save()
    Membership.objects.filter(user=bob).update(role=role)
    rows = rows_of()
    rows["town <b>"][:3], rows["=size"][0] = ["Xanadu"] * 3, "9876"
    machine.columns.filter(name="town <b>").update(role="output")
    next(machine.folder.glob("*.parquet")).unlink()
    DataLinesOperation.objects.all().delete()
    add(machine, rows)
    shown = page(bob_client, machine, **HTMX).content.decode()
    may_edit = role in {Role.EDITOR, Role.ADMIN}
    assert ("Xanadu" in shown, "9876" in shown, "is not shown here" in shown) == (may_edit, may_edit, not may_edit)
    assert (">Add rows<" in shown) is may_edit
    assert "Rome" in shown and "far off" in shown and "What has to do with what" in shown


def test_without_javascript(alice_client, machine):
    shown = alice_client.get(f"/machines/{machine.pk}/profile/?now=1").content.decode()
    assert "Looking at the rows" not in shown and "<h1>Know your data</h1>" in shown


def test_it_is_made_once_and_anew_for_other_rows(alice_client, machine, monkeypatch):
    runs, run = [], kept.run_child
    monkeypatch.setattr(kept, "run_child", lambda *args, **kwargs: runs.append(1) or run(*args, **kwargs))
    page(alice_client, machine, **HTMX)
    page(alice_client, machine, **HTMX)
    assert len(runs) == 1
    add(machine, rows_of(scale=9))
    assert b"Looking at the rows" in page(alice_client, machine).content
    shown = page(alice_client, machine, **HTMX).content.decode()
    assert len(runs) == 2
    assert "“=size” has changed: the rows of upload 2" in shown and "“=size” by upload" in shown
    machine.columns.filter(name="day").update(type="LABEL")
    assert b"Looking at the rows" in page(alice_client, machine).content


def test_the_table_as_csv(alice_client, machine):
    answer = alice_client.get(f"/machines/{machine.pk}/profile/associations.csv")
    lines = list(csv.reader(io.StringIO(answer.content.decode())))
    assert answer["Content-Disposition"] == 'attachment; filename="houses-associations.csv"'
    assert lines[0] == ["column", "other column", "measure", "value"] and len(lines) == 1 + 6
    assert {line[0] for line in lines[1:]} | {line[1] for line in lines[1:]} == {"'=size", "town <b>", "day", "price"}
    assert all(-1 <= float(line[3]) <= 1 for line in lines[1:])


def replace_rows(machine, **columns):
    next(machine.folder.glob("*.parquet")).unlink()
    DataLinesOperation.objects.all().delete()
    add(machine, {**rows_of(), **columns})


def column_address(machine, name):
    return f"/machines/{machine.pk}/profile/columns/{machine.columns.get(name=name).pk}.csv"


def column_table(client, machine, name):
    """The lines of a column's CSV, and its name."""
    answer = client.get(column_address(machine, name))
    assert answer.status_code == 200 and answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))), answer["Content-Disposition"]


def test_a_column_of_numbers_as_csv(alice_client, machine):
    machine.columns.filter(name="=size").update(unit="m²")
    (heads, *lines), name = column_table(alice_client, machine, "=size")
    assert name == 'attachment; filename="houses-size.csv"'
    assert heads == ["from (m²)", "to (m²)", "rows", "share (%)"] and len(lines) == 21
    sizes = [int(size) for size in rows_of()["=size"]]
    for low, high, rows, share in lines:
        expected = sum(float(low) <= size <= float(high) for size in sizes)
        assert int(rows) == expected and float(share) == pytest.approx(100 * expected / len(sizes), rel=1e-3)
    assert sum(int(line[2]) for line in lines) == len(sizes)


def test_a_column_of_dates_as_csv(alice_client, machine):
    (heads, *lines), _name = column_table(alice_client, machine, "day")
    assert heads == ["from", "to", "rows", "share (%)"]
    assert lines[0][0] == "2021-01-15" and lines[-1][1] == "2021-12-15"
    for low, high, rows, _share in lines:
        assert int(rows) == sum(low <= day <= high for day in rows_of()["day"])
    assert sum(int(line[2]) for line in lines) == 240


def test_a_column_of_labels_as_csv(alice_client, machine):
    replace_rows(machine, **{"town <b>": ["=1+1"] * 120 + ["<i>Rome</i>"] * 80 + [None] * 40})
    lines, name = column_table(alice_client, machine, "town <b>")
    assert name == 'attachment; filename="houses-town-b.csv"'
    assert lines == [["value", "rows", "share (%)"], ["'=1+1", "120", "60.0"], ["<i>Rome</i>", "80", "40.0"]]


def graph_of(shown, machine, name):
    """The part of a page with the graph of a column, and the figure in it."""
    key = f"profile-column-{machine.columns.get(name=name).pk}"
    part = shown.split(f'<figure class="graph" aria-labelledby="{key}-title">')[1].split("</figure>")[0]
    return part, json.loads(part.split(f'<script id="{key}-data" type="application/json">')[1].split("</script>")[0])


def test_the_graph_of_a_column(alice_client, machine):
    shown = page(alice_client, machine, **HTMX).content.decode()
    part, figure = graph_of(shown, machine, "=size")
    assert "How the values of “=size” spread" in part and f'href="{column_address(machine, "=size")}"' in part
    assert sum(figure["traces"][0]["y"]) == 240 and figure["layout"]["xaxis"]["title"]["text"] == "=size"
    part, figure = graph_of(shown, machine, "day")
    assert figure["layout"]["xaxis"]["type"] == "date" and '<td class="num">15/01/2021</td>' in part
    ids = [piece.split('"')[0] for piece in shown.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) and shown.count("profile-column-") > 4


def test_the_graph_of_labels_is_escaped(alice_client, machine):
    shown = page(alice_client, machine, **HTMX).content.decode()
    part, figure = graph_of(shown, machine, "town <b>")
    axis = figure["layout"]["yaxis"]
    assert axis["ticktext"] == ["&lt;i&gt;Rome&lt;/i&gt;", "Oslo", "Bern"] and axis["title"]["text"] == "town &lt;b&gt;"
    assert figure["traces"][0]["x"] == [80, 80, 80]
    assert "<td>&lt;i&gt;Rome&lt;/i&gt;</td>" in part and "“town &lt;b&gt;”" in part
    assert "<i>" not in part and "<b>" not in part


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_reads_rare_values_in_graphs(bob, bob_client, team, machine, role):
    machine.machine_owner_team = team
    machine.save()
    Membership.objects.filter(user=bob).update(role=role)
    rare = ["Xanadu"] * 4 + ["Oslo"] * 5 + ["Rome"] * 231
    replace_rows(machine, **{"town <b>": rare, "=size": ["9876", *(str(n % 60) for n in range(239))]})
    may_edit = role == Role.EDITOR
    shown = page(bob_client, machine, **HTMX).content.decode()
    part, figure = graph_of(shown, machine, "town <b>")
    lines, _name = column_table(bob_client, machine, "town <b>")
    shown_labels = ["Rome", "Oslo", *(["Xanadu"] if may_edit else [])]
    assert [line[0] for line in lines[1:]] == figure["layout"]["yaxis"]["ticktext"] == shown_labels
    assert ("Xanadu" in part, "Rows with other ones: 4." in part) == (may_edit, not may_edit)
    part, _figure = graph_of(shown, machine, "=size")
    (_heads, *lines), _name = column_table(bob_client, machine, "=size")
    ends = [float(end) for line in lines for end in line[:2]]
    assert (min(ends) < 2, max(ends) > 57) == (may_edit, may_edit)  # 5 % are below 2, 5 % above 57
    assert ("middle nine tenths" in part, "far off are left out: 1." in part) == (not may_edit, True)


def test_which_columns_have_a_table(alice_client, charlie_client, client, machine, alice):
    odd = Column.objects.create(machine=machine, position=9, name="empty", type="FLOAT", role="input")
    other = Column.objects.create(machine=make_profiled(alice), position=9, name="more", type="FLOAT", role="input")
    for pk in (odd.pk, other.pk, 0):
        assert alice_client.get(f"/machines/{machine.pk}/profile/columns/{pk}.csv").status_code == 404
    address = column_address(machine, "price")
    assert alice_client.get(address).status_code == 200 and alice_client.post(address).status_code == 405
    assert charlie_client.get(address).status_code == 404 and client.get(address).status_code == 302


def test_no_table_of_a_column_before_there_is_a_profile(alice_client, machine, monkeypatch):
    monkeypatch.setattr(profile_work, "MOST_CELLS_AT_ONCE", 100)
    answer = alice_client.get(column_address(machine, "price"))
    assert answer.status_code == 409
    assert answer.content.decode() == "There is no profile of these rows yet. Open its page first."


def test_the_table_of_a_column_without_rows_is_empty(alice_client, alice):
    machine = make_machine(owner=alice)
    Column.objects.create(machine=machine, position=0, name="price", type="FLOAT", role="input")
    assert column_table(alice_client, machine, "price")[0] == [[]]


def test_no_rows(alice_client, alice):
    shown = page(alice_client, make_machine(owner=alice)).content.decode()
    assert "No rows yet" in shown and "hx-trigger" not in shown.split('id="profile"')[1][:200]


@pytest.mark.parametrize("reason", ["deadline", "memory", "crash"])
def test_when_it_fails(alice_client, machine, monkeypatch, reason):
    def fail(*args, **kwargs):
        raise ChildFailedError(reason)

    monkeypatch.setattr(kept, "run_child", fail)
    shown = page(alice_client, machine, **HTMX).content.decode()
    assert TASK.words[reason] in shown and "Try again" in shown and "hx-trigger" not in shown
    monkeypatch.undo()
    assert b"What has to do with what" in page(alice_client, machine, **HTMX).content


def test_one_at_a_time(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "WAIT_SECONDS", 0.01)
    with TASK.place(), pytest.raises(DataError, match="Another table"):
        profile_of([], [], tmp_path).make()


def test_rows_that_are_gone(alice_client, machine):
    next(machine.folder.glob("*.parquet")).unlink()
    assert b"The rows have just changed" in page(alice_client, machine, **HTMX).content


def test_not_for_strangers(charlie_client, client, machine):
    assert page(charlie_client, machine).status_code == 404
    assert charlie_client.get(f"/machines/{machine.pk}/profile/associations.csv").status_code == 404
    assert page(client, machine).status_code == 302


def test_many_columns_cost_no_more_queries(alice_client, machine):
    page(alice_client, machine, **HTMX)
    with CaptureQueriesContext(connection) as few:
        page(alice_client, machine)
    names = [f"more {position}" for position in range(10, 80)]
    for position, name in enumerate(names, 10):
        Column.objects.create(machine=machine, position=position, name=name, type="FLOAT", role="input")
    replace_rows(machine, **dict.fromkeys(names, rows_of()["=size"]))
    page(alice_client, machine, **HTMX)
    with CaptureQueriesContext(connection) as many:
        shown = page(alice_client, machine).content.decode()
    assert len(many) <= len(few) and "Page 1 of 2" in shown and shown.count("“more ") > 40


def test_the_small_picture_tells_a_discreet_reader_nothing_of_few_rows(tmp_path):
    told = profiled(tmp_path, {"x": ("FLOAT",)}, {"x": range(50)})
    assert len(Line(told["columns"][0], 1).heights) == 17
    assert Line(discreet(told)["columns"][0], 1).heights == []
