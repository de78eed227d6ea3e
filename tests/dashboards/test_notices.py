"""When one's work ends one is told, wherever one is, once."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from models import Machine, Work
from tests.api.conftest import make_key
from tests.browsing import faults, keep, listen, sign_in, unexpected
from tests.conftest import signed_in
from tests.dashboards.works import failed, finished, running, waiting
from tests.machines.houses import houses
from tests.machines.test_public import path, publish
from tests.machines.views.pages import htmx, is_whole, page

pytestmark = pytest.mark.django_db
URL = "/work/notices/"
TRAINED = "“Wine” is trained."


def told() -> set[str]:
    return set(Work.objects.filter(told_at__isnull=False).values_list("machine_name", flat=True))


def test_it_works(alice, alice_client):
    work = finished(alice)
    shown = page(alice_client.get("/machines/"))
    assert TRAINED in shown.text and shown.all("a", href=f"/machines/{work.machine_id}/")
    assert shown.one("div", id="news")["role"] == "status"
    assert not told(), "looking changes nothing"
    assert alice_client.post(URL, {"work": work.pk}).status_code == 302
    assert told() == {"Wine"} and TRAINED not in alice_client.get("/machines/").content.decode()


@pytest.mark.parametrize(
    ("kind", "done", "broken"),
    [
        ("training", "“Wine” is trained.", "The training of “Wine” failed: “risk” is “2,5” in every row."),
        ("solving", "The answers of “Wine” are ready.", "“Wine” could not answer your rows: “risk” is “2,5”"),
        ("reading", "The file for “Wine” has been read.", "The file for “Wine” could not be read: “risk” is “2,5”"),
        (
            "profiling",
            "The data profile of “Wine” is ready.",
            "The rows of “Wine” could not be looked at: “risk” is “2,5”",
        ),
        ("export", "Your export is ready.", "Your export failed: “risk” is “2,5”"),
    ],
)
def test_the_words(alice, alice_client, kind, done, broken):
    flags = {f"is_work_{kind}": True, "is_work_training": kind == "training"}
    work = finished(alice, **flags)
    assert done in page(alice_client.get("/")).text
    Work.objects.all().delete()
    work = failed(alice, "Wine", **flags)
    assert broken in page(alice_client.get("/")).text and work.pk


def test_the_navigation_counts(alice, alice_client, bob):
    assert not page(alice_client.get("/")).all("span", **{"class": "tag"})
    running(alice), waiting(alice), waiting(bob), finished(alice)
    assert "Work 2 going on" in page(alice_client.get("/teams/")).text


def test_it_asks_again_only_while_something_is_active(alice, alice_client):
    work = running(alice, "Wine")
    poll = page(alice_client.get("/")).one("div", id="news-poll")
    assert (poll["hx-get"], poll["hx-trigger"]) == (URL, "every 5s")
    work.finish({})
    response = htmx(alice_client, URL)
    shown = page(response)
    assert not is_whole(response) and TRAINED in shown.text
    assert "hx-get" not in shown.one("div", id="news-poll")
    assert shown.all("div", **{"hx-swap-oob": "beforeend:#news"}) and shown.one("span", id="news-count")


def test_what_stands_on_the_page_is_not_sent_again(alice, alice_client):
    work = finished(alice)
    assert TRAINED in htmx(alice_client, URL).content.decode()
    assert TRAINED not in htmx(alice_client, f"{URL}?work={work.pk}").content.decode()


def test_the_page_that_shows_the_end_is_enough(alice, alice_client):
    """No double notice; it counts as told once the browser has shown it."""
    work = finished(alice)
    for address in (f"/machines/{work.machine_id}/training/", "/work/"):
        shown = page(alice_client.get(address))
        assert TRAINED not in shown.text
        (form,) = [form for form in shown.all("form") if form.get("hx-trigger") == "load"]
        assert form["hx-post"] == URL and shown.all("input", name="work", value=str(work.pk))
        place = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?page=1"}
        assert TRAINED not in alice_client.get(URL, headers=place).content.decode()
    assert TRAINED in page(alice_client.get("/teams/")).text, "else it would be lost for those without JavaScript"


def test_the_part_that_asks_by_itself_tells_at_once(alice, alice_client):
    """Whoever sees the end and goes on within the next question for news is not told again."""
    work = running(alice)
    address = f"/machines/{work.machine_id}/training/"
    assert not page(htmx(alice_client, address)).all("form", **{"hx-post": URL})
    work.finish({})
    shown = page(htmx(alice_client, address))
    assert shown.one("form", **{"hx-post": URL})["hx-trigger"] == "load"
    assert shown.all("input", name="work", value=str(work.pk))
    alice_client.post(URL, {"work": work.pk})
    assert not page(htmx(alice_client, address)).all("form", **{"hx-post": URL})


def test_only_whose_it_is_is_told(alice, bob, bob_client, alice_client):
    work = finished(alice)
    assert TRAINED not in bob_client.get("/").content.decode()
    bob_client.post(URL, {"work": work.pk})
    assert not told()


def test_what_is_still_going_on_cannot_be_told(alice, alice_client):
    work = running(alice)
    alice_client.post(URL, {"work": work.pk})
    assert not told()


def test_who_was_removed_hears_nothing(alice, bob, team):
    work = finished(bob)
    Machine.objects.filter(pk=work.machine_id).update(machine_owner_user=alice, machine_owner_team=team)
    assert TRAINED in signed_in(bob).get("/").content.decode()
    team.remove_user_from_team(bob)
    assert TRAINED not in signed_in(bob).get("/").content.decode()


@pytest.mark.parametrize("junk", ["x", "", "-1", "1.5", "9" * 400, "²", "1 OR 1=1"])
def test_junk(alice, alice_client, junk):
    finished(alice)
    assert alice_client.post(URL, {"work": junk}).status_code == 302 and not told()
    assert alice_client.get(URL, {"work": junk}).status_code == 200


def test_a_few_at_once(alice, alice_client):
    for number in range(5):
        finished(alice, f"Number {number}")
    assert page(alice_client.get("/teams/")).text.count("is trained.") == 3


def test_old_work_is_no_news(alice, alice_client):
    work = waiting(alice)
    alice_client.post(f"/work/{work.pk}/cancel/")
    assert "cancelled" not in alice_client.get("/teams/").content.decode(), "she did it herself"


# What it costs


def about_works(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return sum('FROM "models_work"' in query["sql"] for query in captured)


def test_one_query_for_people_a_second_where_there_is_news_and_none_for_strangers(alice, alice_client):
    link = publish(houses().machine(owner=alice))
    program = make_key(alice).client
    assert about_works(alice_client, "/teams/") == 1
    for number in range(5):
        finished(alice, f"Number {number}")
        running(alice)
    assert about_works(alice_client, "/teams/") == 2
    assert about_works(Client(), "/") == 0
    assert about_works(alice_client, path(link)) == 0
    assert about_works(program, "/api/machines/") == 0


# In a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("files_as_they_lie")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_it_comes_by_itself_and_once(chromium, live_server, alice, alice_client, width, scheme):
    work = running(alice, "Wine")
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    sign_in(context, alice_client, live_server.url)
    tab = context.new_page()
    said = listen(tab)
    tab.goto(f"{live_server.url}/teams/new/")
    tab.fill("input[name=name]", "half typed")
    assert tab.locator("#news-count").inner_text().startswith("1")
    work.finish({})
    tab.wait_for_selector("#news .news", timeout=15_000)
    assert TRAINED in tab.locator("#news").inner_text()
    assert tab.evaluate("document.activeElement.name") == "name", "what one types in keeps the focus"
    assert tab.input_value("input[name=name]") == "half typed"
    assert tab.locator("#news-count").inner_text() == "" and tab.get_attribute("#news-poll", "hx-get") is None
    assert [*unexpected(said), *faults(tab)] == []
    keep(tab, f"news-{width}-{scheme}")
    assert any(told() or tab.wait_for_timeout(100) for _look in range(150)), "the page says that it was seen"
    assert told() == {"Wine"}
    tab.locator("#news .news button").click()
    tab.wait_for_selector("#news .news", state="detached")
    assert tab.input_value("input[name=name]") == "half typed"
    tab.goto(f"{live_server.url}/teams/")
    assert TRAINED not in tab.content()
    context.close()


def is_seen(tab):
    """Whether what has the focus is not below the notices. The browser scrolls in its own time, so look again."""
    found = tab.evaluate(
        """() => { const a = document.activeElement, news = document.querySelector("#news");
        if (news.contains(a) || !document.querySelector("main").contains(a)) return true;
        return a.getBoundingClientRect().top >= news.getBoundingClientRect().bottom - 1; }"""
    )
    if not found:
        tab.wait_for_timeout(50)
    return found


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("files_as_they_lie")
def test_several_leave_room_on_a_phone(chromium, live_server, alice, alice_client):
    """The page beneath stays usable, and what takes the focus is not hidden by them."""
    running(alice, "Houses")
    for number in range(3):
        failed(alice, f"A machine with a rather long name and number {number}")
    context = chromium.new_context(viewport={"width": 375, "height": 700})
    sign_in(context, alice_client, live_server.url)
    tab = context.new_page()
    tab.goto(f"{live_server.url}/accounts/profile/")
    assert tab.locator("#news .news").count() == 3
    assert tab.locator("#news-count .tag").evaluate(
        "tag => tag.closest('a').getBoundingClientRect().right <= innerWidth"
    )
    assert tab.locator("#news").bounding_box()["height"] <= 0.41 * 700
    assert tab.locator("#news button").first.bounding_box()["height"] < 50, "a word stays in one piece"
    tab.locator("main form:not(.news) button[type=submit]").last.focus()
    fields = tab.locator("main input[type=text]").count()
    for _step in range(fields + 6):
        tab.keyboard.press("Shift+Tab")
        assert any(is_seen(tab) for _look in range(20)), tab.evaluate("document.activeElement.outerHTML")
    keep(tab, "news-three")
    context.close()


def test_the_same_is_said_once(alice, alice_client):
    work = finished(alice)
    again = finished(alice, machine=work.machine)
    shown = page(alice_client.get("/machines/"))
    assert shown.text.count(TRAINED) == 1
    assert {field["value"] for field in shown.all("input", name="work")} == {str(work.pk), str(again.pk)}
