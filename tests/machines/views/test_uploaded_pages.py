"""What people saw wrongly on the pages of uploaded models when they tried them."""

import html
import json
import re
import subprocess

import pytest
from django.urls import reverse

from machines.serving import description
from machines.serving.signature import Signature
from machines.uploaded_view import ModelPage
from models import Machine, ModelVersion
from models.model_version import Framework, VersionState
from tests.factories import make_version
from tests.machines.views.pages import page

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(point):
    return make_version(owner=point, machine_name="Linear").machine


def with_inputs(point, *inputs):
    """A model whose inputs have these names and shapes."""
    tensors = [{"name": name, "dtype": "float32", "shape": shape} for name, shape in inputs]
    signature = {"inputs": tensors, "outputs": [{"name": "y", "dtype": "float32", "shape": [1]}], "batch": None}
    told = description.propose(Signature.from_json(signature))
    return make_version(owner=point, signature=signature, description=told)


def command_of(version, client):
    """The command on its page, as a browser copies it."""
    shown = client.get(reverse("uploaded:detail", args=[version.machine_id])).content.decode()
    return html.unescape(re.search("<pre><code>(.*?)</code></pre>", shown, re.DOTALL)[1])


def sent_by(command):
    """What the command on the page gives to curl, as a shell reads it."""
    script = 'curl() { [ "${@: -1}" = @- ] && cat || printf %s "${@: -1}"; }\n' + command
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def test_the_key_has_one_name_everywhere(model, alice_client):
    """The guides and the page of all calls say EASYAUTOML_KEY, so that it is set once."""
    shown = page(alice_client.get(reverse("uploaded:detail", args=[model.pk])))
    assert "$EASYAUTOML_KEY" in shown.text and shown.all("a", href=reverse("accounts:keys"))
    assert "EASYAUTOML_KEY" in page(alice_client.get(reverse("api:docs"))).text


def test_good_news_of_the_scanner_are_no_warning(model, alice_client):
    ModelVersion.objects.filter(machine=model).update(report={"scanner": ["This format cannot hold code."]})
    shown = page(alice_client.get(reverse("uploaded:detail", args=[model.pk])))
    assert "A look at the file" in shown.text and "This format cannot hold code." in shown.text
    assert not [alert for alert in shown.all("div") if "alert-warning" in (alert.get("class") or "")]


@pytest.mark.parametrize(
    "inputs",
    [
        [("x", [3])],
        [("x", [10, 4])],
        [("x", [28, 28, 1])],
        [("city", [1]), ("pixels", [3, 32, 32])],
        [("x", [None, 40])],
    ],
    ids=lambda inputs: str(inputs[-1][1]),
)
def test_the_command_runs_as_it_stands(point, alice_client, inputs):
    data = json.loads(sent_by(command_of(with_inputs(point, *inputs), alice_client)))["input_data"]
    for name, shape in inputs:
        row = data[name] if len(inputs) > 1 else data
        for size in [1, *shape]:
            assert len(row) == (size or 1)
            row = row[0]
        assert row == 1


@pytest.mark.parametrize("shape", [[1], [99]])
def test_a_hostile_name_runs_nothing_when_the_command_is_copied(point, alice_client, tmp_path, shape):
    name = f"'; touch {tmp_path}/owned; echo '"
    body = sent_by(command_of(with_inputs(point, (name, shape), ("b", [1])), alice_client))
    assert name in json.loads(body)["input_data"] and not (tmp_path / "owned").exists()


def test_a_check_that_ends_while_the_page_is_made_leaves_no_empty_page(model):
    version = model.uploaded_version
    Machine.objects.filter(pk=model.pk).update(uploaded_version=None)
    stale = Machine.objects.get(pk=model.pk)
    Machine.objects.filter(pk=model.pk).update(uploaded_version=version)
    assert ModelPage(stale).used.version == version


@pytest.mark.parametrize("name", ["predict", "solve", "sharing", "delete"])
def test_its_pages_belong_to_the_models(model, alice_client, name):
    shown = page(alice_client.get(reverse(f"machines:{name}", args=[model.pk])))
    here = [link["href"] for link in shown.all("a") if link.get("aria-current")]
    assert here == [reverse("uploaded:list")]
    assert len(shown.all("a", href=reverse("uploaded:list"))) == 2, "in the navigation and among the crumbs"


def test_the_list_tells_what_answers_not_what_was_refused(model, alice_client):
    make_version(model, state=VersionState.REFUSED, framework=Framework.PYTORCH)
    shown = page(alice_client.get(reverse("uploaded:list")))
    assert "ONNX · .onnx" in shown.text and "PyTorch" not in shown.text


def test_who_deleted_a_model_is_back_among_the_models(model, alice_client):
    assert alice_client.post(reverse("machines:delete", args=[model.pk]))["Location"] == reverse("uploaded:list")


def test_a_model_without_a_form_offers_none_in_the_list(point, alice_client):
    wide, small = with_inputs(point, ("x", [784])), with_inputs(point, ("x", [3]))
    shown = page(alice_client.get(reverse("uploaded:list")))
    assert not shown.all("a", href=reverse("machines:predict", args=[wide.machine_id]))
    assert shown.all("a", href=reverse("machines:predict", args=[small.machine_id]))
