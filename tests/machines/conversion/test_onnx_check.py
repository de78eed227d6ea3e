"""What an ONNX file says is read as data: operators, weights and shapes, never run."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from machines.conversion import onnx_check
from machines.conversion.onnx_check import check_onnx
from machines.engine.encode_words import SentenceEncoder
from machines.engine.errors import DataError
from machines.engine.graph import Graph
from machines.serving.signature import Tensor
from tests.machines.conversion import hostile

ADD = helper.make_node("Add", ["x", "w"], ["y"])
WEIGHT = numpy_helper.from_array(np.ones(4, np.float32), "w")


def said(content):
    with pytest.raises(DataError) as error:
        check_onnx(content)
    return str(error.value)


def changed(change):
    """A good model after a change to its protobuf."""
    model = onnx_check.parse(hostile.onnx_model([ADD], weights=[WEIGHT]))
    change(model)
    return model.SerializeToString()


def test_it_works():
    checked = check_onnx(hostile.onnx_model([ADD], weights=[WEIGHT]))
    assert checked.signature.inputs == (Tensor("x", "float32", (4,)),)
    assert (checked.signature.batch, checked.opset, checked.operators, checked.parameters) == (None, 17, {"Add": 1}, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int32", "int64", "uint8", "bool"])
def test_weights_of_every_type(dtype):
    raw = numpy_helper.from_array(np.ones((2, 3), dtype), "w")
    typed = helper.make_tensor("w", raw.data_type, [2, 3], np.ones(6, dtype).tolist())
    node = helper.make_node("Cast", ["w"], ["v"], to=TensorProto.FLOAT)
    for weight in (raw, typed):
        nodes = [node, helper.make_node("Add", ["x", "v"], ["y"])]
        assert check_onnx(hostile.onnx_model(nodes, weights=[weight])).parameters == 6


def test_a_fixed_number_of_rows():
    checked = check_onnx(changed(lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 3)))
    assert checked.signature.batch == 3


def test_a_machine_of_ours_that_reads_sentences_may_come_back():
    g = Graph()
    SentenceEncoder().fit(np.array(["good house", "bad house", "old shed"] * 9, dtype=object)).write(g, "x")
    operators = [onnx_check._operator(node) for node in g.nodes]
    assert "Tokenizer" in operators


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.graph.node[0].__setattr__("op_type", "Nonsense"), "“Nonsense”, which is not in the ONNX standard"),
        (lambda m: m.graph.node[0].__setattr__("domain", "evil"), "“evil.Add”"),
        (lambda m: m.graph.initializer[0].__setattr__("raw_data", b"\0" * 3), "does not hold what its shape"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, 2**60), "does not hold what its shape"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, -1), "does not hold what its shape"),
        (lambda m: m.graph.initializer[0].external_data.add(key="location", value="x"), "in another file"),
        (lambda m: m.graph.sparse_initializer.add(), "sparse"),
        (lambda m: m.training_info.add(), "how it is trained"),
        (lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"), "first axis is the rows"),
        (lambda m: m.graph.output[0].type.sequence_type.elem_type.tensor_type.SetInParent(), "zipmap=False"),
        (lambda m: m.graph.ClearField("output"), "no outputs"),
        (lambda m: m.opset_import[0].__setattr__("version", 99), "version 99"),
        (lambda m: m.graph.node[0].__setattr__("name", "n" * 300), "longer than 200"),
        (lambda m: m.graph.node.extend([ADD] * 30_000), "more than"),
    ],
)
def test_what_is_refused(change, words):
    assert words in said(changed(change))


@pytest.mark.parametrize("content", [b"", b"\x08", b"nonsense", bytes(1000), hostile.o_garbage(None)])
def test_what_is_no_onnx_file(content):
    assert "no ONNX file" in said(content)


def test_it_answers_any_change_of_a_byte_with_a_sentence_or_a_model():
    content = hostile.onnx_model([ADD], weights=[WEIGHT])
    generator = np.random.default_rng(0)
    for _ in range(500):
        mutant = bytearray(content)
        mutant[generator.integers(len(mutant))] = generator.integers(256)
        try:
            check_onnx(bytes(mutant))
        except DataError as error:
            assert str(error)
