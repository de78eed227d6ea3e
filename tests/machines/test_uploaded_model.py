"""An uploaded model is a machine like others: its form, its public link, many rows at once, and nobody else's answers."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from accounts.services.keys import key_make
from machines.engine.errors import DataError
from machines.services.hosting import ModelFailedError
from machines.services.machines import machine_delete
from machines.services.predictions import prediction_make, predictor_of
from machines.services.public import LinkClosedError, open_link, questions_of
from machines.services.sharing import link_publish
from machines.services.solving import answers_path, errors_path, solving_start
from machines.services.texts import sentence
from machines.services.uploads import model_describe, version_call
from models import Machine, Work
from models.work import WorkState
from tests.conftest import signed_in
from tests.factories import linear_onnx, make_version
from tests.machines.diabetes import OFFSETS, PERSON, SCALES
from tests.machines.services.test_solving import done
from tests.machines.uploaded import NAMES, chance_onnx, checked, text_onnx, upload
from tests.machines.views.pages import page, url

pytestmark = pytest.mark.django_db

WORDS = [
    {"name": name, "offset": offset, "scale": scale, "low": 0, "high": 200}
    for name, offset, scale in zip(NAMES, OFFSETS, SCALES, strict=True)
]
ILL = [{"name": "Outcome", "kind": "chance", "labels": ["no", "yes"]}]
TYPED = {f"c{number}": str(value) for number, value in enumerate(PERSON)}


@pytest.fixture(scope="session")
def nets(tmp_path_factory):
    """The nets of tests.machines.diabetes, made by Keras and PyTorch today."""
    folder = tmp_path_factory.mktemp("nets")
    command = [sys.executable, "-m", "tests.machines.diabetes", folder]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    return folder


def now(version):
    return Machine.objects.select_related("enc_dec_configuration").get(pk=version.machine_id)


def ready(user, content=None, inputs=None, outputs=None, **kwargs):
    version = checked(upload(user, content, **kwargs))
    assert version.state == "ready", version.notice
    if inputs:
        model_describe(version=version, user=user, inputs=inputs, outputs=outputs)
    return version


@pytest.mark.parametrize(("framework", "file"), [("tensorflow", "net.keras"), ("pytorch", "net.pt")])
def test_the_diabetes_form_works(nets, point, framework, file):
    """For a net of Keras and one of PyTorch: the form, and a link for strangers, say what the framework says."""
    content = (nets / file).read_bytes()
    version = ready(point, content, WORDS, ILL, framework=framework, file_name=file, input_columns=NAMES)
    assert version.served == "converted", version.report["why_native"]
    answers = json.loads((nets / "answers.json").read_text())
    (answer,) = prediction_make(machine=now(version), values=dict(zip(NAMES, PERSON, strict=True)))
    assert answer.probabilities["yes"][0] == pytest.approx(answers[framework], abs=1e-5)
    client, told = signed_in(point), f"{100 * answers[framework]:.0f}"
    assert page(client.get(url("predict", version.machine_id))).questions() == list(TYPED)
    shown = page(client.post(url("predict", version.machine_id), TYPED))
    assert "8 of 8 answered" in shown.text and told in shown.text
    link = published(version, point)
    stranger = Client(headers={"Accept-Language": "en"})
    assert told in page(stranger.post(path_of(link), TYPED)).text
    link.refresh_from_db()
    assert link.uses == 1


def published(version, user, questions=()):
    given = {"name": "", "allowed_sites": [], "max_uses": None, "expires_at": None}
    return link_publish(machine=now(version), user=user, questions=list(questions), **given)


def path_of(link):
    return "/" + link.link.partition("://")[2].partition("/")[2]


def ask(version, user, **typed):
    return signed_in(user).post(url("predict", version.machine_id), {"c0": "1", "c1": "2", "c2": "3"} | typed)


def test_what_the_model_needs_is_asked_for_and_what_was_typed_is_kept(point):
    version = ready(point)
    shown = page(ask(version, point, c1=""))
    assert "The model needs this value." in shown.text
    assert shown.one("input", name="c0")["value"] == "1"
    assert "I don't know" not in shown.text and "placeholder" not in shown.one("input", name="c1")


def test_a_value_with_a_stand_in_may_be_left_open(point):
    version = ready(point, None, ["a", {"name": "b", "fill": 2}, "c"])
    with_it, without = (page(ask(version, point, c1=typed)) for typed in ("2", ""))
    assert with_it.text.replace("3 of 3", "2 of 3") == without.text


def test_ranges_are_its_owners_words_and_warn(point):
    version = ready(point, None, [{"name": "a", "low": 0, "high": 10, "unit": "cm"}, {"name": "b", "low": 5}, "c"])
    shown = page(ask(version, point, c0="11", c1="6")).text
    assert "Outside what its owner expects (0 – 10)." in shown and "1 value lies outside" in shown
    assert "training" not in shown and "cm" in shown and "from 5" in shown


def test_only_what_the_model_can_take_is_taken(point):
    labels = [f"town {number}" for number in range(30)]
    version = ready(point, None, [{"name": "town", "type": "choice", "labels": labels}, "b", "c"])
    assert "The model does not know this one." in page(ask(version, point, c0="Paris")).text
    assert "probability" in page(ask(version, point, c0="town 3")).text


def test_a_number_comes_without_a_range_that_nobody_told(point):
    version = ready(point, linear_onnx(), ["a", "b", "c"], [{"name": "Price", "unit": "kEUR", "low": 0, "high": 29}])
    shown = page(ask(version, point)).text
    assert "14.5 kEUR" in shown and "This model tells no range" in shown and "Average" not in shown


def test_answers_that_are_none_are_said_plainly(point):
    nothing = chance_onnx(weight=float("nan"))
    version = ready(point, nothing)
    response = ask(version, point)
    assert response.status_code == 200 and "The model gave no usable answer" in page(response).text
    assert "nan" not in page(response).text.lower()


def test_text_of_a_model_is_shown_as_text(point):
    version = ready(point, text_onnx("<script>alert(1)</script>"))
    response = signed_in(point).post(url("predict", version.machine_id), {"c0": "1"})
    assert "<script>alert" not in response.content.decode() and "<script>alert(1)" in page(response).text


def test_a_model_that_fails_is_a_sentence_above_the_form(point):
    version = make_version(owner=point, onnx=b"this was a model before somebody broke the database")
    response = ask(version, point)
    assert response.status_code == 422
    assert "The model could not be loaded." in page(response).text
    assert page(response).one("input", name="c0")["value"] == "1"
    with pytest.raises(ModelFailedError):
        prediction_make(machine=now(version), values={"x1": 1.0, "x2": 1.0, "x3": 1.0})


def test_a_short_public_form_asks_for_what_the_model_needs_all_the_same(point):
    version = ready(point, None, ["a", {"name": "b", "fill": 2}, "c"])
    link = published(version, point, ["a"])
    opened = open_link(token=path_of(link).split("/")[2])
    assert [item["name"] for item in questions_of(link=opened)["inputs"]] == ["a", "c"]


def test_a_public_link_ends_with_its_model(point):
    version = ready(point)
    link = published(version, point)
    machine_delete(machine=version.machine, user=point)
    with pytest.raises(LinkClosedError):
        open_link(token=path_of(link).split("/")[2])


def test_a_picture_has_no_form(point):
    version = ready(point, chance_onnx(inputs=784))
    response = signed_in(point).get(url("predict", version.machine_id), follow=True)
    assert response.status_code == 200 and "takes more values than a form can ask for" in page(response).text
    with pytest.raises(DataError, match="more values than a form"):
        predictor_of(now(version))
    answer = version_call(version=version, feed={"x": np.zeros((2, 784), np.float32)}, caller="")
    assert answer["y"].tolist() == [[0.5], [0.5]]


# Many rows


def solved(version, user, lines, name="rows.csv"):
    content = "\n".join(lines).encode()
    work = done(solving_start(machine=now(version), user=user, file_name=name, chunks=[content], format="csv"))
    return work


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_many_rows_are_answered_in_a_locked_process(point, alice_client, django_capture_on_commit_callbacks):
    inputs = ["a", {"name": "b", "type": "choice", "labels": ["no", "yes"]}, {"name": "c", "fill": 1}]
    version = ready(point, linear_onnx(), inputs, [{"name": "sum"}])
    with django_capture_on_commit_callbacks(execute=True):
        work = solved(version, point, ["a,b,c,note", "1,yes,1,x", "2,no,,y", ",no,1,z", "4,maybe,1,z", "wide,no,1,z"])
    assert work.state is WorkState.FINISHED, work.message
    assert [row["sum"] for row in rows_of(answers_path(work))] == ["6.5", "5.5", "", "", ""]
    problems = [(row["row"], row["column"], row["value"]) for row in rows_of(errors_path(work))]
    assert Counter(problems) == Counter({("3", "a", ""): 1, ("4", "b", "maybe"): 1, ("5", "a", "wide"): 2})
    assert (work.result["unreadable"], work.result["unanswered"]) == ({"a": 1}, 3), "each cell is counted once"
    assert b"2 of 5 rows answered" in alice_client.get(url("answers", work.machine_id, work.pk)).content
    assert {path.suffix for path in answers_path(work).parent.iterdir()} == {".csv", ".json"}, "the model went"


def test_rows_with_chances_have_one_column_for_each_label(point):
    version = ready(point, None, ["a", "b", "c"], ILL)
    (row,) = rows_of(answers_path(solved(version, point, ["a,b,c", "0,0,0"])))
    assert row == {"a": "0", "b": "0", "c": "0", "Outcome": "no", "Outcome:no": "0.5", "Outcome:yes": "0.5"}


def test_rows_without_a_usable_answer_are_named(point):
    version = ready(point, chance_onnx(weight=float("nan")))
    work = solved(version, point, ["x1,x2,x3", "1,2,3"])
    assert [row["problem"] for row in rows_of(errors_path(work))] == ["The model gave no usable answer to this row."]


def test_a_column_that_the_model_needs_is_named(point):
    work = solved(ready(point), point, ["x1,x2", "1,2"])
    assert work.state is WorkState.ERROR and "needs the column “x3”" in sentence(work.notice)


def test_a_model_that_is_not_ready_takes_no_rows(point):
    version = upload(point)
    with pytest.raises(DataError, match="no version that passed its check"):
        solving_start(machine=now(version), user=point, file_name="r.csv", chunks=[b"x1\n1\n"], format="csv")
    assert not Work.objects.filter(is_work_solving=True).exists()


# One caller never learns what another one sent


def test_a_model_that_remembers_shows_nobody_the_row_of_another(nets, point):
    version = ready(point, (nets / "remembers.pt").read_bytes(), framework="pytorch", file_name="remembers.pt")
    assert version.served == "native"

    def say(caller, *row):
        feed = {version.signature["inputs"][0]["name"]: np.array([row], np.float32)}
        ((answer,),) = version_call(version=version, feed=feed, caller=caller).values()
        return answer.tolist()

    assert say("anna", 1, 2) == [0, 0] and say("anna", 3, 4) == [1, 2], "it does remember"
    assert say("ben", 5, 6) == [0, 0]
    assert say("", 7, 8) == [0, 0] and say("", 9, 9) == [0, 0], "nobody's rows are remembered at all"
    machine = now(version)
    predictors = [predictor_of(machine, caller) for caller in ("carl", "", "")]
    columns = {item["name"]: np.array([7.0]) for item in predictors[0].metadata["inputs"]}
    assert [float(p.predict(columns)[0].values[0]) for p in predictors] == [0, 0, 0]


def test_of_two_persons_with_pages_or_keys_none_sees_the_others_row(nets, point, bob, team):
    given = {"framework": "pytorch", "file_name": "remembers.pt", "team": team}
    version = ready(point, (nets / "remembers.pt").read_bytes(), **given)
    fields = {f"c{number}": "77" for number in range(len(version.description["inputs"]))}
    for user in (point, bob):
        shown = page(signed_in(user).post(url("predict", version.machine_id), fields)).text
        answer = shown.partition("2 of 2 answered")[2]
        assert "This model tells no range" in answer and "77" not in answer
    names = [item["name"] for item in version.description["inputs"]]
    for user, own, others in ((point, 1111.0, 2222.0), (bob, 2222.0, 1111.0), (point, 1111.0, 2222.0)):
        (answer,) = sent(user, version, dict.fromkeys(names, own))["predictions"]
        assert others not in answer.values()
    assert 1111.0 in answer.values(), "it does remember, but for her alone"


# Rows over REST


def sent(user, version, *rows, status=200):
    _, secret = key_make(user=user, team=None, name="Test", scopes=["predict"], lasts=None)
    headers = {"Authorization": f"Bearer {secret}"}
    address = f"/api/machines/{version.machine_id}/predict/"
    response = Client().post(address, {"rows": rows}, content_type="application/json", headers=headers)
    assert response.status_code == status, response.content
    return response.json()


def test_rows_over_rest_are_answered_by_column(point):
    version = ready(point, None, [{"name": "a", "low": 0, "high": 10}, {"name": "b", "fill": 0}, "c"], ILL)
    answer = sent(point, version, {"a": 11, "c": -11}, {"a": 0, "b": 0, "c": 0})
    chances = {"no": 0.5, "yes": 0.5}
    assert answer["predictions"] == [{"Outcome": "no", "Outcome:probabilities": chances}] * 2
    assert answer["warnings"] == ["“a” is outside what its owner expects (0 – 10) in 1 row."]


def test_rows_over_rest_name_what_the_model_needs_and_cannot_take(point):
    inputs = [{"name": "sex", "type": "choice", "labels": ["f", "m"]}, "b", "c"]
    version = ready(point, None, inputs)
    error = sent(point, version, {"sex": "x", "b": 1, "c": 1}, {"sex": "f", "b": 1}, status=422)["error"]
    assert set(error["fields"]) == {"rows[0].sex", "rows[1].c"}
    assert "Send one of its labels: f, m." in error["fields"]["rows[0].sex"][0]
    assert "needs a value" in error["fields"]["rows[1].c"][0]


def test_rows_over_rest_say_when_there_is_no_usable_answer(point):
    version = ready(point, chance_onnx(weight=float("nan")))
    answer = sent(point, version, {"x1": 1, "x2": 2, "x3": 3})
    assert answer["predictions"][0]["y"] == "" and set(answer["predictions"][0]["y:probabilities"].values()) == {None}
    assert "no usable answer" in answer["warnings"][0]
