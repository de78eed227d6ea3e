"""Teams: the list, their people, roles, names. Passing on, leaving and deleting are in test_teams_end.py."""

from pathlib import Path

import pytest

from models import AuditEntry, Team
from models.access import LEAST_ROLE, Action, Role
from models.audit import AuditAction
from tests.conftest import signed_in
from tests.factories import make_machine, make_team, make_user


@pytest.fixture
def people(team, bob):
    """One person of each role in Alice's team, and a stranger."""
    found = {"owner": team.admin_user, "stranger": make_user()}
    for role in Role.stored():
        found[role.value] = make_user(email=f"{role.value}@example.org", first_name=role.value.title())
        team.add_user_to_team(found[role.value], role)
    return found


def last(action):
    return AuditEntry.objects.filter(action=action).first()


def page_of(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_it_works(alice_client, bob, team):
    make_machine(owner=bob, team=team)
    page = page_of(alice_client, "/teams/")
    assert "Alice and Bob" in page and "Owner" in page and "Make a team" in page
    page = page_of(alice_client, f"/teams/{team.pk}/")
    assert "Alice Archer" in page and "bob@example.org" in page and "What each role may do" in page
    assert page.index("Alice Archer") < page.index("bob@example.org"), "the owner comes first"
    answer = alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "editor"}, follow=True)
    assert "Bob is Editor now." in answer.content.decode()
    assert team.role_of(bob) is Role.EDITOR


def test_someone_without_a_team_learns_what_one_is(charlie_client):
    page = page_of(charlie_client, "/teams/")
    assert "You are in no team yet" in page and page.count("btn-primary") == 1


def test_anybody_can_make_a_team(charlie_client, charlie):
    answer = charlie_client.post("/teams/new/", {"name": "  Clinic "}, follow=True)
    made = Team.objects.of(charlie).get()
    assert (made.name, made.admin_user, made.role_of(charlie)) == ("Clinic", charlie, Role.OWNER)
    assert answer.redirect_chain == [(f"/teams/{made.pk}/", 302)]
    entry = last(AuditAction.TEAM_MADE)
    assert (entry.actor, entry.team, entry.object_name, entry.ip) == (charlie, made, "Clinic", "127.0.0.1")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b"])
def test_a_team_needs_a_name(charlie_client, charlie, name):
    answer = charlie_client.post("/teams/new/", {"name": name})
    assert answer.status_code == 200 and "Please correct this" in answer.content.decode()
    assert not Team.objects.of(charlie).exists()


def test_a_form_cannot_name_another_owner(charlie_client, charlie, alice):
    charlie_client.post("/teams/new/", {"name": "Mine", "admin_user": alice.pk, "role": "owner"})
    assert Team.objects.of(charlie).get().admin_user == charlie


def test_words_are_shown_as_words(alice_client, team):
    Team.objects.update(name="<script>alert(1)</script>")
    for path in ("/", "/teams/", f"/teams/{team.pk}/", f"/teams/{team.pk}/settings/", f"/teams/{team.pk}/log/"):
        assert "<script>alert" not in page_of(alice_client, path)


# Who may open and do what

PAGES = {
    "/teams/{team}/": Action.SEE,
    "/teams/{team}/members/{bob}/": Action.SEE,
    "/teams/{team}/why/": Action.SEE,
    "/teams/{team}/settings/": Action.SEE,
    "/teams/{team}/leave/": Action.SEE,
    "/teams/{team}/members/{bob}/remove/": Action.MANAGE,
    "/teams/{team}/log/": Action.AUDIT,
    "/teams/{team}/log.csv": Action.AUDIT,
    "/teams/{team}/transfer/": Action.TRANSFER,
    "/teams/{team}/delete/": Action.TRANSFER,
}
CHANGES = {
    "/teams/{team}/settings/": Action.MANAGE,
    "/teams/{team}/members/{bob}/": Action.MANAGE,
    "/teams/{team}/members/{bob}/remove/": Action.MANAGE,
}


def expected(who, action):
    if who == "stranger":
        return 404
    return 200 if Role(who).may(action) else 403


@pytest.mark.parametrize("who", ["owner", "admin", "editor", "predictor", "viewer", "stranger"])
def test_who_may_open_which_page(people, team, bob, who):
    client = signed_in(people[who])
    for path, action in PAGES.items():
        response = client.get(path.format(team=team.pk, bob=bob.pk))
        assert response.status_code == expected(who, action), (who, path)
        if response.status_code == 403:
            assert f"takes {LEAST_ROLE[action].label}" in response.content.decode() or "for the owner only" in (
                response.content.decode()
            )


@pytest.mark.parametrize("who", ["editor", "predictor", "viewer", "stranger"])
def test_who_may_not_change_a_team_changes_nothing(people, team, bob, who):
    client = signed_in(people[who])
    for path, action in CHANGES.items():
        data = {"name": "Taken", "role": "admin"}
        response = client.post(path.format(team=team.pk, bob=bob.pk), data)
        assert response.status_code == expected(who, action), (who, path)
    team.refresh_from_db()
    assert (team.name, team.role_of(bob)) == ("Alice and Bob", Role.PREDICTOR)


@pytest.mark.parametrize("path", [*PAGES, "/teams/", "/teams/new/"])
def test_the_person_must_be_signed_in(client, team, bob, path):
    path = path.format(team=team.pk, bob=bob.pk)
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


def test_a_strange_team_looks_like_none(charlie_client, team):
    strange, absent = (charlie_client.get(f"/teams/{pk}/") for pk in (team.pk, team.pk + 1000))
    assert strange.status_code == absent.status_code == 404
    assert strange.content == absent.content


def test_who_administers_the_site_may_do_everything(dana_client, team, bob):
    assert "You administer this site" in page_of(dana_client, f"/teams/{team.pk}/")
    dana_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "viewer"})
    assert team.role_of(bob) is Role.VIEWER
    assert dana_client.get(f"/teams/{team.pk}/leave/").status_code == 404, "Dana is not in it"


@pytest.mark.parametrize("who", ["owner", "admin", "viewer"])
def test_tabs_lead_only_where_one_may_go(people, team, who):
    page = page_of(signed_in(people[who]), f"/teams/{team.pk}/")
    for part, action in {"invites": Action.INVITE, "keys": Action.KEYS, "log": Action.AUDIT}.items():
        assert (f'href="/teams/{team.pk}/{part}/"' in page) is Role(who).may(action)


def test_the_matrix_says_what_the_table_says(alice_client, team, tags):
    page = page_of(alice_client, f"/teams/{team.pk}/")
    table = page[page.index('class="table matrix"') : page.index("</details>")]
    may = [action.label for action in Action for role in Role if role.may(action)]
    assert table.count(">Yes<") == len(may)
    assert table.count(">No<") == len(Action) * len(Role) - len(may)


def test_the_guide_says_so_too():
    lines = (Path(__file__).parents[2] / "docs" / "guide-teams.md").read_text().splitlines()
    for action in Action:
        signs = " | ".join("✓" if role.may(action) else "–" for role in Role)
        assert f"| {action.label} | {signs} |" in lines


def test_a_team_without_an_owner_can_be_opened(dana_client, team):
    Team.objects.update(admin_user=None)
    assert "bob@example.org" in page_of(dana_client, f"/teams/{team.pk}/")


# Roles


def test_a_change_of_role_is_noted_and_counts_at_once(alice_client, alice, bob, bob_client, team):
    assert bob_client.get(f"/teams/{team.pk}/log/").status_code == 403
    alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "admin"})
    assert bob_client.get(f"/teams/{team.pk}/log/").status_code == 200
    entry = last(AuditAction.ROLE_CHANGED)
    assert (entry.actor, entry.object_name) == (alice, "bob@example.org")
    assert entry.details == {"before": "predictor", "role": "admin"}


def test_the_same_role_again_is_no_change(alice_client, bob, team):
    alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "predictor"})
    assert last(AuditAction.ROLE_CHANGED) is None


@pytest.mark.parametrize("role", ["owner", "king", "", "a\0b"])
def test_roles_that_nobody_can_give(alice_client, bob, team, role):
    answer = alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": role})
    assert answer.status_code == 200 and "Please correct this" in answer.content.decode()
    assert team.role_of(bob) is Role.PREDICTOR


def test_nobody_demotes_the_owner(people, team, alice):
    answer = signed_in(people["admin"]).post(f"/teams/{team.pk}/members/{alice.pk}/", {"role": "viewer"})
    assert answer.status_code == 403
    assert "Alice Archer owns" in answer.content.decode()
    assert team.role_of(alice) is Role.OWNER


def test_an_admin_may_demote_another(people, team, bob):
    team.memberships.filter(user=bob).update(role=Role.ADMIN)
    signed_in(people["admin"]).post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "viewer"})
    assert team.role_of(bob) is Role.VIEWER


def test_who_is_not_in_the_team_has_no_page_there(alice_client, charlie, team):
    assert alice_client.get(f"/teams/{team.pk}/members/{charlie.pk}/").status_code == 404
    assert alice_client.post(f"/teams/{team.pk}/members/{charlie.pk}/", {"role": "admin"}).status_code == 404
    assert team.role_of(charlie) is None


# Search


@pytest.mark.parametrize(
    ("text", "found"),
    [("BOB", True), ("example.org bob", True), ("archer", False), ("bob archer", False), ("\0", True)],
)
def test_members_can_be_searched(alice_client, team, text, found):
    page = alice_client.get(f"/teams/{team.pk}/", {"q": text}).content.decode()
    assert ("bob@example.org" in page) is found


def test_long_lists_have_pages_that_keep_the_search(alice_client, team):
    for number in range(51):
        team.add_user_to_team(make_user(email=f"nurse{number:02}@example.org"))
    page = page_of(alice_client, f"/teams/{team.pk}/?q=nurse")
    assert "51 members" in page and 'href="?q=nurse&amp;page=2"' in page
    assert "nurse50@" not in page and "nurse50@" in page_of(alice_client, f"/teams/{team.pk}/?q=nurse&page=2")


# Why not?


def ask(client, team, **query):
    return client.get(f"/teams/{team.pk}/why/", query)


def test_why_not_is_answered_with_a_way_out(alice_client, team, bob):
    page = ask(alice_client, team, person=bob.pk, action="edit").content.decode()
    assert "takes Editor" in page and "Make Bob Editor" in page
    alice_client.post(f"/teams/{team.pk}/members/{bob.pk}/", {"role": "editor"})
    page = ask(alice_client, team, person=bob.pk, action="edit").content.decode()
    assert "so this is allowed" in page and "Make Bob" not in page


def test_a_member_may_ask_but_gets_no_button(bob_client, alice, bob, team):
    page = ask(bob_client, team, action="edit").content.decode()
    assert "Bob is Predictor" in page and "Make Bob" not in page
    assert "so this is allowed" in ask(bob_client, team, person=alice.pk, action="transfer").content.decode()


def test_no_role_that_can_be_given_makes_an_owner(alice_client, bob, team):
    page = ask(alice_client, team, person=bob.pk, action="transfer").content.decode()
    assert "for the owner only" in page and "Make Bob" not in page


def test_htmx_gets_the_answer_alone(alice_client, bob, team):
    url = f"/teams/{team.pk}/why/"
    answer = alice_client.get(url, {"person": bob.pk, "action": "edit"}, headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<div id="why"')


@pytest.mark.parametrize("person", ["charlie", "99999999", "9" * 30, "9" * 5000, "bob", "-1", "²"])
def test_nobody_asks_about_strangers(alice_client, team, charlie, person):
    answer = ask(alice_client, team, person=charlie.pk if person == "charlie" else person, action="edit")
    assert answer.status_code == 404


def test_nonsense_is_no_action(alice_client, bob, team):
    answer = ask(alice_client, team, person=bob.pk, action="fly")
    assert answer.status_code == 200 and "Please correct this" in answer.content.decode()


# Name


def test_a_team_can_be_renamed(alice_client, team):
    answer = alice_client.post(f"/teams/{team.pk}/settings/", {"name": "Clinic"}, follow=True)
    assert "The team is called “Clinic” now." in answer.content.decode()
    assert last(AuditAction.TEAM_RENAMED).details == {"name_before": "Alice and Bob", "name_now": "Clinic"}


def test_a_refused_name_leaves_the_old_one_in_the_heading(alice_client, team):
    page = alice_client.post(f"/teams/{team.pk}/settings/", {"name": "x" * 201}).content.decode()
    assert '<p class="lede">Alice and Bob</p>' in page and "x" * 201 in page


def test_two_teams_of_one_name_are_two(alice, alice_client, team):
    other = make_team(admin=alice, name=team.name)
    page = page_of(alice_client, "/teams/")
    assert f"/teams/{team.pk}/" in page and f"/teams/{other.pk}/" in page
