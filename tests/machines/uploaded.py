"""Uploaded models for tests: small graphs, and the upload with its real check."""

from functools import cache

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from machines.jobs.runner import work_run
from machines.services.uploads import model_upload
from models import ModelVersion, Work
from models.work import WorkKind

NAMES = ["Pregnancies", "Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI", "Pedigree", "Age"]
PERSON = dict(zip(NAMES, [6.0, 148.0, 72.0, 35.0, 0.0, 33.6, 0.627, 50.0], strict=True))
PICKLE = b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94."


@cache
def chance_onnx(inputs=3, weight=1.0, ballast=0):
    """`x` [rows, inputs] -> sigmoid of `weight` times the sum of the row, `y` [rows, 1]. `ballast`: idle bytes."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", inputs])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])
    weights = [numpy_helper.from_array(np.full((inputs, 1), weight, np.float32), "w")]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["y"])]
    if ballast:
        weights.append(numpy_helper.from_array(np.zeros(ballast // 4, np.float32), "idle"))
        nodes.append(helper.make_node("Identity", ["idle"], ["idler"]))
    return _bytes(nodes, [x], [y], weights)


@cache
def text_onnx(words):
    """`x` [rows, 1] -> `y` [rows, 1], this text whatever the row."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1])
    y = helper.make_tensor_value_info("y", TensorProto.STRING, ["rows", 1])
    label = helper.make_tensor("label", TensorProto.STRING, [1, 1], [words.encode()])
    nodes = [helper.make_node("Shape", ["x"], ["size"]), helper.make_node("Expand", ["label", "size"], ["y"])]
    return _bytes(nodes, [x], [y], [label])


def _bytes(nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, "test", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def upload(user, content=None, **kwargs):
    """Upload a graph, by default one that tells a chance from three numbers; its check waits."""
    content = chance_onnx() if content is None else content
    given = {"name": "Risk", "framework": "onnx", "file_name": "risk.onnx", "chunks": [content]} | kwargs
    return model_upload(user=user, **given)


def check_of(version):
    works = Work.objects.filter(WorkKind.CHECKING.q, machine=version.machine).order_by("-pk")
    return next(work for work in works if work.parameters["version"] == version.pk)


def checked(version):
    """Let this process be the worker that checks it; return the version as it is then."""
    work_run(work_id=check_of(version).pk)
    return ModelVersion.objects.select_related("machine").get(pk=version.pk)
