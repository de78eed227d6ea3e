"""Answering: names, speed paths and the cache."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from machines.engine.fit import fit
from machines.engine.parameters import Parameters
from machines.serving.predictor import CHUNK, Predictor, answers_to_columns
from machines.serving.sessions import Cache, trim
from tests.machines.engine.tables import make_table


@pytest.fixture(scope="module")
def file():
    table, schema = make_table(150)
    return fit(table, schema, level=1, deadline=2, seed=0, parameters=Parameters(epochs=2)).onnx


def test_it_works(file):
    table, _ = make_table(5, 9)
    price, kind = Predictor(file).predict(table)
    assert price.values.shape == price.low.shape == (5,) and (price.low < price.high).all()
    assert np.allclose(sum(kind.probabilities.values()), 1, atol=1e-5)
    columns = answers_to_columns([price, kind])
    assert list(columns)[:4] == ["price", "price:low", "price:high", "kind"]
    assert list(columns)[4:] == [f"kind:{label}" for label in kind.probabilities]
    assert all(type(values) is list and len(values) == 5 for values in columns.values())


def test_many_rows_are_answered_like_few(file):
    table, _ = make_table(2 * CHUNK + 3, 9)
    predictor = Predictor(file)
    whole = predictor.run(table)["price"]
    last = predictor.run({name: values[-3:] for name, values in table.items()})["price"]
    assert len(whole) == 2 * CHUNK + 3 and np.allclose(whole[-3:], last, rtol=1e-5)


def test_absent_columns_count_as_missing(file):
    predictor = Predictor(file)
    nothing = {"size": np.array([90.0]), "city": np.array([""], dtype=object)}
    assert predictor.run({"size": np.array([90.0])}) == predictor.run(nothing)


def test_columns_of_different_length_are_refused(file):
    with pytest.raises(ValueError, match="differ in length"):
        Predictor(file).predict({"size": np.zeros(2), "rooms": np.zeros(3)})


def test_no_rows_no_answers(file):
    table = {name: values[:0] for name, values in make_table(1)[0].items()}
    assert [len(values) for values in Predictor(file).run(table).values()] == [0] * 6


def test_metadata(file):
    predictor = Predictor(file)
    assert [o["name"] for o in predictor.metadata["outputs"]] == ["price", "kind"]
    assert len(predictor.schema.inputs) == 7


def test_answering_needs_no_training_library():
    code = "import machines.serving.sessions, sys; print([m for m in ('torch', 'sklearn', 'polars', 'onnx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cache_keeps_what_was_asked_last(file):
    cache = Cache(most_bytes=int(len(file) * 2.5 * 2.5))  # two machines and a half
    first = cache.get("a", lambda: file)
    assert cache.get("a", pytest.fail) is first
    cache.get("b", lambda: file)
    assert cache.get("a", pytest.fail) is first
    cache.get("c", lambda: file)
    assert len(cache) == 2 and cache.get("a", pytest.fail) is first
    assert cache.get("b", lambda: file) is not None and cache.size <= cache.most_bytes
    cache.drop("b")
    assert len(cache) == 1
    trim()


def test_cache_survives_a_failed_load(file):
    cache = Cache()
    with pytest.raises(OSError):
        cache.get("a", lambda: (_ for _ in ()).throw(OSError))
    assert cache.get("a", lambda: file) is cache.get("a", pytest.fail)


def test_threads_load_once_and_agree(file):
    cache, loads, answers = Cache(), [], []

    def load():
        loads.append(1)
        time.sleep(0.05)
        return file

    def ask(seed):
        for _ in range(20):
            answers.append((seed, cache.get("m", load).run(make_table(1, seed)[0])["price"][0]))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1 and len(answers) == 120
    assert len(set(answers)) == 6


def test_a_forked_child_starts_with_an_empty_cache(file):
    cache = Cache()
    cache.get("a", lambda: file)
    cache._process -= 1  # as seen by a child
    with pytest.raises(OSError):
        cache.get("a", lambda: (_ for _ in ()).throw(OSError))
