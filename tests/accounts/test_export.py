"""Own data as one ZIP file."""

import io
import json
import tracemalloc
import zipfile

import pytest

from accounts.services.archive import CHUNK, chunks_of, zipped
from accounts.services.export import entries_of
from machines import storage
from models import ApiKey, AuditEntry, DataLinesOperation, Invite, PublicLink
from models.audit import AuditAction, record
from tests.conftest import proved
from tests.factories import (
    PASSWORD,
    make_column,
    make_consulting_request,
    make_credit,
    make_debit,
    make_machine,
    make_ready_machine,
    make_team,
    make_work,
)

URL = "/accounts/export/"


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return proved(client)


def archive_of(client):
    response = client.post(URL)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"].startswith('attachment; filename="easyautoml-2')
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.testzip() is None
    return archive


def facts_of(client):
    return json.loads(archive_of(client).read("data.json"))


def make_whole_machine(owner, **kwargs):
    """A machine with its file, one part of rows and a model."""
    folder = storage.new_folder()
    (folder / "source").write_bytes(b"a,b\n1,2\n")
    (folder / "rows.parquet").write_bytes(b"PAR1")
    source = storage.recorded(folder / "source")
    machine = make_ready_machine(owner=owner, source_path=source, source_name="my table.CSV", **kwargs)
    path = storage.recorded(folder / "rows.parquet")
    DataLinesOperation.objects.create(machine_id=machine.pk, path=path, rows=1, is_added_for_learning=True, user=owner)
    make_column(machine, name="Größe", unit="cm")
    return machine


def test_it_works(client, alice):
    machine = make_whole_machine(alice, machine_name="Diabetes risk", nn_model=b"the model")
    archive = archive_of(client)
    folder = f"machines/{machine.pk}-diabetes-risk"
    assert sorted(archive.namelist()) == sorted(
        [
            "data.json",
            *[f"{folder}/{name}" for name in ("columns.json", "model.onnx", "original.csv", "rows-1.parquet")],
        ]
    )
    assert archive.read(f"{folder}/original.csv") == b"a,b\n1,2\n"
    assert archive.read(f"{folder}/model.onnx") == b"the model"
    assert json.loads(archive.read(f"{folder}/columns.json"))[0]["name"] == "Größe"
    facts = json.loads(archive.read("data.json"))
    assert facts["profile"]["email"] == alice.email
    assert [(each["name"], each["missing"]) for each in facts["machines"]] == [("Diabetes risk", [])]
    assert AuditEntry.objects.get().action == "account.data_exported"


def test_everything_is_in_it_and_no_secret(client, alice, bob):
    team = make_team(bob, admin=alice, name="Ours")
    machine = make_machine(owner=alice)
    key = ApiKey(user=alice, name="My script", scopes=["read"])
    secret = key.make_secret()
    key.save()
    invite = Invite.objects.create(team=team, invited_by=alice, email="new@example.org")
    link = PublicLink.objects.create(machine=machine, created_by=alice, name="For the ward")
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
        "sessions": 0,
        "log": 2,
        "consulting_requests": 1,
        "operations": 0,
        "credits": 1,
        "debits": 1,
        "token_credits": 0,
        "token_debits": 0,
        "works": 1,
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
    hidden += [link.token_seed, link.token_hash, link.link, alice.password, client.session.session_key]
    assert not [value for value in hidden if value in text]


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


def test_a_missing_file_is_noted(client, alice):
    machine = make_whole_machine(alice)
    storage.absolute(machine.source_path).unlink()
    facts = facts_of(client)
    assert facts["machines"][0]["missing"] == ["original.csv"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c:d\r\ne", "…", "x" * 500, "=cmd()"])
def test_names_in_the_archive_are_safe(client, alice, name):
    make_whole_machine(alice, machine_name=name)
    for member in archive_of(client).namelist():
        assert ".." not in member
        assert member.isascii() and member.replace("/", "").replace("-", "").replace(".", "").isalnum()
        assert len(member) < 120


def test_a_large_file_needs_little_memory(tmp_path):
    place = tmp_path / "large"
    block = bytes(range(256)) * 4096
    with place.open("wb") as file:
        for _ in range(50):
            file.write(block)
    tracemalloc.start()
    total, largest = 0, 0
    for chunk in zipped([("large", chunks_of(place))]):
        total, largest = total + len(chunk), max(largest, len(chunk))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > 100_000
    assert largest <= 4 * CHUNK
    assert peak < 5_000_000


def test_nothing_is_read_before_its_turn(alice):
    first, second = make_whole_machine(alice), make_whole_machine(alice)
    entries = entries_of(alice)
    names = [next(entries)[0] for _ in range(2)]
    assert all(f"/{first.pk}-" in name for name in names)
    storage.absolute(second.source_path).unlink()
    assert not any(name.startswith(f"machines/{second.pk}-") and "original" in name for name, _content in entries)


def test_after_the_password_one_is_back_at_the_button(client, alice):
    """A file that came in answer to the password would leave the question standing, as if nothing had happened."""
    client.logout()
    client.force_login(alice)
    step = client.post(URL)
    back = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/accounts/data/?ready="})
    assert step["Location"].endswith("?next=%2Faccounts%2Fdata%2F%3Fready%3D")
    assert back["Location"] == "/accounts/data/?ready="
    assert "Press the button once more" in client.get(back["Location"]).content.decode()
    assert "Press the button once more" not in client.get("/accounts/data/").content.decode()
    assert archive_of(client)


def test_sums_are_written_as_people_write_them(client):
    assert facts_of(client)["money"]["user_balance"] == "0.00000000"
    assert b"0E-8" not in archive_of(client).read("data.json")


def test_five_an_hour(client):
    assert [client.post(URL).status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_link_starts_nothing(client):
    assert client.get(URL).status_code == 405
    assert not AuditEntry.objects.exists()


def test_the_page_says_what_is_in_it(client, alice):
    assert "0 machines" not in client.get("/accounts/data/").content.decode()
    make_machine(owner=alice)
    page = client.get("/accounts/data/").content.decode()
    assert "Download everything" in page and "your machine with its table" in page


@pytest.mark.parametrize("path", ["/accounts/data/", URL])
def test_a_visitor_must_sign_in(visitor, path):
    assert visitor.post(path)["Location"] == f"/accounts/login/?next={path}"
