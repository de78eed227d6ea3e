"""Asking models that may do anything: the right answer, or one word why there is none, in time; and nothing left behind."""

import time

import numpy as np
import pytest

from machines.serving.locked import runner as module
from machines.serving.locked.lock import Limits, Protection, protection
from machines.serving.locked.onnx_loader import IDENTITY
from machines.serving.locked.promised import MOST_LETTERS
from machines.serving.locked.runner import Hosted
from machines.serving.signature import Signature, Tensor
from tests.machines.serving.locked.conftest import X, fails, make_runner, odd, rows

pytestmark = pytest.mark.skipif(
    not protection().is_whole, reason=f"needs Linux with Landlock and seccomp: {protection().why_not}"
)
ONNX = Hosted("onnx", lambda: IDENTITY, Signature(X.inputs, X.outputs, batch=1))


def test_it_works(runner):
    assert runner.call("a", odd("double"), rows(1, 2.5))["y"].tolist() == [[2], [5]]
    assert runner.call("a", odd("double"), rows(4))["y"].tolist() == [[8]]
    assert runner.call("b", ONNX, rows(1, 2, 3))["y"].tolist() == [[1], [2], [3]]  # of a model that takes one row


def test_the_content_is_read_once(runner):
    reads = []
    hosted = Hosted("odd", lambda: reads.append(1) or b"double", X)
    for _ in range(3):
        runner.call("a", hosted, rows(1))
    assert reads == [1]


def test_many_rows_go_in_batches_of_1024(runner):
    answer = runner.call("a", odd("count_batches"), rows(*range(2500)))["y"][:, 0]
    assert np.allclose(answer[[0, 1023, 1024, 2047, 2048, 2499]], [1.1024, 1.1024, 2.1024, 2.1024, 3.0452, 3.0452])


def test_a_fixed_batch_is_filled_up(runner):
    four = Signature(X.inputs, X.outputs, batch=4)
    answer = runner.call("a", odd("count_batches", signature=four), rows(*range(6)))["y"][:, 0]
    assert np.allclose(answer, [1.0004] * 4 + [2.0004] * 2)


def test_no_rows_need_no_model(runner):
    assert runner.call("a", odd("leave"), {"x": np.zeros((0, 1))})["y"].shape == (0, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool", "uint8"])
def test_every_type_arrives_as_it_was_sent(runner, dtype):
    both = Signature((Tensor("x", dtype, (2, None)),), (Tensor("x", dtype, (2, None)),))
    given = np.arange(12).reshape(2, 2, 3).astype(dtype)
    got = runner.call(dtype, Hosted("odd", lambda: b"same", both), {"x": given})["x"]
    assert got.dtype == given.dtype and (got == given).all()


def test_texts_arrive_as_they_were_sent(runner):
    both = Signature((Tensor("x", "str"),), (Tensor("x", "str"),))
    given = ["", "Ünïcode", "a\0b", "<b>", "x" * MOST_LETTERS]
    got = runner.call("text", Hosted("odd", lambda: b"same", both), {"x": np.array(given, dtype=object)})["x"]
    assert got.tolist() == given
    long = {"x": np.array(["x" * MOST_LETTERS + "x"], dtype=object)}
    assert fails(runner, Hosted("odd", lambda: b"same", both), long) == "output"


@pytest.mark.parametrize(
    "feed",
    [
        {},
        {"x": np.zeros((1, 1)), "z": np.zeros((1, 1))},
        {"x": np.zeros(1)},
        {"x": np.zeros((1, 2))},
        {"x": np.array([["a"]], dtype=object)},
        {"x": np.zeros((1, 1), complex)},
    ],
)
def test_a_feed_that_does_not_fit_is_refused_before_the_model_sees_it(runner, feed):
    assert fails(runner, odd("leave"), feed) == "input"


def test_nan_is_handed_on(runner):
    assert np.isnan(runner.call("a", odd("nan"), rows(1))["y"]).all()


NOT_PROMISED = "other_type other_rows other_width garbage no_json no_object deep_json huge_claim negative_claim"
NOT_PROMISED += " nothing_in_a_large_shape infinite_body object_array overlong_body two_of_a_name two_frames"


@pytest.mark.parametrize("name", NOT_PROMISED.split())
def test_an_answer_that_is_not_what_was_promised_is_none(runner, name):
    assert fails(runner, odd(name)) == "output"
    assert runner.call("other", odd("double"), rows(1))["y"].tolist() == [[2]]


def test_a_reply_has_a_largest_size():
    runner = make_runner(most_reply_mb=1)
    try:
        assert fails(runner, odd("double"), rows(*range(300_000))) == "output"
    finally:
        runner.close()


@pytest.mark.parametrize(("name", "reason"), [("leave", "crash"), ("memory", "memory"), ("does not load", "load")])
def test_a_broken_model_says_how_and_the_next_call_starts_anew(runner, name, reason):
    assert [fails(runner, odd(name)) for _ in range(2)] == [reason, reason]
    assert runner.call("model", odd("double"), rows(1))["y"].tolist() == [[2]]


def test_what_a_child_says_of_itself_is_no_reason_of_ours(runner):
    assert fails(runner, odd("own_reason")) == "crash"


def test_rows_that_the_model_refuses_cost_it_nothing(runner):
    runner.call("model", odd("refuse"), rows(1))
    process = runner._places["model"].process
    assert fails(runner, odd("refuse"), rows(-1)) == "input"
    assert runner._places["model"].process is process


@pytest.mark.parametrize("name", ["sleep", "dribble"])
def test_the_deadline_ends_the_process(runner, name):
    began = time.monotonic()
    assert fails(runner, odd(name), rows(60), seconds=0.3) == "deadline"
    assert 0.3 <= time.monotonic() - began < 3
    assert "model" not in runner._places


def test_memory_is_limited_beyond_what_python_takes(runner):
    runner = make_runner(limits=Limits(memory_mb=64))
    try:
        assert fails(runner, odd("double"), rows(*range(10_000_000))) in {"memory", "crash"}
        assert runner.call("other", odd("double"), rows(1))["y"].tolist() == [[2]]
    finally:
        runner.close()


def test_where_nothing_can_be_locked_only_onnx_answers(monkeypatch):
    monkeypatch.setattr(module, "protection", lambda: Protection(False, "an old kernel"))
    runner = make_runner()
    try:
        assert fails(runner, odd("double")) == "lock"
        assert runner.call("a", ONNX, rows(1))["y"].tolist() == [[1]]
    finally:
        runner.close()
