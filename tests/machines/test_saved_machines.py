"""A machine saved once answers as it did then, after any upgrade: see engine/corpus."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from machines.answers import answer_views
from machines.engine import describe
from machines.engine.schema import Schema
from machines.forms.prediction import PredictionForm
from machines.forms.rows import read_rows
from machines.serving.predictor import Predictor, answers_to_columns
from machines.serving.reasons import reasons
from models import EncDecConfiguration, NNModel
from models.machine import MachineStatus
from tests.factories import make_machine
from tests.machines.engine.corpus.make_corpus import MACHINES

CORPUS = sorted((Path(__file__).parent / "engine" / "corpus").glob("*.onnx"))
SAVED = pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)


def saved(path):
    """The machine, rows as it takes them, and what it answered when it was saved."""
    predictor, said = Predictor(path.read_bytes()), orjson.loads(path.with_suffix(".json").read_bytes())
    kinds = {column.name: float if column.type.is_numeric else object for column in predictor.schema.inputs}
    return predictor, {name: np.array(said["rows"][name], kind) for name, kind in kinds.items()}, said["answers"]


@SAVED
def test_it_works(path):
    predictor, rows, said = saved(path)
    answers = answers_to_columns(predictor.predict(rows))
    assert list(answers) == list(said)
    for name, values in answers.items():
        if isinstance(values[0], str):
            assert values == said[name]
        else:
            assert np.allclose(values, np.array(said[name], float), rtol=1e-5, atol=1e-5)


@SAVED
def test_what_it_says_of_itself_makes_a_form_an_answer_and_reasons(path):
    predictor, rows, _ = saved(path)
    metadata, inputs = predictor.metadata, [column.name for column in predictor.schema.inputs]
    assert metadata["version"] <= describe.VERSION and Schema.from_json(metadata["columns"]).outputs
    form = PredictionForm(metadata, {}, {})
    assert form.is_valid() and sorted(field.label for field in form.fields.values()) == sorted(inputs)
    table = read_rows(metadata, {"rows": [{}]}).table
    (first, *_) = views = answer_views(predictor.predict(table), metadata)
    assert len(views) == len(metadata["outputs"]) and first.outcome and first.rows
    assert {output["name"] for output in metadata["report"]["outputs"]} == {view.name for view in views}
    reasons(predictor, {name: cells[:1] for name, cells in rows.items()})  # old files may not hold what it takes


def test_every_kind_of_candidate_has_been_saved():
    assert {path.stem.split("-", 1)[1] for path in CORPUS} == set(MACHINES)
    weights = [Predictor(path.read_bytes()).metadata["report"]["outputs"][0]["weights"] for path in CORPUS]
    kinds = {name.rstrip("0123456789 ") for each in weights for name in each}
    assert kinds >= {"linear", "boosting", "forest", "network", "network in pieces", "ensemble network"}
    assert sum(path.stat().st_size for path in CORPUS) < 1_000_000


def test_it_answers_on_the_site(point, client):
    onnx = next(path for path in CORPUS if path.stem == "1-everything").read_bytes()
    machine = make_machine(
        owner=point,
        status=MachineStatus.READY,
        model_version=1,
        training_nn_model=NNModel.objects.create(nn_model=onnx),
        enc_dec_configuration=EncDecConfiguration.objects.create(enc_dec_config=Predictor(onnx).metadata),
    )
    client.force_login(point)
    address = f"/machines/{machine.pk}/predict/"
    assert "rooms" in client.get(address).content.decode()
    answer = client.post(address, {"c0": "120"}).content.decode()
    assert "price" in answer and "kind" in answer and "likely" in answer
