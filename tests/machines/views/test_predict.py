"""The prediction form, made from the columns, and its answer."""

import datetime as dt

import pytest

from config.formats import Formats
from machines.services.predictions import prediction_make
from models import Column, EncDecConfiguration, NNModel
from tests.factories import make_machine
from tests.machines.houses import ANSWERS, CITIES, IMPORTANCE, KINDS, SECONDS
from tests.machines.views.pages import HTMX, htmx, is_whole, page, url

pytestmark = pytest.mark.django_db

VALUES = ANSWERS | {"size": 41.5, "delta": -3.0, "pressure": 88.0} | SECONDS


def names(machine):
    """Column -> name of its field."""
    inputs = machine.enc_dec_configuration.enc_dec_config["inputs"]
    return {item["name"]: f"c{number}" for number, item in enumerate(inputs)}


def sent(machine, **changes):
    fields = names(machine)
    return {fields[column]: value for column, value in (ANSWERS | changes).items()}


@pytest.fixture
def ask(machine, alice_client):
    def post(headers=HTMX, **changes):
        return alice_client.post(url("predict", machine.pk), sent(machine, **changes), headers=headers)

    return post


@pytest.fixture
def form(machine, alice_client):
    return page(alice_client.get(url("predict", machine.pk)))


def test_it_works(machine, alice_client):
    response = alice_client.post(url("predict", machine.pk), sent(machine))
    shown = page(response)
    risk, price = prediction_make(machine=machine, values=VALUES)
    formats = Formats(decimal_separator=".")
    assert is_whole(response)
    assert formats.percent(risk.probabilities[risk.values[0]][0]) in shown.text
    assert risk.values[0] in shown.text
    assert f"{price.values[0]:.0f}"[:2] in shown.text
    assert "9 of 9 answered" in shown.text


def test_htmx_gets_form_and_answer_in_place(ask):
    response = ask()
    shown = page(response)
    assert not is_whole(response)
    root = next(attributes for tag, attributes in shown.elements if tag == "div")
    assert root["id"] == "work"
    assert "data-focus-after-swap" in shown.one("div", id="result")
    assert shown.one("form")["hx-target"] == "#work" and shown.one("form")["method"] == "post"


def test_with_and_without_javascript_the_answer_is_the_same(ask):
    part, whole = (page(ask(headers=headers)).text for headers in (HTMX, {}))
    start, end = part.index("9 of 9 answered"), part.rindex("Highest likely")
    assert part[start:end] in whole


def test_before_the_question_there_is_a_place_for_the_answer(form):
    assert "The answer comes here" in form.text
    assert form.one("div", id="result") and not form.all("p", **{"class": "outcome"})


# The fields


def test_the_most_important_question_comes_first(machine, form):
    assert form.questions() == [names(machine)[name] for name in IMPORTANCE]


def test_numbers_are_typed_as_text(machine, form):
    size, delta = (form.one("input", name=names(machine)[name]) for name in ("size", "delta"))
    assert (size["type"], size["inputmode"], size["placeholder"]) == ("text", "decimal", "I don't know")
    assert delta["inputmode"] == "text", "phone keypads for decimals have no minus"


def test_moments_use_the_browsers_own_inputs(machine, form):
    kinds = {name: form.one("input", name=names(machine)[name])["type"] for name in ("day", "hour", "seen")}
    assert kinds == {"day": "date", "hour": "time", "seen": "datetime-local"}


def test_few_labels_are_a_list_with_i_do_not_know(machine, alice_client, form):
    html = alice_client.get(url("predict", machine.pk)).content.decode()
    select = html[html.index(f'<select name="{names(machine)["city"]}"') :].partition("</select>")[0]
    assert [label for label in CITIES if f'<option value="{label}">' in select] == CITIES
    assert '<option value="" selected>I don&#x27;t know</option>' in select
    assert select.count("<option") == 5


def test_many_labels_are_a_text_box_that_offers_them(machine, form):
    box = form.one("input", name=names(machine)["kind"])
    assert box["list"] in form.ids() and box["placeholder"] == "I don't know"
    offered = [
        attributes["value"] for attributes in form.all("option") if (attributes.get("value") or "").startswith("kind")
    ]
    assert offered == KINDS


def test_texts_have_room(machine, form):
    assert form.one("textarea", name=names(machine)["note"])["placeholder"] == "I don't know"


def test_nothing_is_required(form):
    assert not any("required" in attributes for _tag, attributes in form.elements)


def test_unit_description_and_range_stand_with_the_field(machine, alice_client):
    machine.columns.filter(name="size").update(unit="m²", description="living space")
    shown = page(alice_client.get(url("predict", machine.pk)))
    name = names(machine)["size"]
    assert "living space, m²" in shown.text
    low, high = (input_of(machine, "size")[edge] for edge in ("low", "high"))
    assert f"{low:g} – {high:g}" in shown.text
    assert shown.one("input", name=name)["aria-describedby"] in shown.ids()


def input_of(machine, name):
    return next(item for item in machine.enc_dec_configuration.enc_dec_config["inputs"] if item["name"] == name)


def test_the_owners_range_is_shown_where_it_is_given(machine, alice_client):
    machine.columns.filter(name="size").update(range_low=0.5, range_high=1234.5)
    assert "0.5 – 1234.5" in page(alice_client.get(url("predict", machine.pk))).text


# How a person writes


@pytest.mark.parametrize(("separator", "typed"), [(".", "41.5"), (",", "41,5"), (",", " 41,50 "), (".", "41,5")])
def test_numbers_in_the_persons_own_writing(machine, alice, ask, separator, typed):
    wanted = page(ask(size="41.5")).text
    alice.decimal_separator = separator
    alice.save()
    shown = page(ask(size=typed))
    assert "9 of 9 answered" in shown.text
    assert chance(shown.text) == chance(wanted)
    assert shown.one("input", name=names(machine)["size"])["value"].strip() == typed.strip()


def chance(text):
    return text.partition("probability ")[2][:6]


def test_thousands_that_could_be_a_fraction_are_asked_about(machine, alice, ask):
    alice.decimal_separator = ","
    alice.save()
    assert "can be read in two ways" in page(ask(size="1.234")).text


def test_ranges_in_the_persons_own_writing(machine, alice, alice_client):
    def ranges(**preferences):
        for name, value in preferences.items():
            setattr(alice, name, value)
        alice.save()
        return page(alice_client.get(url("predict", machine.pk))).text

    size, day = input_of(machine, "size"), input_of(machine, "day")
    first = dt.datetime.fromtimestamp(day["low"], dt.UTC)
    comma = ranges(decimal_separator=",", date_format="DMY", date_separator=".", time_format="24H")
    assert f"{size['low']} – ".replace(".", ",") in comma
    assert f"{first:%d.%m.%Y} – " in comma and " – 23:" in comma
    american = ranges(decimal_separator=".", date_format="MDY", date_separator="/", time_format="12H")
    assert f"{first:%m/%d/%Y} – " in american and "PM" in american and "12:" in american
    assert f"{first:%Y-%m-%d} – " in ranges(date_format="YMD", date_separator="-")


@pytest.mark.parametrize(
    ("column", "typed"),
    [("day", "17/05/2022"), ("hour", "2:30 PM"), ("seen", "04/03/2021 05:06"), ("seen", "2021-03-04T05:06:00Z")],
)
def test_moments_typed_by_hand_where_the_browser_has_no_input(machine, ask, column, typed):
    assert chance(page(ask(**{column: typed})).text) == chance(page(ask()).text)
    assert "9 of 9 answered" in page(ask(**{column: typed})).text


# Wrong, unusual, unknown

WRONG = {
    "size": ("forty", "“forty” is not a number"),
    "day": ("31/02/2022", "not a date"),
    "hour": ("25:00", "not a time"),
    "seen": ("tomorrow", "not a date and time"),
    "city": ("Atlantis", "Atlantis"),
    "kind": ("x" * 201, "200"),
    "note": ("x" * 20_001, "20000"),
}


@pytest.mark.parametrize("column", WRONG)
def test_errors_keep_what_was_typed_and_stand_beside_the_field(machine, ask, column):
    typed, said = WRONG[column]
    response = ask(**{column: typed})
    shown, name = page(response), names(machine)[column]
    assert response.status_code == 200
    link = shown.one("a", href=f"#id_{name}")
    assert link and shown.text.count(said.split(" is ")[0]) >= 1
    assert said in shown.text.replace("\u202f", "").replace(",", "") or said in shown.text
    control = next(a for _tag, a in shown.elements if a.get("name") == name)
    assert control["aria-invalid"] == "true" and f"id_{name}_error" in control["aria-describedby"]
    assert f"id_{name}_error" in shown.ids()
    if column not in {"city", "note"}:
        assert control["value"] == typed
    assert shown.one("input", name=names(machine)["delta"])["value"] == "-3", "the others are kept too"
    assert "probability" not in shown.text


def test_several_errors_at_once(machine, ask):
    shown = page(ask(size="x", day="y", hour="z"))
    for column in ("size", "day", "hour"):
        assert shown.all("a", href=f"#id_{names(machine)[column]}")


@pytest.mark.parametrize(("typed", "said"), [("5000", "Above anything seen in training"), ("-5000", "Below anything")])
def test_out_of_range_is_answered_with_a_warning(machine, ask, typed, said):
    shown = page(ask(size=typed))
    assert said in shown.text and "1 value lies outside" in shown.text and "probability" in shown.text
    assert not [a for _tag, a in shown.elements if a.get("aria-invalid") == "true"]


def test_a_day_out_of_range_is_answered_with_a_warning(machine, ask):
    shown = page(ask(day="2035-01-01"))
    assert "Above anything seen in training" in shown.text and "probability" in shown.text


def test_training_range_and_the_owners_range_are_told_apart(machine, ask):
    machine.columns.filter(name="size").update(range_low=30, range_high=9000)
    assert "Above anything seen in training" in page(ask(size="500")).text
    assert "Outside the plausible range (30 – 9000)" in page(ask(size="20")).text
    assert "outside" not in page(ask(size="41.5")).text.casefold()


def test_a_label_never_seen_is_answered_with_a_warning(machine, ask):
    shown = page(ask(kind="kind 99"))
    assert "Never seen in training" in shown.text and "probability" in shown.text
    assert "Never seen" not in page(ask(kind="kind 03")).text


def test_zero_that_means_not_measured_is_no_warning(machine, ask):
    shown = page(ask(pressure="0"))
    assert "Below anything" not in shown.text and "outside" not in shown.text.casefold()
    assert chance(shown.text) == chance(page(ask(pressure="")).text)


def test_all_unknown(machine, ask):
    shown = page(ask(**dict.fromkeys(ANSWERS, "")))
    assert "0 of 9 answered" in shown.text and "probability" in shown.text


def test_an_empty_post_is_all_unknown(machine, alice_client):
    assert "0 of 9 answered" in page(alice_client.post(url("predict", machine.pk), {})).text


@pytest.mark.parametrize("column", ["size", "delta", "day", "hour", "seen", "city", "kind", "note"])
@pytest.mark.parametrize(
    "typed",
    ["1e400", "-1e400", "nan", "inf", "9" * 5000, "1_000", "٣", "0x10", "\x00", "é" * 300, "0001-01-01", "9999-12-31T23:59:59",
     "10000-01-01", "{{7*7}}", "<script>alert(1)</script>", "'; DROP TABLE models_machine; --", "=1+1", " ", "-0"],
    ids=range(19),
)  # fmt: skip
def test_junk_never_breaks_the_page(ask, column, typed):
    response = ask(**{column: typed})
    html = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert" not in html
    assert ("probability" in html) != ("Please correct this" in html), "an answer or a refusal"


@pytest.mark.parametrize("typed", ["1e400", "nan", "inf", "1_000", "٣", "0x10", "9" * 5000])
def test_what_is_no_number_is_refused(ask, typed):
    assert "Please correct this" in page(ask(size=typed)).text


def test_fields_that_are_not_there_are_passed_over(machine, alice_client):
    data = sent(machine) | {"c99": "1", "c-1": "1", "size": "9", "machine": "7", "__class__": "x"}
    assert "9 of 9 answered" in page(alice_client.post(url("predict", machine.pk), data)).text


# The machine behind it


def test_an_untrained_machine_leads_to_its_training(alice, alice_client):
    machine = make_machine(owner=alice)
    assert alice_client.get(url("predict", machine.pk))["Location"] == url("training", machine.pk)
    response = alice_client.post(url("predict", machine.pk), {}, headers=HTMX)
    assert response["HX-Redirect"] == url("training", machine.pk)


def test_a_model_replaced_at_this_moment_is_no_error(machine, alice_client):
    NNModel.objects.update(nn_model=None)
    assert alice_client.post(url("predict", machine.pk), sent(machine)).status_code == 302


def test_it_answers_while_it_trains_anew_and_after_its_file_was_read_anew(machine, alice_client):
    for status in ("training", "new", "typed", "failed"):
        type(machine).objects.update(machine_status=status)
        assert "probability" in page(alice_client.post(url("predict", machine.pk), sent(machine))).text


def test_columns_deleted_since_the_training_do_not_matter(machine, alice_client):
    Column.objects.all().delete()
    assert "probability" in page(alice_client.post(url("predict", machine.pk), sent(machine))).text


def test_a_team_member_may_ask(shared, bob_client):
    assert "probability" in page(bob_client.post(url("predict", shared.pk), sent(shared))).text


def test_as_many_queries_for_nine_questions_as_for_two(machine, alice, alice_client, django_assert_max_num_queries):
    address = url("predict", machine.pk)
    alice_client.post(address, sent(machine))  # loads the model
    with django_assert_max_num_queries(20) as nine:
        alice_client.get(address)
    with django_assert_max_num_queries(20) as nine_sent:
        alice_client.post(address, sent(machine))
    description = machine.enc_dec_configuration.enc_dec_config
    EncDecConfiguration.objects.update(enc_dec_config=description | {"inputs": description["inputs"][:2]})
    with django_assert_max_num_queries(20) as two:
        alice_client.get(address)
    with django_assert_max_num_queries(20) as two_sent:
        alice_client.post(address, sent(machine))
    assert (len(nine), len(nine_sent)) == (len(two), len(two_sent))
    assert max(len(nine), len(nine_sent)) <= 6


def test_asked_for_alone_the_part_is_guarded_too(machine, charlie_client):
    assert htmx(charlie_client, url("predict", machine.pk)).status_code == 404
    assert htmx(charlie_client, url("predict", machine.pk), sent(machine)).status_code == 404
