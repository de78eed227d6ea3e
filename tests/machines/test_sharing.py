"""Who can use a machine: teams it moves into and out of, and the public links that its people make."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from machines.forms.sharing import LinkForm
from machines.jobs.runner import work_run
from machines.services.access import OF_MACHINES, actions_of, actions_on
from machines.services.sharing import link_publish, machine_move
from machines.services.training import NOT_ALLOWED, training_start
from models import AuditEntry, Machine, PublicLink, Work
from models.access import Role
from models.audit import AuditAction
from models.shared_link import is_origin
from models.work import WorkState
from tests.conftest import signed_in
from tests.factories import make_machine, make_team, make_user
from tests.machines.houses import IMPORTANCE, csv_bytes, file_of
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db

NEW = {"name": "Ask us", "length": "whole", "days": "30", "max_uses": "", "allowed_sites": "", "ends_on": ""}


def publish(machine, user, **kwargs):
    given = {"name": "Ask us", "questions": [], "allowed_sites": [], "max_uses": None, "expires_at": None}
    return link_publish(machine=machine, user=user, **given | kwargs)


def become(team, user, role):
    team.memberships.filter(user=user).update(role=role)


def noted():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name", "team_name", "object_name"))


# The page


def test_it_works(machine, alice_client):
    assert alice_client.post(url("sharing", machine.pk), NEW)["Location"] == url("sharing", machine.pk)
    link = PublicLink.objects.get()
    shown = page(alice_client.get(url("sharing", machine.pk)))
    assert "Ask us" in shown.text and "The whole form, made by Alice Archer" in shown.text
    assert shown.one("a", href=link.link)
    assert [b["data-copy"] for b in shown.all("button") if b.get("data-copy")] == [link.link]
    assert (link.questions, link.allowed_sites, link.max_uses, link.created_by.email) == (
        [], [], None, "alice@example.org",
    )  # fmt: skip
    assert timedelta(days=29, hours=23) < link.expires_at - timezone.now() <= timedelta(days=30)
    assert noted() == [(AuditAction.LINK_PUBLISHED, "alice@example.org", "", "Ask us")]
    assert link.link.split("/")[-2] not in str(list(AuditEntry.objects.values()))


def test_a_machine_that_is_not_trained_says_so(alice, alice_client):
    untrained = make_machine(owner=alice)
    shown = page(alice_client.get(url("sharing", untrained.pk)))
    assert "Only a trained machine has a form" in shown.text and not shown.all("input", name="max_uses")
    assert alice_client.post(url("sharing", untrained.pk), NEW).status_code == 200
    assert not PublicLink.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PREDICTOR, Role.EDITOR])
def test_publishing_takes_an_admin(shared, team, bob, bob_client, role):
    become(team, bob, role)
    for response in (bob_client.get(url("sharing", shared.pk)), bob_client.post(url("sharing", shared.pk), NEW)):
        assert response.status_code == 403 and "takes Admin" in response.content.decode()
    assert not PublicLink.objects.exists()


def test_an_admin_of_the_team_may_publish(shared, team, bob, bob_client):
    become(team, bob, Role.ADMIN)
    assert bob_client.post(url("sharing", shared.pk), NEW).status_code == 302
    assert PublicLink.objects.get().created_by == bob


def test_as_many_queries_for_many_links_as_for_one(machine, alice, alice_client, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    publish(machine, alice)
    with CaptureQueriesContext(connection) as few:
        alice_client.get(url("sharing", machine.pk))
    for number in range(19):
        publish(machine, make_user(is_super_admin=True), name=f"Nr {number}", allowed_sites=["https://a.org"])
    with django_assert_num_queries(len(few)):
        assert alice_client.get(url("sharing", machine.pk)).content.decode().count("Nr ") >= 19


# A new link


def test_a_short_form_ticks_the_most_telling_questions(machine, alice_client):
    shown = page(alice_client.get(url("sharing", machine.pk)))
    boxes = shown.all("input", name="questions")
    assert [box["value"] for box in boxes] == list(IMPORTANCE)
    assert [box["value"] for box in boxes if "checked" in box] == ["size", "note", "kind"]
    assert "carry 80\N{NO-BREAK SPACE}% of what the questions tell" in shown.text


def test_a_short_form_keeps_what_was_ticked(machine, alice_client):
    alice_client.post(url("sharing", machine.pk), NEW | {"length": "short", "questions": ["city", "size"]})
    assert set(PublicLink.objects.get().questions) == {"city", "size"}


def test_ticks_of_a_whole_form_do_not_matter(machine, alice_client):
    alice_client.post(url("sharing", machine.pk), NEW | {"questions": ["city"]})
    assert PublicLink.objects.get().questions == []


WRONG = {
    "nothing ticked": ({"length": "short"}, "Tick at least one question"),
    "a column that is no input": ({"length": "short", "questions": ["price"]}, "price"),
    "no answers": ({"max_uses": "0"}, "Write a whole number from 1 on, or leave it empty."),
    "too many answers": ({"max_uses": "1000001"}, "1000000"),
    "no date": ({"days": "date"}, "Choose the last day"),
    "yesterday": ({"days": "date", "ends_on": "2020-01-01"}, "Choose a day between"),
    "in a hundred years": ({"days": "date", "ends_on": "2126-01-01"}, "Choose a day between"),
    "no such day": ({"days": "date", "ends_on": "2026-02-31"}, "not a date"),
    "other days": ({"days": "365"}, "365"),
    "a path": ({"allowed_sites": "https://a.org/page"}, "“https://a.org/page” is no address of a site"),
    "an injection": ({"allowed_sites": "https://a.org; script-src *"}, "is no address"),
    "a long title": ({"name": "x" * 201}, "200"),
    "no length": ({"length": ""}, "required"),
    "too many sites": ({"allowed_sites": "\n".join(f"https://a{n}.org" for n in range(21))}, "At most 20"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_kept(machine, alice_client, case):
    changes, said = WRONG[case]
    response = alice_client.post(url("sharing", machine.pk), NEW | {"name": "My words"} | changes)
    shown = page(response)
    assert response.status_code == 200 and "Please correct this" in shown.text
    assert said in shown.text.replace("\u202f", "").replace(",", "") or said in shown.text
    if "name" not in changes:
        assert shown.one("input", name="name")["value"] == "My words"
    assert not PublicLink.objects.exists()


def test_the_last_day_is_answered_to_its_end(machine, alice, alice_client):
    day = datetime.now(UTC).date() + timedelta(days=10)
    alice_client.post(url("sharing", machine.pk), NEW | {"days": "date", "ends_on": day.isoformat()})
    assert PublicLink.objects.get().expires_at == datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    assert f"{day:%d/%m/%Y} 23:59" in page(alice_client.get(url("sharing", machine.pk))).text


def test_it_can_be_without_an_end(machine, alice_client):
    alice_client.post(url("sharing", machine.pk), NEW | {"days": ""})
    assert PublicLink.objects.get().expires_at is None


SITES = [
    "https://clinic.example.org", "https://clinic.example.org:8443", "https://10.0.0.1", "http://localhost",
    "http://localhost:8000", "https://xn--mller-kva.example", "https://a",
]  # fmt: skip
NO_SITES = [
    "http://clinic.example.org", "clinic.example.org", "https://", "https://*", "https://*.example.org", "*",
    "https://a.org/", "https://a.org/x", "https://a.org?x", "https://a.org#x", "https://u@a.org", "https://a.org:0",
    "https://a.org:65536", "https://a.org:x", "https://a.org:", "https://-a.org", "https://a-.org", "https://a..org",
    "https://.a.org", "https://a.org.", "https://a_b.org", "https://a.org;x", "https://a.org 'self'", "'self'", "data:",
    "https://a.org\n", "\nhttps://a.org", "https://a.org\r\nX-Evil: 1", "https://A.org", "https://müller.example",
    "https://[::1]", "javascript:alert(1)", "http://localhost.evil.org", "http://localhost@evil.org", "https:a.org", "",
    "https://" + "a" * 64 + ".org", "https://" + "a." * 200 + "org", "https://a.org\x00", "https://a.org,b.org",
]  # fmt: skip


@pytest.mark.parametrize("site", SITES)
def test_sites_that_may_be_named(site):
    assert is_origin(site)


@pytest.mark.parametrize("site", NO_SITES)
def test_what_could_do_harm_in_a_header_is_no_site(site):
    assert not is_origin(site)


def test_sites_are_read_kindly(machine, alice_client):
    sites = " HTTPS://Clinic.Example.org/ \r\n\r\nhttp://localhost:8000\nhttps://clinic.example.org"
    alice_client.post(url("sharing", machine.pk), NEW | {"allowed_sites": sites})
    assert PublicLink.objects.get().allowed_sites == ["https://clinic.example.org", "http://localhost:8000"]
    shown = page(alice_client.get(url("sharing", machine.pk)))
    (frame,) = [b["data-copy"] for b in shown.all("button") if "iframe" in (b.get("data-copy") or "")]
    assert frame.startswith(f'<iframe src="{PublicLink.objects.get().link}" title="Ask us" width=')
    assert 'loading="lazy"' in frame


def test_a_title_cannot_break_out_of_the_frame(machine, alice, alice_client):
    publish(machine, alice, name='"><script>alert(1)</script>', allowed_sites=["https://a.org"])
    html = alice_client.get(url("sharing", machine.pk)).content.decode()
    assert "<script>alert" not in html
    (frame,) = [b["data-copy"] for b in page(alice_client.get(url("sharing", machine.pk))).all("button")
                if "iframe" in (b.get("data-copy") or "")]  # fmt: skip
    assert "<script>" not in frame


def test_where_nothing_is_known_of_importance_the_first_five_are_ticked():
    inputs = [{"name": f"q{number}", "importance": None} for number in range(9)]
    form = LinkForm({"inputs": inputs})
    assert form.fields["questions"].initial == ["q0", "q1", "q2", "q3", "q4"]


# Its end


def test_revoked_at_once(machine, alice, alice_client):
    link = publish(machine, alice)
    assert alice_client.post(url("link-revoke", machine.pk, link.pk))["Location"] == url("sharing", machine.pk)
    link.refresh_from_db()
    assert link.revoked_at and alice_client.get(f"/p/{link.link.split('/')[-2]}/").status_code == 404
    shown = page(alice_client.get(url("sharing", machine.pk)))
    assert "Revoked" in shown.text and not shown.all("a", href=link.link)
    alice_client.post(url("link-revoke", machine.pk, link.pk))
    assert [action for action, *_ in noted()].count(AuditAction.LINK_REVOKED) == 1, "once"


def test_a_link_of_another_machine_is_not_there(machine, alice, alice_client):
    other = make_machine()
    link = PublicLink.objects.create(machine=other)
    assert alice_client.post(url("link-revoke", machine.pk, link.pk)).status_code == 404
    link.refresh_from_db()
    assert link.revoked_at is None


def test_states_are_words(machine, alice, alice_client):
    publish(machine, alice, max_uses=100)
    PublicLink.objects.update(uses=12)
    publish(machine, alice, expires_at=timezone.now() - timedelta(days=1))
    publish(machine, alice, max_uses=1)
    PublicLink.objects.filter(max_uses=1).update(uses=1)
    text = page(alice_client.get(url("sharing", machine.pk))).text
    assert "12 of 100" in text
    assert [word in text for word in ("Open", "Expired", "Used up")] == [True] * 3


# Teams


def move(client, machine, team=None):
    return client.post(url("sharing-team", machine.pk), {"team": team.pk if team else ""}, follow=True)


def test_the_owner_shares_and_takes_back(machine, team, alice_client, bob):
    assert "is shared with “Alice and Bob”" in page(move(alice_client, machine, team)).text
    assert Machine.objects.visible_to(bob).get() == machine
    move(alice_client, machine)
    machine.refresh_from_db()
    assert machine.machine_owner_team is None and not Machine.objects.visible_to(bob).exists()
    assert [(action, where) for action, _who, where, _what in noted()] == [
        (AuditAction.MACHINE_SHARED, team.name),
        (AuditAction.MACHINE_TAKEN_OUT, team.name),
    ]


def test_from_one_team_to_another(shared, team, alice, alice_client):
    second = make_team(admin=alice, name="Second")
    move(alice_client, shared, second)
    assert [(action, where) for action, _who, where, _what in noted()] == [
        (AuditAction.MACHINE_TAKEN_OUT, team.name),
        (AuditAction.MACHINE_SHARED, "Second"),
    ]


def test_nothing_happens_when_nothing_changes(shared, team, alice_client):
    move(alice_client, shared, team)
    assert noted() == []


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.PREDICTOR])
def test_only_into_a_team_where_one_may_make_machines(machine, charlie, alice, alice_client, role):
    foreign = make_team(alice, admin=charlie, name="Charlie's") if role else make_team(admin=charlie, name="Charlie's")
    become(foreign, alice, role) if role else None
    response = move(alice_client, machine, foreign)
    machine.refresh_from_db()
    assert machine.machine_owner_team is None and noted() == []
    assert "Please correct this" in page(response).text or "Only you" in page(response).text
    assert foreign not in response.context["share_form"].fields["team"].queryset


def test_an_admin_takes_it_out_and_it_is_its_owners_again(shared, team, alice, bob, bob_client):
    become(team, bob, Role.ADMIN)
    response = move(bob_client, shared)
    shared.refresh_from_db()
    assert (shared.machine_owner_team, shared.machine_owner_user) == (None, alice)
    assert response.redirect_chain == [(url("list"), 302)] and "back with its owner alone" in page(response).text
    assert bob_client.get(url("detail", shared.pk)).status_code == 404


def test_an_admin_cannot_move_it_elsewhere(shared, team, bob, bob_client):
    become(team, bob, Role.ADMIN)
    own = make_team(admin=bob, name="Bob's own")
    assert "Please correct this" in page(move(bob_client, shared, own)).text
    shared.refresh_from_db()
    assert shared.machine_owner_team == team


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PREDICTOR, Role.EDITOR])
def test_less_than_an_admin_cannot_take_it_out(shared, team, bob, bob_client, role):
    become(team, bob, role)
    assert bob_client.post(url("sharing-team", shared.pk), {"team": ""}).status_code == 403
    shared.refresh_from_db()
    assert shared.machine_owner_team == team


def test_when_it_moves_the_links_of_those_left_behind_are_revoked(shared, team, alice, bob):
    become(team, bob, Role.ADMIN)
    theirs, own = publish(shared, bob, name="Bob's"), publish(shared, alice, name="Alice's")
    machine_move(machine=shared, team=None, user=alice)
    assert set(PublicLink.objects.filter(revoked_at=None)) == {own}
    assert (AuditAction.LINK_REVOKED, "alice@example.org", team.name, "Bob's") in noted()
    machine_move(machine=shared, team=team, user=alice)
    theirs.refresh_from_db()
    assert theirs.revoked_at, "coming back does not open it again"


def test_somebody_was_faster(shared, team, alice):
    stale = Machine.objects.get()
    machine_move(machine=shared, team=None, user=alice)
    assert machine_move(machine=stale, team=make_team(admin=alice), user=alice) is False


# Upload into a team


def upload(client, **fields):
    return client.post(url("new"), {"file": file_of(csv_bytes()), "name": "New", **fields})


def test_an_upload_can_be_shared_at_once(team, alice_client):
    assert page(alice_client.get(url("new"))).one("select", name="team")
    assert upload(alice_client, team=team.pk).status_code == 302
    assert Machine.objects.get().machine_owner_team == team
    assert [action for action, *_ in noted()] == [AuditAction.MACHINE_SHARED]


def test_the_workspace_is_preset(team, alice_client):
    html = alice_client.get(url("new")).content.decode()
    assert f'<option value="{team.pk}" selected>' not in html
    session = alice_client.session
    session["workspace"] = str(team.pk)
    session.save()
    assert f'<option value="{team.pk}" selected>' in alice_client.get(url("new")).content.decode()


def test_nobody_is_a_choice(team, alice_client):
    upload(alice_client, team="")
    assert Machine.objects.get().machine_owner_team is None and noted() == []


def test_without_a_team_nothing_is_asked(alice_client):
    assert not page(alice_client.get(url("new"))).all("select", name="team")
    assert upload(alice_client, team="1").status_code == 302
    assert Machine.objects.get().machine_owner_team is None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PREDICTOR])
def test_no_upload_into_a_team_where_one_may_not(team, bob, bob_client, role):
    make_team(admin=bob)  # so that there is something to choose
    become(team, bob, role)
    assert "Please correct this" in page(upload(bob_client, team=team.pk)).text
    assert not Machine.objects.exists()


# What the pages offer


@pytest.mark.parametrize("role", [*Role.stored(), "owner", "team owner", "stranger", "administrator", "locked"])
def test_what_pages_offer_is_what_queries_allow(
    shared, team, alice, bob, charlie, dana, role, django_assert_num_queries
):
    tina = make_user()
    team.admin_user = tina
    team.save()
    who = {"owner": alice, "team owner": tina, "stranger": charlie, "administrator": dana, "locked": alice}.get(
        role, bob
    )
    if role in Role.stored():
        become(team, bob, role)
    if role == "locked":
        alice.is_active = False
    alone = make_machine(owner=alice)
    machines = list(Machine.objects.order_by("pk"))
    assert machines == [shared, alone]
    with django_assert_num_queries(0 if role in {"owner", "administrator", "locked"} else 1):
        offered = actions_of(user=who, machine=shared)
    assert offered == {a for a in OF_MACHINES if Machine.objects.allowing(who, a).filter(pk=shared.pk).exists()}
    assert dict(actions_on(user=who, machines=machines))[shared] == offered


@pytest.mark.parametrize("role", Role.stored())
@pytest.mark.parametrize("status", ["ready", "new", "typed", "failed", "training"])
def test_no_button_leads_to_a_refusal(shared, team, bob, bob_client, role, status):
    become(team, bob, role)
    Machine.objects.update(machine_status=status)
    addresses = ["/", url("list"), url("detail", shared.pk), url("training", shared.pk)]
    seen = set()
    for address in addresses:
        shown = page(bob_client.get(address, follow=True))
        seen |= {a["href"] for a in shown.all("a") if f"/machines/{shared.pk}/" in (a.get("href") or "")}
    assert seen
    for address in seen:
        assert bob_client.get(address).status_code in {200, 302}, address


def test_a_viewer_has_nothing_to_ask_with(shared, team, bob, bob_client):
    become(team, bob, Role.VIEWER)
    for address in (url("detail", shared.pk), url("list"), "/"):
        assert url("predict", shared.pk) not in bob_client.get(address).content.decode()
    become(team, bob, Role.PREDICTOR)
    for address in (url("detail", shared.pk), url("list"), "/"):
        assert url("predict", shared.pk) in bob_client.get(address).content.decode()


# What is noted


def test_downloads_and_deletions_are_noted(shared, team, alice_client):
    alice_client.get(url("download", shared.pk))
    alice_client.post(url("delete", shared.pk))
    assert noted() == [
        (AuditAction.MACHINE_DOWNLOADED, "alice@example.org", team.name, "Houses"),
        (AuditAction.MACHINE_DELETED, "alice@example.org", team.name, "Houses"),
    ]


# A training whose asker lost the right


def lose_role(user, team):
    become(team, user, Role.PREDICTOR)


def leave(user, team):
    team.remove_user_from_team(user)


def vanish(user, team):
    user.delete()


@pytest.mark.parametrize("how", [lose_role, leave, vanish])
def test_a_training_of_somebody_who_may_no_longer_is_not_done(shared, team, bob, how):
    become(team, bob, Role.EDITOR)
    work = training_start(machine=shared, user=bob, level=1)
    how(bob, team)
    work_run(work_id=work.pk)
    work = Work.objects.get()
    assert work.state is WorkState.ERROR and work.message == NOT_ALLOWED
    assert Machine.objects.get().machine_status == "ready", "as it was"


def test_removed_people_are_strangers_to_all_of_it(shared, team, bob):
    become(team, bob, Role.ADMIN)
    team.remove_user_from_team(bob)
    client = signed_in(bob)
    assert client.get(url("sharing", shared.pk)).status_code == 404
    assert client.post(url("sharing-team", shared.pk), {"team": ""}).status_code == 404
