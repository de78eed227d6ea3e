"""The pages of models made elsewhere: bring one, see what was found, say what it means, go back."""

import pickle

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from machines.conversion.check import DIFFERS
from machines.engine.errors import Notice
from machines.jobs.runner import work_run
from machines.services import texts
from machines.serving import description
from machines.serving.locked import lock
from machines.serving.signature import Signature
from models import Machine, ModelVersion, Work
from models.model_version import VersionState
from tests.factories import linear_onnx, make_user, make_version
from tests.machines.uploaded import chance_onnx, checked, upload
from tests.machines.views.pages import htmx, is_whole, page

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"uploaded:{name}", args=args)


def file_of(name="linear.onnx", content=None):
    return SimpleUploadedFile(name, linear_onnx() if content is None else content)


@pytest.fixture
def version(point):
    """Alice's model of three inputs, ready to answer."""
    return make_version(owner=point, machine_name="Linear")


@pytest.fixture
def model(version):
    return version.machine


def words(**changed):
    """What the page of the inputs sends when nothing, or only this, was changed: `type1_name="Age"`."""
    form = {}
    for number in (1, 2, 3):
        form |= {f"type{number}-name": f"x{number}", f"type{number}-type": "number", f"type{number}-encoding": "index"}
    form |= {"kind1-name": "y", "kind1-kind": "number"}
    return form | {name.replace("_", "-", 1): value for name, value in changed.items()}


def said_of(version):
    """What is kept of its inputs and outputs."""
    version.refresh_from_db(fields=["description"])
    return version.description["words"]


# The list


def test_it_works(model, alice_client):
    response = alice_client.get(url("list"))
    shown = page(response)
    assert is_whole(response) and "1 model made elsewhere" in shown.text
    assert "Linear" in shown.text and "ONNX · .onnx" in shown.text and "ready" in shown.text and "Alice" in shown.text
    assert shown.all("a", href=url("detail", model.pk)) and shown.all(
        "a", href=reverse("machines:predict", args=[model.pk])
    )
    assert len([a for a in shown.all("a") if "btn-primary" in (a.get("class") or "")]) == 1


def test_nothing_there_yet(alice_client):
    shown = page(alice_client.get(url("list")))
    assert "Bring a model of your own" in shown.text and "PyTorch" in shown.text
    assert shown.all("a", href=url("new"))


def test_who_sees_what(alice, team, alice_client, bob_client, charlie_client, dana_client):
    make_version(owner=alice, machine_name="Private")
    make_version(owner=alice, team=team, machine_name="Shared")
    seen = {
        client: {name for name in ("Private", "Shared") if name in page(client.get(url("list"))).text}
        for client in (alice_client, bob_client, charlie_client, dana_client)
    }
    assert list(seen.values()) == [{"Private", "Shared"}, {"Shared"}, set(), {"Private", "Shared"}]


def test_as_many_queries_for_ten_models_as_for_one(dana_client, django_assert_max_num_queries):
    make_version(owner=make_user(first_name="A"))
    with django_assert_max_num_queries(20) as one:
        dana_client.get(url("list"))
    for _number in range(9):
        machine = make_version(owner=make_user(first_name="A")).machine
        make_version(machine, state=VersionState.CHECKING)
    with django_assert_max_num_queries(len(one)):
        assert dana_client.get(url("list")).status_code == 200


def test_a_newer_version_that_is_not_ready(model, alice_client):
    make_version(model, state=VersionState.REFUSED)
    shown = page(alice_client.get(url("list")))
    assert "ready" in shown.text and "version 2: refused" in shown.text


# One model


def test_a_model(model, version, alice_client):
    shown = page(alice_client.get(url("detail", model.pk)))
    assert version.sha256 in shown.text and "version 1" in shown.text and "float32" in shown.text
    assert f"/api/models/{model.pk}/predict/" in shown.text and '{"input_data": [[1, 1, 1]]}' in shown.text
    for name in ("inputs", "replace"):
        assert shown.all("a", href=url(name, model.pk))
    for name in ("predict", "solve", "sharing", "delete"):
        assert shown.all("a", href=reverse(f"machines:{name}", args=[model.pk]))


def test_as_many_queries_for_ten_versions_as_for_one(model, alice_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(20) as one:
        alice_client.get(url("detail", model.pk))
    for _number in range(9):
        make_version(model)
    with django_assert_max_num_queries(len(one)):
        assert alice_client.get(url("detail", model.pk)).status_code == 200


@pytest.mark.parametrize("name", ["detail", "source", "columns", "rows", "training"])
def test_pages_of_trained_machines_lead_to_the_model(model, alice_client, name):
    assert alice_client.get(reverse(f"machines:{name}", args=[model.pk]))["Location"] == url("detail", model.pk)


# A new one


def test_the_upload_says_first_what_is_taken(alice_client):
    shown = page(alice_client.get(url("new")))
    for word in (".keras", "SavedModel", ".tflite", "TorchScript", ".pt2", "safetensors", ".onnx", "200 MB", "pickles"):
        assert word in shown.text, word
    assert 'torch.jit.trace(model.eval(), example).save("model.pt")' in shown.text and "locked process" in shown.text


def test_where_nothing_can_be_locked_only_data_is_taken(alice_client, monkeypatch):
    monkeypatch.setattr(lock, "NO_LOCK", True)
    lock.protection.cache_clear()
    try:
        shown = page(alice_client.get(url("new")))
        assert "cannot lock" in shown.text and ".onnx" in shown.text and "safetensors" in shown.text
        assert ".keras" not in shown.text and "TorchScript" not in shown.text.replace("as TorchScript or", "")
        refused = page(alice_client.post(url("new"), {"file": file_of("model.keras")}))
        assert "none of the formats taken here: .onnx, .safetensors" in refused.text
    finally:
        lock.protection.cache_clear()
    assert not ModelVersion.objects.exists()


def test_upload(alice, alice_client, team):
    response = alice_client.post(url("new"), {"file": file_of("my_model.onnx"), "team": team.pk})
    version = ModelVersion.objects.get()
    assert (response.status_code, response["Location"]) == (302, url("detail", version.machine_id))
    machine = version.machine
    assert (machine.machine_name, machine.machine_owner_team, version.framework) == ("my model", team, "onnx")
    shown = page(alice_client.get(url("detail", machine.pk)))
    assert "Waiting for the worker" in shown.text and shown.all("form", action=url("checking-cancel", machine.pk))
    assert "checking" in page(alice_client.get(url("list"))).text


@pytest.mark.django_db(transaction=True)
def test_the_check_is_watched_to_its_end(point, alice_client):
    address = alice_client.post(url("new"), {"file": file_of()})["Location"]
    part = page(htmx(alice_client, address))
    assert "every" in part.one("div", id="check")["hx-trigger"], "it asks again by itself"
    work_run(work_id=Work.objects.get().pk)
    assert htmx(alice_client, address)["HX-Refresh"] == "true"
    shown = page(alice_client.get(address))
    assert not shown.all("div", id="check") and "Safety report" in shown.text and "Gemm" in shown.text
    assert "locked process" in shown.text and ModelVersion.objects.get().sha256 in shown.text


def test_cancel(alice, alice_client):
    address = alice_client.post(url("new"), {"file": file_of()})["Location"]
    machine = Machine.objects.get()
    assert alice_client.post(url("checking-cancel", machine.pk))["Location"] == address
    assert not Work.objects.active().exists()
    shown = page(alice_client.get(address))
    assert "was not checked" in shown.text and "was refused" not in shown.text
    assert shown.all("a", href=url("replace", machine.pk))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Choose a file to upload."),
        ({"file": ("model.onnx", b"")}, "This file is empty"),
        ({"file": ("model.csv", b"a,b")}, "“model.csv” is none of the formats taken here"),
        ({"file": ("model.pt", pickle.dumps({"a": 1}))}, "pickled Python object"),
        ({"file": ("model.pkl", pickle.dumps({"a": 1}))}, "pickled Python object"),
        ({"file": ("model.onnx", b"\x80nothing" * 9)}, "Model: "),
        ({"layers": "{"}, "This is no JSON: line 1, character 2."),
        ({"layers": "[" * 9000}, "This is no JSON that can be read."),
        ({"layers": '{"a": NaN}'}, "This is no JSON that can be read."),
        ({"layers": '["\\u0000"]', "file": ("model.pt", b"\\0")}, "Model: "),
        ({"framework": "scikit"}, "scikit"),
        ({"name": "__mine__"}, "reserved"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:24],
)  # fmt: skip
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(alice_client, sent, told):
    data = {"name": "My name", "file": file_of()} if sent else {"name": "My name"}
    data |= {name: SimpleUploadedFile(*value) if isinstance(value, tuple) else value for name, value in sent.items()}
    shown = page(alice_client.post(url("new"), data))
    assert "Please correct this" in shown.text and told in shown.text
    assert shown.one("input", name="name")["value"] == data["name"]
    assert not ModelVersion.objects.exists() and not Machine.objects.exists()


def test_too_large(alice_client, settings):
    settings.MODEL_UPLOAD_LIMIT_BYTES = 1_000_000
    shown = page(alice_client.post(url("new"), {"file": file_of(content=b"x" * 1_000_001)}))
    assert "larger than 1 MB" in shown.text and not ModelVersion.objects.exists()


# Versions


def test_replace(model, alice_client):
    assert "Version 1 answers until" in page(alice_client.get(url("replace", model.pk))).text
    assert alice_client.post(url("replace", model.pk), {"file": file_of()})["Location"] == url("detail", model.pk)
    assert [v.number for v in model.versions.all()] == [2, 1]
    shown = page(alice_client.get(url("detail", model.pk)))
    assert "version 1 answers meanwhile" in shown.text and shown.all(
        "a", href=reverse("machines:predict", args=[model.pk])
    )


def test_roll_back_in_one_click(model, version, alice_client):
    second = make_version(model)
    shown = page(alice_client.get(url("detail", model.pk)))
    assert shown.all("form", action=url("version-use", model.pk, 1))
    assert not shown.all("form", action=url("version-use", model.pk, 2)), "it answers already"
    shown = page(alice_client.post(url("version-use", model.pk, 1), follow=True))
    model.refresh_from_db()
    assert model.uploaded_version == version and "Version 1 answers from now on" in shown.text
    alice_client.post(url("version-use", model.pk, 2))
    model.refresh_from_db()
    assert model.uploaded_version == second


def test_a_refused_version_never_answers(model, version, alice_client):
    make_version(model, state=VersionState.REFUSED)
    shown = page(alice_client.post(url("version-use", model.pk, 2), follow=True))
    model.refresh_from_db()
    assert model.uploaded_version == version and "cannot answer" in shown.text


def test_delete_a_version(model, version, alice_client):
    make_version(model)
    assert "Delete version 1?" in page(alice_client.get(url("version-delete", model.pk, 1))).text
    assert model.versions.count() == 2, "looking deletes nothing"
    alice_client.post(url("version-delete", model.pk, 1))
    assert [v.number for v in model.versions.all()] == [2]
    shown = page(alice_client.get(url("version-delete", model.pk, 2)))
    assert "This version answers now" in shown.text and not shown.all("button", **{"class": "btn btn-danger"})
    shown = page(alice_client.post(url("version-delete", model.pk, 2), follow=True))
    assert "This version answers now" in shown.text and model.versions.count() == 1


def test_the_file_comes_back_as_it_was(model, alice_client):
    response = alice_client.get(url("version-file", model.pk, 1))
    assert b"".join(response.streaming_content) == linear_onnx()
    assert response["Content-Disposition"] == 'attachment; filename="linear.onnx"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert alice_client.get(url("version-file", model.pk, 7)).status_code == 404
    assert alice_client.get(reverse("machines:download", args=[model.pk]))["Location"] == url(
        "version-file", model.pk, 1
    )


def test_a_model_that_was_trained_here_is_not_found(machine, alice_client):
    for name in ("detail", "inputs", "replace"):
        assert alice_client.get(url(name, machine.pk)).status_code == 404


# What the inputs mean


def test_the_inputs(model, version, alice_client):
    shown = page(alice_client.get(url("inputs", model.pk)))
    assert shown.one("input", name="type1-name")["value"] == "x1"
    assert shown.one("input", name="kind1-name")["value"] == "y"
    changes = {"type1_name": "Age", "type1_unit": "years", "type1_low": "0", "type1_high": "120", "type1_fill": "40"}
    scaled = {"type2_scaling": "deviation", "type2_first": "5", "type2_second": "2", "type3_scaling": "span",
              "type3_first": "0", "type3_second": "10"}  # fmt: skip
    response = alice_client.post(url("inputs", model.pk), words(**changes, **scaled))
    assert response["Location"] == reverse("machines:predict", args=[model.pk])
    age, second, third = said_of(version)["inputs"]
    assert (age["name"], age["unit"], age["low"], age["high"], age["fill"]) == ("Age", "years", 0, 120, 40)
    assert (second["offset"], second["scale"]) == (5, 2)
    assert (third["offset"], third["scale"], third["low"], third["high"]) == (0, 10, 0, 10)
    version.refresh_from_db()
    assert version.is_described
    asked = page(alice_client.get(reverse("machines:predict", args=[model.pk])))
    assert "Age" in asked.text and "years" in asked.text and "0 – 120" in asked.text
    again = page(alice_client.get(url("inputs", model.pk)))
    assert again.one("input", name="type2-first")["value"] == "5"
    assert [o for o in again.all("option", value="span") if "selected" in o]


def test_what_was_described_is_answered(model, alice_client):
    """y = 1 a + 2 b + 3 c + 0.5, with b given as (b - 5) / 2 and y in other units."""
    scaled = {"type2_scaling": "deviation", "type2_first": "5", "type2_second": "2", "type3_fill": "1",
              "kind1_scaling": "deviation", "kind1_first": "100", "kind1_second": "10", "kind1_unit": "kg"}  # fmt: skip
    alice_client.post(url("inputs", model.pk), words(**scaled))
    shown = page(alice_client.post(reverse("machines:predict", args=[model.pk]), {"c0": "1", "c1": "9", "c2": ""}))
    assert "185 kg" in shown.text, "1 + 2 · 2 + 3 · 1 + 0.5 = 8.5, times 10 and 100 more"
    assert "This model tells no range" in shown.text
    missing = page(alice_client.post(reverse("machines:predict", args=[model.pk]), {"c0": "", "c1": "9"}))
    assert "The model needs this value." in missing.text and "Please correct this" in missing.text


def test_a_choice_takes_the_place_of_the_values_it_fills(model, version, alice_client):
    changes = {
        "type1_name": "Colour",
        "type1_type": "choice",
        "type1_encoding": "one_hot",
        "type1_labels": "red\r\nblue",
    }
    assert alice_client.post(url("inputs", model.pk), words(**changes)).status_code == 302
    colour, rest = said_of(version)["inputs"]
    assert (colour["name"], colour["labels"], colour["encoding"]) == ("Colour", ["red", "blue"], "one_hot")
    assert rest["name"] == "x3", "x2 belongs to the colour now"
    shown = page(alice_client.post(reverse("machines:predict", args=[model.pk]), {"c0": "blue", "c1": "0"}))
    assert "2.5" in shown.text
    again = page(alice_client.get(url("inputs", model.pk)))
    assert "Values that belong to a choice above" in again.text and not again.one("input", name="type3-name").get(
        "value"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type1_low": "abc"}, "x1, Lowest plausible: “abc” is not a number."),
        ({"type1_low": "9", "type1_high": "1"}, "x1, Lowest plausible: The lowest value lies above the highest."),
        ({"type1_name": "x2"}, "“x2” stands there twice"),
        ({"type1_name": ""}, "The model takes 3 values; those described are 2"),
        ({"type1_type": "choice", "type1_labels": "one"}, "“x1” needs at least two labels"),
        ({"type1_type": "choice", "type1_labels": "a\na"}, "a list of different texts"),
        ({"type1_scaling": "deviation", "type1_first": "1"}, "x1, Deviation, or highest: Type a number"),
        ({"type1_scaling": "deviation", "type1_first": "1", "type1_second": "0"}, "A standard deviation of 0"),
        ({"type1_scaling": "span", "type1_first": "1", "type1_second": "1"}, "the same as the lowest"),
        ({"type1_fill": "many"}, "x1, If unknown: “many” is not a number."),
        ({"kind1_kind": "chance", "kind1_labels": "a\nb\nc"}, "“y” needs at least two labels"),
        ({"kind1_kind": "chances", "kind1_labels": "a\nb"}, "“y” would be one too many"),
        ({"type1_type": "text"}, "x1, Type: "),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:24],
)
def test_mistakes_name_the_input_and_keep_what_was_typed(model, version, alice_client, changes, told):
    shown = page(alice_client.post(url("inputs", model.pk), words(**changes, type3_unit="stone")))
    assert "Please correct this" in shown.text and told in shown.text
    assert shown.one("input", name="type3-unit")["value"] == "stone"
    version.refresh_from_db()
    assert not version.is_described and said_of(version)["inputs"][2]["unit"] == ""


def test_a_decimal_comma(model, version, alice, alice_client):
    alice.decimal_separator = ","
    alice.save()
    alice_client.post(url("inputs", model.pk), words(type1_low="1,5", type1_fill="2,25"))
    first = said_of(version)["inputs"][0]
    assert (first["low"], first["fill"]) == (1.5, 2.25)
    assert page(alice_client.get(url("inputs", model.pk))).one("input", name="type1-fill")["value"] == "2,25"


def test_a_table_fills_it_in(model, version, alice_client):
    table = SimpleUploadedFile("rows.csv", b"Age;Height;Weight;Risk\n30;1,5;60;a\n40;1,75;80;b\n")
    shown = page(alice_client.post(url("inputs", model.pk), {"fill-in": "1", "sample": table}))
    assert shown.one("input", name="type2-name")["value"] == "Height"
    assert (shown.one("input", name="type2-low")["value"], shown.one("input", name="type2-high")["value"]) == (
        "1.5",
        "1.75",
    )
    assert "Filled in from your table" in shown.text and said_of(version)["inputs"][1]["name"] == "x2", (
        "nothing is kept"
    )


@pytest.mark.parametrize("content", ["a,b\n1,2\n", ""], ids=["too narrow", "empty"])
def test_a_table_that_does_not_fit(model, alice_client, content):
    table = SimpleUploadedFile("rows.csv", content.encode())
    shown = page(alice_client.post(url("inputs", model.pk), {"fill-in": "1", "sample": table}))
    assert "Please correct this" in shown.text and shown.one("input", name="type1-name")["value"] == "x1"


def wide(owner, width):
    signature = {"inputs": [{"name": "x", "dtype": "float32", "shape": [width]}],
                 "outputs": [{"name": "y", "dtype": "float32", "shape": [10]}], "batch": None}  # fmt: skip
    said = description.propose(Signature.from_json(signature))
    return make_version(owner=owner, signature=signature, description=said)


def test_two_hundred_inputs_take_no_more_queries(point, model, alice_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(20) as three:
        alice_client.get(url("inputs", model.pk))
    many = wide(point, 200)
    with django_assert_max_num_queries(len(three)):
        shown = page(alice_client.get(url("inputs", many.machine_id)))
    assert shown.one("input", name="type200-name")["value"] == "x200" and shown.one("input", name="kind10-name")


def test_ten_chances_take_the_place_of_ten_numbers(point, alice_client):
    version = wide(point, 2)
    sent = {f"type{n}-{key}": value for n in (1, 2) for key, value in (("name", f"x{n}"), ("type", "number"))}
    sent |= {f"kind{n}-{key}": value for n in range(1, 11) for key, value in (("name", f"y{n}"), ("kind", "number"))}
    sent |= {"kind1-name": "Digit", "kind1-kind": "logits", "kind1-labels": "\n".join("0123456789")}
    assert alice_client.post(url("inputs", version.machine_id), sent).status_code == 302
    (digit,) = said_of(version)["outputs"]
    assert (digit["name"], digit["kind"], len(digit["labels"])) == ("Digit", "logits", 10)


def test_a_picture_has_no_form(point, alice_client):
    version = wide(point, 784)
    detail = url("detail", version.machine_id)
    for address in (url("inputs", version.machine_id), reverse("machines:predict", args=[version.machine_id])):
        assert alice_client.get(address)["Location"] == detail
    shown = page(alice_client.get(detail))
    assert "more values than a form can ask for" in shown.text and "[1] * 784" in shown.text
    assert "To the model" in page(alice_client.get(reverse("machines:sharing", args=[version.machine_id]))).text


def test_a_version_that_was_checked_while_another_one_was_chosen_is_offered(point, bob_client, alice_client, team):
    first = checked(upload(point, team=team))
    second = checked(upload(point, chance_onnx(weight=2.0), machine=first.machine))
    third = upload(point, chance_onnx(weight=3.0), machine=first.machine)
    detail = url("detail", first.machine_id)
    alice_client.post(url("version-use", first.machine_id, 1))
    assert "Version 3 is ready" not in page(alice_client.get(detail)).text
    checked(third)
    shown = page(alice_client.get(detail))
    assert "Version 3 is ready Version 1 was chosen while it was checked, and keeps answering." in shown.text
    assert len(shown.all("form", action=url("version-use", first.machine_id, 3))) == 2, "there and in the table"
    assert not page(bob_client.get(detail)).all("form", action=url("version-use", first.machine_id, 3))
    shown = page(alice_client.post(url("version-use", first.machine_id, 3), follow=True))
    assert "Version 3 answers from now on" in shown.text and "Version 3 is ready" not in shown.text
    assert second.number == 2


def test_why_a_model_was_not_converted_is_said_in_the_readers_language(model, version, alice_client, monkeypatch):
    why = Notice(DIFFERS, {"worst": "0.2"}).to_json()
    ModelVersion.objects.filter(pk=version.pk).update(served="native", report={"why_native": why})
    assert "Its ONNX form answers differently, by up to 0.2." in page(alice_client.get(url("detail", model.pk))).text
    monkeypatch.setattr(texts, "gettext", {DIFFERS: "Отличается до %(worst)s."}.__getitem__)
    assert "Отличается до 0.2." in page(alice_client.get(url("detail", model.pk))).text


def test_the_sharing_page_calls_nothing_a_machine(model, alice_client):
    shown = page(alice_client.get(reverse("machines:sharing", args=[model.pk]))).text.rpartition("Who can use it")[2]
    assert "Publish the form" in shown and "machine" not in shown.lower()


def test_hostile_words_stay_text(model, version, alice_client):
    evil = "<script>alert(1)</script>"
    ModelVersion.objects.filter(pk=version.pk).update(
        file_name=f"{evil}.onnx",
        report={"operators": {evil: 1}, "scanner": [evil], "why_native": Notice("%(why)s", {"why": evil}).to_json()},
        served="native",
    )
    alice_client.post(url("inputs", model.pk), words(type1_name=evil, type1_description=evil, kind1_name="%(x)s {{y}}"))
    for address in (url("detail", model.pk), url("inputs", model.pk), url("list")):
        assert "<script>alert" not in alice_client.get(address).content.decode()
