"""Own data as one ZIP file: what is in it, packed by a worker with the real child."""

import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from accounts.services import export as service
from accounts.services import own_data
from accounts.services.export import export_ask, export_of
from machines import storage
from machines.jobs import runner
from machines.jobs.folders import folder_of
from machines.jobs.runner import WorkLostError
from machines.services.works import work_retry
from models import ApiKey, AuditEntry, Graph, GraphLink, Invite, NNModel, PublicLink, User, Work
from models.audit import AuditAction, record
from models.work import WorkState
from tests.accounts.exports import (
    FILE,
    PAGE,
    URL,
    archive_of,
    do,
    facts_of,
    fetched,
    left,
    make_whole_machine,
    post,
    prepare,
    shown,
)
from tests.conftest import proved
from tests.factories import (
    make_consulting_request,
    make_credit,
    make_debit,
    make_machine,
    make_ready_machine,
    make_team,
    make_work,
)


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def test_it_works(client, alice):
    machine = make_whole_machine(alice, machine_name="Diabetes risk", nn_model=b"the model")
    archive = archive_of(client)
    folder = f"machines/{machine.pk}-diabetes-risk"
    names = [f"{folder}/{name}" for name in ("columns.json", "model.onnx", "original.csv", "rows-1.parquet")]
    assert sorted(archive.namelist()) == sorted(["data.json", *names])
    assert archive.read(f"{folder}/original.csv") == b"a,b\n1,2\n"
    assert archive.read(f"{folder}/model.onnx") == b"the model"
    assert json.loads(archive.read(f"{folder}/columns.json"))[0]["name"] == "Größe"
    facts = json.loads(archive.read("data.json"))
    assert facts["profile"]["email"] == alice.email
    assert [(each["name"], each["folder"]) for each in facts["machines"]] == [("Diabetes risk", folder)]


def test_what_is_kept_and_noted(client, alice):
    make_whole_machine(alice)
    prepare(client)
    work = export_of(alice)
    assert (work.state, work.queue, work.user, work.machine) == (WorkState.FINISHED, "cpu", alice, None)
    file = storage.absolute(work.folder) / left()[0]
    assert work.result == {"bytes": file.stat().st_size, "files": 5, "missing": 0}
    assert left() == ["export-1.zip"] and len(list(file.parent.iterdir())) == 1, "the facts beside it are gone"
    fetched(client)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["account.data_exported"]


def test_the_file_comes_as_a_file(client):
    prepare(client)
    response = client.get(FILE)
    count = len(b"".join(response.streaming_content))
    assert response["Content-Type"] == "application/zip" and "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"].startswith('attachment; filename="easyautoml-2')
    assert int(response["Content-Length"]) == count == Work.objects.get().result["bytes"]


def test_everything_is_in_it_and_no_secret(client, alice, bob):
    team = make_team(bob, admin=alice, name="Ours")
    machine = make_machine(owner=alice)
    key = ApiKey(user=alice, name="My script", scopes=["read"])
    secret = key.make_secret()
    key.save()
    invite = Invite.objects.create(team=team, invited_by=alice, email="new@example.org")
    link = PublicLink.objects.create(machine=machine, created_by=alice, name="For the ward")
    shown = Graph.objects.create(machine=machine, user=bob, graph_name="Glucose by age")
    graph_link = GraphLink.objects.create(machine=machine, graph=shown, created_by=alice)
    record(AuditAction.TEAM_MADE, actor=alice, team=team)
    for make in (make_credit, make_debit, make_consulting_request):
        make(user=alice)
    make_work(machine, user=alice)
    text = archive_of(client).read("data.json").decode()
    facts = json.loads(text)
    counts = {name: len(rows) for name, rows in facts.items() if isinstance(rows, list)}
    assert counts == {
        "machines": 1,
        "teams_owned": 1,
        "memberships": 1,
        "invitations": 1,
        "api_keys": 1,
        "public_links": 1,
        "graphs": 1,
        "graph_links": 1,
        "sessions": 0,
        "log": 2,
        "consulting_requests": 1,
        "operations": 0,
        "credits": 1,
        "debits": 1,
        "token_credits": 0,
        "token_debits": 0,
        "works": 2,
    }
    hidden = [
        secret,
        key.key_hash,
        invite.token_seed,
        invite.token_hash,
        invite.mail_hash,
        invite.link,
        invite.mail_link,
    ]
    hidden += [graph_link.token_seed, graph_link.token_hash, graph_link.link]
    hidden += [link.token_seed, link.token_hash, link.link, alice.password, client.session.session_key]
    assert not [value for value in hidden if value in text]
    assert facts["graphs"][0]["graph_name"] == "Glucose by age" and "user_id" not in facts["graphs"][0]
    assert facts["graph_links"][0]["graph"] == shown.pk


def test_nothing_of_others_is_in_it(client, alice, bob, charlie):
    team = make_team(bob, admin=alice)
    make_machine(owner=bob, team=team, machine_name="Bob's machine")
    make_machine(owner=charlie, machine_name="Charlie's machine")
    make_credit(user=charlie, amount=4711)
    make_work(make_machine(owner=charlie), user=charlie)
    record(AuditAction.SIGNED_IN, actor=charlie)
    archive = archive_of(client)
    text = archive.read("data.json").decode()
    assert archive.namelist() == ["data.json"]
    assert not [word for word in ("Bob's machine", "Charlie", "charlie@", "4711") if word in text]


def test_a_refusal_does_not_tell_what_exists(client, alice, charlie):
    record(AuditAction.DENIED, actor=alice, target=make_machine(owner=charlie, machine_name="Hidden"))
    assert "Hidden" not in archive_of(client).read("data.json").decode()


def test_a_long_list_is_whole(client, alice, monkeypatch):
    monkeypatch.setattr(own_data, "AT_ONCE", 3)
    for number in range(7):
        make_credit(user=alice, amount=number + 1)
    assert [float(each["amount"]) for each in facts_of(client)["credits"]] == [1, 2, 3, 4, 5, 6, 7]


def test_a_missing_file_is_listed(client, alice):
    machine = make_whole_machine(alice)
    storage.absolute(machine.source_path).unlink()
    archive = archive_of(client)
    assert [name.rpartition("/")[2] for name in json.loads(archive.read("missing.json"))] == ["original.csv"]
    assert "1 file was not on the server any more" in shown(client)


def test_a_model_that_vanishes_is_missing(client, alice, monkeypatch):
    """A new training deletes the model before it: half of one would look like a whole one."""
    monkeypatch.setattr(own_data, "SLICE", 4)
    machine = make_whole_machine(alice, nn_model=b"the model")

    def slices(models, field, size):
        found = found_slices(models, field, size)
        yield next(found)
        NNModel.objects.filter(pk=machine.training_nn_model_id).delete()
        yield from found

    found_slices = own_data._slices
    monkeypatch.setattr(own_data, "_slices", slices)
    archive = archive_of(client)
    assert [name.rpartition("/")[2] for name in json.loads(archive.read("missing.json"))] == ["model.onnx"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c:d\r\ne", "…", "x" * 500, "=cmd()"])
def test_names_in_the_archive_are_safe(client, alice, name):
    make_whole_machine(alice, machine_name=name)
    for member in archive_of(client).namelist():
        assert ".." not in member
        assert member.isascii() and member.replace("/", "").replace("-", "").replace(".", "").isalnum()
        assert len(member) < 120


def test_a_large_model_needs_little_memory(alice, monkeypatch, tmp_path):
    monkeypatch.setattr(own_data, "SLICE", 2**20)
    large = bytes(range(256)) * 4096 * 40
    make_ready_machine(owner=alice, nn_model=large)
    work = Work.objects.create(user=alice, is_work_export=True)
    work.start()
    tracemalloc.start()
    request = service._prepare(work, folder_of(work))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    place = next(place for name, place in request["files"] if name.endswith("model.onnx"))
    assert Path(place).read_bytes() == large
    assert peak < 12 * 2**20 < len(large)


def test_the_lease_is_kept_while_facts_are_written(alice, settings):
    settings.WORK_LEASE_SECONDS = 0
    work = Work.objects.create(user=alice, is_work_export=True)
    work.start()
    service._prepare(work, folder_of(work))
    assert Work.objects.get().message == "Collecting your data"
    Work.objects.get().give_back()
    with pytest.raises(WorkLostError):
        service._prepare(work, folder_of(work))


def test_one_at_a_time(client, alice):
    post(client, URL)
    post(client, URL)
    work = Work.objects.get()
    assert AuditEntry.objects.count() == 1
    do(work)
    first = left()
    post(client, URL)
    assert first and left() == [], "a new one takes the place of the old one"
    assert Work.objects.count() == 2 and AuditEntry.objects.count() == 2
    assert client.get(FILE)["Location"] == PAGE


def test_a_killed_child_starts_again_cleanly(client, alice, monkeypatch):
    machine, heard = make_whole_machine(alice), []
    storage.absolute(machine.source_path).write_bytes(os.urandom(2**25))
    tick = runner._Watcher.on_tick

    def on_tick(watcher, child):
        if watcher.news and not heard:
            heard.append(watcher.news["message"]["template"])
            child.process.kill()
            child.process.wait()
        tick(watcher, child)

    monkeypatch.setattr(runner._Watcher, "on_tick", on_tick)
    prepare(client)
    work = Work.objects.get()
    assert (work.state, work.attempts, heard) == (WorkState.WAITING, 1, ["Packing the files"])
    assert "export-1.zip" not in left() and any(name.endswith(".part") for name in left())
    do(work)
    assert left() == ["export-2.zip"] and len(fetched(client).namelist()) == 5


def test_an_attempt_that_was_given_up_spoils_nothing(alice):
    """A worker that was asleep wakes up when another one has done its work, and goes on packing."""
    export_ask(user=alice)
    asleep = Work.objects.get()
    asleep.start()
    folder = folder_of(asleep)
    request = service._prepare(asleep, folder)
    Work.objects.get().give_back()
    do(asleep)
    (folder / "export-1.zip").write_bytes(b"half")
    service._record(asleep, folder, {"bytes": 4, "files": 0, "missing": 9})
    assert request["archive"] == str(folder / "export-1.zip")
    assert Work.objects.get().result["missing"] == 0
    assert zipfile.ZipFile(service.export_open(user=alice)).testzip() is None


def test_sums_are_written_as_people_write_them(client):
    text = archive_of(client).read("data.json")
    assert json.loads(text)["money"]["user_balance"] == "0.00000000"
    assert b"0E-8" not in text


def test_who_has_gone_gets_nothing(client, alice):
    """One that waits when its person goes is harmless, however that came about."""
    work = export_ask(user=alice)
    User.objects.filter(pk=alice.pk).delete()
    do(work)
    work = Work.objects.get()
    assert (work.state, work.message) == (WorkState.ERROR, service.NOBODY)
    assert left() == []


def test_only_the_newest_is_tried_again(alice):
    first = export_ask(user=alice)
    first.start()
    first.fail("…")
    second = export_ask(user=alice)
    with pytest.raises(service.DataError, match="newer one"):
        work_retry(work=first)
    second.cancel()
