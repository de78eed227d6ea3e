"""Answers: what the service says is what the model says."""

import numpy as np
import pytest

from machines.engine.schema import Schema
from machines.services import predictions
from machines.services.predictions import NotTrainedError, description_of, prediction_make, row_table
from machines.serving.predictor import Predictor
from models import Machine, NNModel
from tests.factories import make_machine
from tests.machines.houses import ANSWERS, SECONDS, houses

pytestmark = pytest.mark.django_db

VALUES = ANSWERS | {"size": 41.5, "delta": -3.0, "pressure": 88.0} | SECONDS


def plain(answers):
    return {
        answer.name: (
            answer.values.tolist(),
            {label: chance.tolist() for label, chance in answer.probabilities.items()},
        )
        for answer in answers
    }


def test_it_works(machine):
    risk, price = prediction_make(machine=machine, values=VALUES)
    assert (risk.name, price.name) == ("risk", "price")
    assert risk.values[0] in {"yes", "no"}
    assert sum(chance[0] for chance in risk.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert price.low[0] < price.values[0] < price.high[0]
    assert price.values[0] == pytest.approx(3 * 41.5, abs=60)


def test_it_is_what_the_file_alone_answers(machine):
    table = {
        name: np.array([VALUES[name]], dtype=object if isinstance(VALUES[name], str) else float) for name in VALUES
    }
    assert plain(prediction_make(machine=machine, values=VALUES)) == plain(Predictor(houses().onnx).predict(table))


def test_every_answer_matters_to_the_table(machine):
    table = row_table(Schema.from_json(description_of(machine)["columns"]), VALUES)
    assert {name: values.tolist() for name, values in table.items()} == {name: [VALUES[name]] for name in table}
    assert set(table) == set(VALUES)


def test_zero_counts_as_missing_where_the_owner_said_so(machine):
    zero, unknown, one = (
        plain(prediction_make(machine=machine, values=VALUES | {"pressure": value})) for value in (0.0, None, 60.0)
    )
    assert zero == unknown
    assert zero != one


def test_zero_is_a_number_elsewhere(machine):
    table = row_table(Schema.from_json(description_of(machine)["columns"]), VALUES | {"delta": 0.0})
    assert table["delta"].tolist() == [0.0]


@pytest.mark.parametrize("name", ["city", "kind", "note"])
def test_a_label_never_seen_is_answered(machine, name):
    risk, price = prediction_make(machine=machine, values=VALUES | {name: "Ωmega – 東京 🏠"})
    assert np.isfinite(price.values[0]) and risk.values[0] in {"yes", "no"}


@pytest.mark.parametrize("values", [{}, dict.fromkeys(VALUES)], ids=["nothing given", "all unknown"])
def test_knowing_nothing_is_answered(machine, values):
    risk, price = prediction_make(machine=machine, values=values)
    assert np.isfinite([price.low[0], price.values[0], price.high[0]]).all()
    assert 0 < risk.probabilities["yes"][0] < 1


@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300])
def test_absurd_numbers_are_answered(machine, value):
    _risk, price = prediction_make(machine=machine, values=VALUES | {"size": value})
    assert np.isfinite(price.values[0])


def test_what_is_no_column_changes_nothing(machine):
    assert plain(prediction_make(machine=machine, values=VALUES | {"nonsense": 1.0})) == plain(
        prediction_make(machine=machine, values=VALUES)
    )


def test_an_untrained_machine_says_so():
    with pytest.raises(NotTrainedError):
        description_of(make_machine())
    with pytest.raises(NotTrainedError):
        prediction_make(machine=make_machine(), values={})


def test_a_loaded_model_is_used_again_until_the_next_version(machine, django_assert_num_queries):
    prediction_make(machine=machine, values=VALUES)
    with django_assert_num_queries(0):
        prediction_make(machine=machine, values=VALUES)
    NNModel.objects.update(nn_model=None)
    Machine.objects.update(model_version=2)
    with pytest.raises(NotTrainedError):
        prediction_make(machine=Machine.objects.get(), values=VALUES)
    assert len(predictions.SESSIONS) == 1
