"""A machine's file, whoever made it -> a machine that may be run: nothing is run that no training of ours writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import Schema
from machines.serving.predictor import METADATA_KEY, Predictor

MOST_BYTES = 1_000_000_000
# All that our own machines are made of: no loops, no branches, nothing that makes large tensors out of small files.
OPERATORS = frozenset([
    "Add", "And", "ArgMax", "Asinh", "Cast", "Clip", "Concat", "Cos", "Div", "Equal", "Exp", "Floor", "Gather", "Greater", "IsInf",
    "IsNaN", "LabelEncoder", "Log", "MatMul", "Max", "Min", "Mul", "Or", "ReduceMax", "ReduceMean", "ReduceSum", "Relu",
    "Reshape", "Round", "Sigmoid", "Sin", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "StringConcat", "StringNormalizer",
    "StringSplit", "Sub", "Sum", "TfIdfVectorizer", "Tokenizer", "Transpose", "TreeEnsemble", "TreeEnsembleRegressor",
    "Unsqueeze", "Where",
])  # fmt: skip

NOT_ONNX = gettext_noop("“%(file)s” is not an ONNX file.")
NOT_OURS = gettext_noop("“%(file)s” is not a machine of EasyAutoML: %(why)s.")


def open_machine(path: Path) -> tuple[Predictor, Schema]:
    """Load a machine's file, whoever made it. Raises DataError for anything that no training of ours writes."""
    if path.stat().st_size > MOST_BYTES:
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("it is too large"))
    content = path.read_bytes()
    _check_graph(path.name, content)
    try:
        predictor = Predictor(content)
        schema = predictor.schema
        names = [name for output in predictor.metadata["outputs"] for name in output_names(schema, output)]
        fits = names == predictor.outputs and [(c.name, c.type.is_text) for c in schema.inputs] == predictor.inputs
    except Exception as error:  # ONNX Runtime's errors have no common ancestor but this
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("it is damaged")) from error
    if not fits or not names:
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("its columns are not those it describes"))
    return predictor, schema


def output_names(schema: Schema, output: dict[str, Any]) -> list[str]:
    """The graph's outputs for one of the described outputs, as `export.output_names` gives them (which needs torch)."""
    column = next(column for column in schema.outputs if column.name == output["name"])
    suffixes = output["classes"] or (("low", "high") if output.get("interval", True) else ())
    return [column.name, *(f"{column.name}:{suffix}" for suffix in suffixes)]


def _check_graph(name: str, content: bytes) -> None:
    """Refuse before anything is run: other operators, parts of the graph within nodes, data in other files."""
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # protobuf's own
        raise DataError(NOT_ONNX, file=name) from None
    if not model.graph.node:
        raise DataError(NOT_ONNX, file=name)
    if METADATA_KEY not in {item.key for item in model.metadata_props}:
        raise DataError(NOT_OURS, file=name, why=gettext_noop("it does not describe its columns"))
    foreign = sorted({node.op_type for node in model.graph.node} - OPERATORS)
    if foreign or model.functions or any(_holds_graph(node) for node in model.graph.node):
        raise DataError(NOT_OURS, file=name, why=gettext_noop("it holds other operations than a machine does"))
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model)):
        raise DataError(NOT_OURS, file=name, why=gettext_noop("it points to other files"))


def _holds_graph(node: onnx.NodeProto) -> bool:
    return any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in model.graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
