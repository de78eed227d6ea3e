"""Whatever is typed, anywhere: it is shown as text, and it breaks nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from models import ApiKey, Column, Invite, Machine, PublicLink, Team, User, Work
from models.audit import AuditAction, AuditEntry, record
from tests.access.rows import API, ROWS
from tests.access.table import Row, arguments_of
from tests.access.world import World, call, nothing_remains
from tests.machines.views.pages import Page

pytestmark = pytest.mark.django_db

SCRIPTS = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>", "</title><script>alert(1)//",
    "javascript:alert(1)", "<iframe srcdoc='<script>alert(1)</script>'>", "{{ 7|add:7 }}{% debug %}", "</script><b id=broke>",
    "<a href=javascript:alert(1)>", "\" autofocus onfocus=alert(1) x=\"", "<!--", "<style>*{display:none}</style>",
]  # fmt: skip
EVERY_SCRIPT = "".join(SCRIPTS)
METACHARACTERS = [
    "'", "\"", "' OR '1'='1", "1; DROP TABLE models_user --", "%", "\\'", "1) UNION SELECT NULL--", "%00", "\x00", "9" * 40,
    "-1", "1e309", "NaN", "²", "٣", "[]", "\r\nX-Injected: 1", "\u202e😀", "a" * 20_000,
]  # fmt: skip
# Every name that an address of the site reads, or could.
QUERY = [
    "q", "page", "group", "who", "person", "action", "level", "text", "next", "made", "from", "machine", "landing",
    "workspace", "team", "id", "order", "format", "download", "state",
]  # fmt: skip
GETS = [name for name, row in (ROWS | API).items() if row.get]
POSTS = [name for name, row in (ROWS | API).items() if row.post and not row.is_heavy]
WITH_NUMBERS = [name for name, row in ROWS.items() if row.arguments and "token" not in row.arguments and row.namespace]


def ask(world: World, name: str, method: str, data: Any, role: str = "", **arguments: Any) -> Any:
    row: Row = (ROWS | API)[name]
    kwargs = arguments_of(row, world.a, role or row.role) | arguments
    address = reverse(name, kwargs=kwargs)
    with nothing_remains():
        if name in API:
            headers = {"Authorization": f"Bearer {world.a.secrets['team key']}"}
            return call(method, address, data, headers=headers, content_type="application/json")
        return call(method, address, data, session=world.session(role or row.role))


def harm(response: Any) -> Iterator[str]:
    """Yield what in a page would run, or was not meant to be there."""
    if not response.get("Content-Type", "").startswith("text/html"):
        return
    body = (b"".join(response.streaming_content) if response.streaming else response.content).decode()
    elements = Page(body).elements
    if "attachment" in response.get("Content-Disposition", ""):
        elements.remove(next(one for one in elements if one[0] == "style"))  # a file's own; it has no other
    for tag, attributes in elements:
        yield from (f"<{tag} {name}>" for name in attributes if name.startswith("on"))
        urls = [str(attributes.get(name) or "").strip().lower() for name in ("href", "src", "action", "formaction")]
        yield from (url for url in urls if url.startswith(("javascript:", "data:text")))
        is_data = attributes.get("type") == "application/json"
        if (tag == "script" and not attributes.get("src") and not is_data) or tag in {"iframe", "style"}:
            yield f"<{tag}>"
        if attributes.get("src") == "x" or attributes.get("id") == "broke" or "srcdoc" in attributes:
            yield f"<{tag}> of the text"


@pytest.fixture(scope="module")
def hostile(world: World) -> World:
    """The same world, in which every text that a person can type is a script."""
    text = EVERY_SCRIPT
    User.objects.update(first_name=text[:140], last_name=text[-140:], user_profile=text)
    Team.objects.update(name=text[:200])
    Machine.objects.update(machine_name=text, machine_description=text, source_name=text[:120])
    Column.objects.update(description=text, unit=text[:40])
    Invite.objects.update(note=text)
    PublicLink.objects.update(name=text[:200])
    ApiKey.objects.update(name=text[:200])
    Work.objects.update(message=text) if hasattr(Work, "message") else None
    for action in AuditAction:
        record(action, actor=world.a.people["owner"], team=world.a.team, name=text, role=text, why=text)
    return world


@pytest.mark.parametrize("name", GETS)
def test_what_others_typed_is_shown_as_text(hostile: World, name: str):
    for role in ("owner", "viewer", "super admin"):
        response = ask(hostile, name, "GET", {}, role)
        assert response.status_code < 500 and not list(harm(response)), role
    if ROWS.get(name) and "token" in ROWS[name].arguments:
        assert not list(harm(call("GET", reverse(name, kwargs=arguments_of(ROWS[name], hostile.a)))))


def test_the_hostile_texts_are_really_on_the_pages(hostile: World):
    for name in ("teams:detail", "teams:log", "teams:invites", "teams:keys", "machines:detail", "machines:list"):
        assert "&lt;script&gt;alert(1)" in ask(hostile, name, "GET", {}, "owner").content.decode(), name


@pytest.mark.parametrize("name", GETS)
def test_what_stands_in_the_address(world: World, name: str):
    """SQL, scripts and nonsense in every parameter: never a fault, never shown as anything but text."""
    for text in [*METACHARACTERS, EVERY_SCRIPT]:
        response = ask(world, name, "GET", dict.fromkeys(QUERY, text[:2000]))
        assert response.status_code < 500, text[:40]
        assert not list(harm(response)), text[:40]
        assert "X-Injected" not in response.headers


def odd_forms(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a working form with odd texts in it: in every field at once, and the worst in each field in turn."""
    names = [*data, "next", "action", "email", "name", "page"]
    yield from (dict.fromkeys(names, text) for text in [*METACHARACTERS, EVERY_SCRIPT])
    for name in names if len(names) < 16 else [*names[:4], *names[-5:]]:
        yield from (data | {name: text} for text in ("'", "9" * 40, "\x00", EVERY_SCRIPT))


@pytest.mark.parametrize("name", POSTS)
def test_what_is_sent_by_a_form(world: World, name: str):
    """Every field, with everything odd: a sentence, and never a fault."""
    for data in odd_forms((ROWS | API)[name].data(world.a)):
        response = ask(world, name, "POST", data)
        sent = str({field: str(value)[:40] for field, value in data.items()})
        assert response.status_code < 500, sent
        assert not list(harm(response)), sent
        assert "X-Injected" not in response.headers, sent


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_numbers_in_the_path(world: World, name: str):
    row = ROWS[name]
    for argument in row.arguments:
        for number in (0, 2**31, 2**63 - 1, 2**63, 10**40):
            method = "GET" if row.get else "POST"
            data = {} if row.get else row.data(world.a)
            assert ask(world, name, method, data, **{argument: number}).status_code == 404, f"{argument}={number}"


NEXT = ["https://evil.example.org/", "//evil.example.org/", "/\\evil.example.org", "http:evil.example.org", "javascript:alert(1)",
        "https:///evil.example.org", "\thttps://evil.example.org", "/%0d%0aX-Injected:1", "////evil.example.org"]  # fmt: skip


@pytest.mark.parametrize("goal", NEXT)
def test_next_leads_nowhere_else(world: World, goal: str):
    """In every address and form that could read it (3.7.2)."""
    for name, row in ROWS.items():
        for method in ("GET", "POST"):
            if row.need(method) and not row.is_heavy:
                data = {"next": goal} | (row.data(world.a) if method == "POST" else {})
                place = ask(world, name, method, data).get("Location", "")
                assert not place.strip().startswith(("//", "/\\", "http", "javascript")), f"{method} {name}"


def test_the_proof_can_fail():
    class Answer(dict):
        streaming, content = False, b'<p onclick="x"><a href=" javascript:x"></a><script>1</script><img src=x>'

    assert len(list(harm(Answer({"Content-Type": "text/html"})))) == 4


def test_the_log_cannot_be_changed(world: World):
    entry = AuditEntry.objects.first()
    assert entry is not None
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(ip=None),
    ):
        with pytest.raises(TypeError):
            change()
