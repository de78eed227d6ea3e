"""What a check says is measured before it is kept: the process that says it has opened a stranger's file."""

import pytest

from machines.conversion import believed
from machines.engine.errors import DataError, Notice

X, Y = ({"name": name, "dtype": "float32", "shape": [1]} for name in "xy")
NOTICE = {"template": "by %(worst)s", "values": {"worst": 1}, "weight": "info"}
REPORT = {
    "seconds": 1.5, "peak_mb": 400, "opset": 17, "parameters": 3, "onnx_bytes": 10, "onnx_sha256": "ab",
    "operators": {"Add": 1}, "parity": {"batches": [3, 7], "worst": 1e-9}, "why_native": None, "varies": False,
    "is_locked": True, "scanner": ["This format cannot hold code."], "notices": [NOTICE],
}  # fmt: skip
ANSWER = {"format": "onnx", "served": "converted", "signature": {"inputs": [X], "outputs": [Y]}, "report": REPORT}


def test_it_works():
    told = believed.read(ANSWER)
    assert (told.format, told.served, told.report) == ("onnx", "converted", REPORT)
    assert told.signature.inputs[0].name == "x"


def test_a_difference_that_is_no_number_is_none():
    assert (
        believed.read(ANSWER | {"report": REPORT | {"parity": {"batches": [3], "worst": None}}}).report["parity"]
        is None
    )


def test_what_nobody_asked_for_is_left_out():
    assert believed.read(ANSWER | {"report": REPORT | {"extra": "x" * 9_000_000}}).report == REPORT


SIGNATURES = [
    {}, [], {"inputs": [], "outputs": [Y]}, {"inputs": [X, X], "outputs": [Y]}, {"inputs": [X] * 1000, "outputs": [Y]},
    {"inputs": [X | {"name": "x" * 1000}], "outputs": [Y]}, {"inputs": [X | {"name": 1}], "outputs": [Y]},
    {"inputs": [X | {"dtype": "object"}], "outputs": [Y]}, {"inputs": [X | {"shape": [0, 10**9]}], "outputs": [Y]},
    {"inputs": [X | {"shape": [-1]}], "outputs": [Y]}, {"inputs": [X | {"shape": ["1"]}], "outputs": [Y]},
    {"inputs": [X | {"shape": [5000, 5000]}], "outputs": [Y]}, {"inputs": [X], "outputs": [Y], "batch": "all"},
]  # fmt: skip
REPORTS = [
    {}, {"seconds": "<b>"}, {"seconds": float("nan")}, {"parameters": [1]}, {"operators": {"Add": "x"}},
    {"operators": {str(n): 1 for n in range(5000)}}, {"parity": {"batches": "ab", "worst": 1}}, {"scanner": [1]},
    {"notices": [NOTICE | {"template": "%(worst)999999999d"}]}, {"notices": [{}]}, {"opset": 10**400},
    {"why_native": {"template": 1}}, {"why_native": "It cannot."},
]  # fmt: skip


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_that_is_none(signature):
    with pytest.raises(DataError, match="makes no sense"):
        believed.read(ANSWER | {"signature": signature})


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_that_is_none(report):
    with pytest.raises(DataError, match="makes no sense"):
        believed.read(ANSWER | {"report": REPORT | report if report else report})


@pytest.mark.parametrize("about", [{"format": "pickle"}, {"format": ["onnx"]}, {"served": "gladly"}, {"report": None}])
def test_an_answer_that_is_none(about):
    with pytest.raises(DataError, match="makes no sense"):
        believed.read(ANSWER | about)


@pytest.mark.parametrize(
    "said",
    [{"template": "%(a)1000000000d"}, {"template": "%(a)s" * 9000}, {"values": {"a": "x" * 10**6}}, {"template": "%s"}],
)
def test_a_sentence_of_a_child_cannot_fill_the_memory(said):
    with pytest.raises(ValueError, match="no notice"):
        Notice.from_json({"template": "%(a)s", "values": {"a": 1}, "weight": "info"} | said)
