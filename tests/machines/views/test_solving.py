import csv
import errno
import io
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines import storage
from machines.jobs.runner import work_run
from machines.services.solving import solving_start
from models import Work
from models.access import Role
from models.work import WorkState
from tests.conftest import signed_in
from tests.factories import make_machine
from tests.machines.houses import csv_bytes, file_of
from tests.machines.services.test_solving import INPUTS, unanswered
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db


def send(client, machine, content=None, name="new houses.csv", format="csv", **kwargs):
    content = csv_bytes(unanswered(), INPUTS) if content is None else content
    return client.post(url("solve", machine.pk), {"file": file_of(content, name), "format": format}, **kwargs)


def asked(machine, user=None, name="new houses.csv", content=None):
    content = csv_bytes(unanswered(), INPUTS) if content is None else content
    user = user or machine.machine_owner_user
    return solving_start(machine=machine, user=user, file_name=name, chunks=[content], format="csv")


def ended(machine, **kwargs):
    work = asked(machine, **kwargs)
    work_run(work_id=work.pk)
    return Work.objects.get(pk=work.pk)


def body(response):
    return b"".join(response.streaming_content).decode()


def test_it_works(machine, alice_client):
    shown = page(alice_client.get(url("solve", machine.pk)))
    assert [radio["value"] for radio in shown.all("input", type="radio")] == ["csv", "parquet"]
    assert shown.one("input", type="file")["accept"].startswith(".csv")
    response = send(alice_client, machine)
    work = Work.objects.get()
    assert (response.status_code, response["Location"]) == (302, url("answers", machine.pk, work.pk))
    assert "Waiting" in page(alice_client.get(response["Location"])).text
    work_run(work_id=work.pk)
    shown = page(alice_client.get(response["Location"]))
    assert "30 rows answered" in shown.text and "version 1" in shown.text
    assert len(shown.all("tr")) == 6 and "price:low" in shown.text, "five rows, and what they are called"
    response = alice_client.get(url("answers-file", machine.pk, work.pk))
    assert len(list(csv.DictReader(io.StringIO(body(response))))) == 30
    assert response.streaming and response["Content-Disposition"] == 'attachment; filename="new houses-answers.csv"'
    assert response["X-Content-Type-Options"] == "nosniff" and "no-store" in response["Cache-Control"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_htmx_is_told_where_to_go(machine, alice_client):
    response = send(alice_client, machine, format="parquet", headers=HTMX)
    assert response["HX-Redirect"] == url("answers", machine.pk, Work.objects.get().pk)
    assert Work.objects.get().parameters["format"] == "parquet"


def test_the_pages_of_a_machine_lead_here(machine, alice_client):
    for name in ("detail", "predict"):
        assert page(alice_client.get(url(name, machine.pk))).all("a", href=url("solve", machine.pk)), name
    work = asked(machine)
    shown = page(alice_client.get(url("solve", machine.pk)))
    assert shown.all("a", href=url("answers", machine.pk, work.pk)) and "new houses.csv" in shown.text


def test_before_the_training(point, alice_client):
    machine = make_machine(owner=point)
    shown = page(alice_client.get(url("solve", machine.pk)))
    assert "has not been trained yet" in shown.text and not shown.all("input", type="file")
    assert shown.all("a", href=url("training", machine.pk))
    assert "has not been trained yet" in page(send(alice_client, machine)).text and not Work.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"), [("a.csv", b"", "empty"), ("a.exe", b"MZ", "none of the formats")]
)
def test_files_that_are_refused_at_once(machine, alice_client, stored, name, content, said):
    shown = page(send(alice_client, machine, content, name, format="parquet"))
    assert said in shown.text and shown.all("a", href="#id_file") and stored() == []
    assert "checked" in shown.one("input", type="radio", value="parquet"), "what was chosen stays chosen"


def test_a_full_disk_is_said(machine, alice_client, monkeypatch, stored):
    def full(*_given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "write_whole", full)
    alice_client.raise_request_exception = False
    response = send(alice_client, machine)
    assert response.status_code == 507 and "disk of this server is full" in page(response).text
    assert stored() == [] and not Work.objects.exists()


@pytest.mark.parametrize("data", [{}, {"format": "csv"}, {"format": "exe"}, {"format": "../../x"}])
def test_junk(machine, alice_client, data):
    assert "Please correct this" in page(htmx(alice_client, url("solve", machine.pk), data)).text
    assert not Work.objects.exists()


def test_a_wrong_file_says_what_to_do(machine, alice_client):
    work = ended(machine, content=b"colour,weight\nred,3\n")
    shown = page(alice_client.get(url("answers", machine.pk, work.pk)))
    assert "could not be answered" in shown.text and "None of the machine's input columns" in shown.text
    assert shown.all("a", href=url("solve", machine.pk)) and not shown.all("table")


def test_progress(machine, alice_client):
    work = asked(machine)
    work.start()
    message = {"template": "Answering rows: %(done)s of %(total)s", "values": {"done": 1200, "total": 5000},
               "weight": "info"}  # fmt: skip
    work.report(0.4, "…", notice=message, seconds_left=36)
    response = htmx(alice_client, url("answers", machine.pk, work.pk))
    shown = page(response)
    assert not is_whole(response) and shown.one("progress")["value"] == "40"
    root = shown.elements[0][1]
    assert (root["id"], root["hx-get"]) == ("progress", url("answers", machine.pk, work.pk)) and root["hx-trigger"]
    assert "Answering rows: 1200 of 5000" in shown.text
    assert "about 35 s left" in shown.text and shown.all("form", action=url("answers-cancel", machine.pk, work.pk))


def test_polling_ends_by_itself(machine, alice_client):
    work = ended(machine)
    shown = page(htmx(alice_client, url("answers", machine.pk, work.pk)))
    assert not any("every" in attributes.get("hx-trigger", "") for _tag, attributes in shown.elements)
    assert "30 rows answered" in shown.text


def test_cancel(machine, alice_client):
    work = asked(machine)
    shown = page(alice_client.post(url("answers-cancel", machine.pk, work.pk), follow=True))
    assert "Cancelled" in shown.text and Work.objects.get().state is WorkState.CANCELLED


def test_what_could_not_be_read(machine, alice_client):
    rows = unanswered()
    rows[3][0] = "<b>very large</b>"
    work = ended(machine, content=csv_bytes(rows, INPUTS))
    shown = page(alice_client.get(url("answers", machine.pk, work.pk)))
    assert "1 problem, as CSV" in shown.text and "<b>very large</b>" in shown.text
    response = alice_client.get(url("answers-errors", machine.pk, work.pk))
    assert "very large" in body(response) and "new houses-errors.csv" in response["Content-Disposition"]


def test_delete_now(machine, alice_client, stored):
    work = ended(machine)
    assert alice_client.get(url("answers-delete", machine.pk, work.pk)).status_code == 405
    shown = page(alice_client.post(url("answers-delete", machine.pk, work.pk), follow=True))
    assert "The files were deleted" in shown.text and not shown.all("table") and stored() == []
    response = alice_client.get(url("answers-file", machine.pk, work.pk))
    assert response.status_code == 302, "the page says why"


@pytest.mark.parametrize(
    "name",
    ['a"b.csv', "été ☃ 2026.csv", "a;b: 1.csv", "../../etc/passwd.csv", "x" * 300 + ".csv", "=cmd.csv"],
)
def test_odd_names(machine, alice_client, name):
    send(alice_client, machine, name=name)
    work = Work.objects.get()
    work_run(work_id=work.pk)
    assert alice_client.get(url("answers", machine.pk, work.pk)).status_code == 200
    response = alice_client.get(url("answers-file", machine.pk, work.pk))
    sent = unquote(response["Content-Disposition"])
    assert sent.startswith("attachment; filename") and "-answers.csv" in sent
    assert not set("\r\n/") & set(response["Content-Disposition"])
    body(response)


class TestWho:
    """Who may ask, and who sees what came of it."""

    @pytest.fixture
    def work(self, shared, bob):
        return ended(shared, user=bob)

    def addresses(self, work):
        return [url(name, work.machine_id, work.pk) for name in ("answers", "answers-file", "answers-errors")]

    def statuses(self, client, work):
        return [client.get(address).status_code for address in self.addresses(work)]

    def test_who_asked(self, work, bob_client):
        assert self.statuses(bob_client, work) == [200, 200, 200]

    def test_super_administrators(self, work, dana_client):
        assert self.statuses(dana_client, work) == [200, 200, 200]

    def test_the_rest_of_the_team_sees_nothing(self, work, alice_client):
        assert self.statuses(alice_client, work) == [404, 404, 404]
        for name in ("answers-cancel", "answers-delete"):
            assert alice_client.post(url(name, work.machine_id, work.pk)).status_code == 404
        assert "new houses.csv" not in page(alice_client.get(url("solve", work.machine_id))).text

    def test_strangers(self, work, charlie_client):
        assert self.statuses(charlie_client, work) == [404, 404, 404]
        assert charlie_client.get(url("solve", work.machine_id)).status_code == 404
        assert send(charlie_client, work.machine).status_code == 404 and Work.objects.count() == 1

    def test_a_viewer_is_told_why_not(self, work, team, cara):
        team.add_user_to_team(cara, Role.VIEWER)
        response = signed_in(cara).get(url("solve", work.machine_id))
        assert response.status_code == 403 and "Viewer" in page(response).text
        assert send(signed_in(cara), work.machine).status_code == 403

    def test_removed(self, work, team, bob, bob_client):
        team.remove_user_from_team(bob)
        assert self.statuses(bob_client, work) == [404, 404, 404]

    def test_another_machine_does_not_lend_its_address(self, work, bob, bob_client):
        mine = make_machine(owner=bob)
        assert bob_client.get(url("answers-file", mine.pk, work.pk)).status_code == 404


def test_queries_do_not_grow(machine, alice_client):
    def queries(address):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert alice_client.get(address).status_code == 200
        return len(seen)

    work = asked(machine)
    few = [queries(url("solve", machine.pk)), queries(url("answers", machine.pk, work.pk))]
    for _more in range(4):
        asked(machine)
    assert [queries(url("solve", machine.pk)), queries(url("answers", machine.pk, work.pk))] == few
