"""Forms that are made from data: what a person may type, and what the engine gets."""

import pytest

from config.formats import Formats, use_formats
from machines.engine import describe
from machines.engine.reading.encoding import MARKS
from machines.forms.data import ENCODINGS, ReadOptionsForm
from machines.forms.fields import MomentField, NumberField
from machines.forms.prediction import LABELS_LISTED, PredictionForm

COMMA, POINT = Formats(decimal_separator=","), Formats(decimal_separator=".")


def input_of(name="x", type="FLOAT", **kwargs):
    return {"name": name, "type": type, "unit": "", "description": "", "importance": None} | kwargs


def form_of(*inputs, data=None, columns=()):
    return PredictionForm({"inputs": list(inputs), "columns": list(columns)}, {}, data)


@pytest.mark.parametrize(
    ("formats", "typed", "number"),
    [(COMMA, "1,5", 1.5), (COMMA, "1.5", 1.5), (POINT, "1.5", 1.5), (POINT, "-3", -3.0), (POINT, "−3", -3.0),
     (COMMA, "1 234,5", 1234.5), (POINT, "1e3", 1000.0), (POINT, " 7 ", 7.0), (POINT, "", None), (POINT, "   ", None)],
)  # fmt: skip
def test_numbers(formats, typed, number):
    with use_formats(formats):
        assert NumberField(required=False).clean(typed) == number


@pytest.mark.parametrize(("formats", "shown"), [(COMMA, "1234567,891"), (POINT, "1234567.891")])
def test_a_number_is_shown_so_that_it_can_be_sent_back(formats, shown):
    with use_formats(formats):
        field = NumberField(required=False)
        assert field.prepare_value(1234567.891) == shown
        assert not field.has_changed(1234567.891, shown)
        assert field.has_changed(1234567.891, "1")


@pytest.mark.parametrize(
    ("type", "typed", "seconds"),
    [("DATE", "2022-05-17", 1_652_745_600), ("DATE", "1901-01-01", -2_177_452_800), ("TIME", "14:30", 52_200),
     ("TIME", "14:30:15", 52_215), ("DATETIME", "2021-03-04T05:06", 1_614_834_360)],
)  # fmt: skip
def test_moments_there_and_back(type, typed, seconds):
    field = MomentField(type=type, required=False)
    assert field.clean(typed) == seconds
    assert field.prepare_value(float(seconds)).startswith(typed)
    assert not field.has_changed(float(seconds), field.prepare_value(float(seconds)))
    assert field.prepare_value("typed") == "typed"


def test_two_hundred_labels_may_not_be_all():
    labels = [f"label {number}" for number in range(LABELS_LISTED)]
    assert LABELS_LISTED == describe.MOST_LABELS_LISTED
    for known, warnings in ((labels, 0), (labels[:-1], 1)):
        form = form_of(input_of(type="LABEL", labels=known), data={"c0": "another"})
        assert form.is_valid() and form.warn_out_of_range() == warnings


def test_twenty_labels_are_a_list_and_one_more_a_search():
    for count, choices in ((20, True), (21, False)):
        labels = [f"label {number:02}" for number in range(count)]
        field = form_of(input_of(type="LABEL", labels=labels)).fields["c0"]
        assert hasattr(field, "choices") == choices


def test_numbers_that_are_labels_stand_in_their_order():
    field = form_of(input_of(type="LABEL", labels=["10", "9", "b", "100", "A"])).fields["c0"]
    assert [value for value, _label in field.choices] == ["", "9", "10", "100", "A", "b"]


@pytest.mark.parametrize("type", ["FLOAT", "DATE", "TIME", "DATETIME", "LABEL"])
def test_an_input_that_was_empty_in_training_has_a_field_without_range(type):
    known = {"labels": []} if type == "LABEL" else {"low": None, "median": None, "high": None}
    form = form_of(input_of(type=type, **known), data={"c0": ""})
    assert form.is_valid() and form.warn_out_of_range() == 0
    assert form.values == {"x": None} and form.answered == 0


def test_fields_have_plain_names_whatever_the_columns_are_called():
    form = form_of(input_of("__class__"), input_of("id"), input_of("csrfmiddlewaretoken"), data={"c1": "5"})
    assert list(form.fields) == ["c0", "c1", "c2"]
    assert form.is_valid() and form.values == {"__class__": None, "id": 5.0, "csrfmiddlewaretoken": None}


def test_every_encoding_that_is_found_can_be_chosen():
    found = {name for _mark, name in MARKS} | {"utf-8", "cp1252", "latin-1"}
    assert found <= set(ENCODINGS)
    assert all("ä".encode(name) for name in ENCODINGS if name != "cp1251")


def test_options_go_to_the_engine_and_come_back():
    chosen = {"encoding": "cp1252", "delimiter": "tab", "decimal": ",", "thousands": " ", "date_order": "DMY",
              "has_header": "false", "has_description_row": "", "skip_rows": "3"}  # fmt: skip
    form = ReadOptionsForm(chosen)
    assert form.is_valid()
    options = form.options()
    assert options == {"encoding": "cp1252", "delimiter": "\t", "decimal": ",", "thousands": " ", "date_order": "DMY",
                       "has_header": False, "has_description_row": None, "skip_rows": 3}  # fmt: skip
    assert ReadOptionsForm.initial_from(options) == chosen | {"skip_rows": 3}
