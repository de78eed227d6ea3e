"""What does not become ONNX answers in its own framework, from the locked runner."""

import numpy as np
import pytest

from machines.serving.locked.runner import Hosted, Runner
from machines.serving.signature import Signature
from tests.machines.conversion.test_check import read_case


@pytest.fixture
def runner():
    running = Runner()
    yield running
    running.close()


def test_torchscript(torch_made, check, runner):
    serve(torch_made / "unusual.pt", torch_made / "unusual.npz", check, runner)


def test_saved_model(tensorflow_made, check, runner):
    serve(tensorflow_made / "unusual.zip", tensorflow_made / "unusual_tf.npz", check, runner)


def serve(path, case, check, runner):
    answer, _ = check(path)
    assert answer["served"] == "native"
    signature = Signature.from_json(answer["signature"])
    feed, expected = read_case(case)
    hosted = Hosted(answer["format"], path.read_bytes, signature)
    found = runner.call("key", hosted, feed, seconds=60)
    assert list(found) == [tensor.name for tensor in signature.outputs]
    np.testing.assert_allclose(found[signature.outputs[0].name], expected[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm.scripted.pt", "words.pt2"])
def test_every_torch_format_can_answer_natively(torch_made, check, runner, name):
    answer, _ = check(torch_made / name)
    feed, expected = read_case(torch_made / f"torch_{name.split('.')[0]}.npz")
    hosted = Hosted(answer["format"], (torch_made / name).read_bytes, Signature.from_json(answer["signature"]))
    (found,) = runner.call(name, hosted, feed, seconds=60).values()
    np.testing.assert_allclose(found, expected[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm.keras", "mlp.tflite"])
def test_every_tensorflow_format_can_answer_natively(tensorflow_made, check, runner, name):
    answer, _ = check(tensorflow_made / name)
    feed, expected = read_case(tensorflow_made / f"keras_{name.split('.')[0]}.npz")
    signature = Signature.from_json(answer["signature"])
    hosted = Hosted(answer["format"], (tensorflow_made / name).read_bytes, signature)
    named = dict(zip([tensor.name for tensor in signature.inputs], feed.values(), strict=True))
    (found,) = runner.call(name, hosted, named, seconds=60).values()
    np.testing.assert_allclose(found, expected[0], rtol=1e-5, atol=1e-5)
