"""Answers from a machine's ONNX file with ONNX Runtime alone: no torch, no training code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import onnxruntime as ort
import orjson
from numpy.typing import NDArray

from machines.engine.schema import Schema, Table

METADATA_KEY = "easyautoml"
NUMBER, TEXT = np.dtype(np.float64), np.dtype(object)
CHUNK = 256  # rows per run: measured fastest for our machines (benchmarks/serving.py), and it bounds memory


@dataclass(frozen=True)
class Answer:
    """One output for all rows: numbers with their 90 % interval, or labels with the chance of every class."""

    name: str
    values: NDArray[Any]  # [rows] float64, or str as objects
    low: NDArray[Any] | None = None  # [rows]
    high: NDArray[Any] | None = None
    probabilities: Mapping[str, NDArray[Any]] = field(
        default_factory=dict
    )  # class -> [rows], most frequent class first


Answers: TypeAlias = Sequence[Answer]


def session_options() -> ort.SessionOptions:
    """One thread, and no memory kept between runs: many machines share a process."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options


class Predictor:
    """A machine that is ready to answer. Safe to use from several threads."""

    def __init__(self, onnx_bytes: bytes) -> None:
        self.session = ort.InferenceSession(onnx_bytes, session_options(), providers=["CPUExecutionProvider"])
        self.inputs = [(i.name, i.type == "tensor(string)") for i in self.session.get_inputs()]
        self.outputs = [o.name for o in self.session.get_outputs()]
        self._run = self.session._sess.run  # without the wrapper's checks: twice as fast on one row

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the file says about itself: columns, what a form needs, outputs, report. {} if it is not one of ours."""
        text = self.session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        data: dict[str, Any] = orjson.loads(text) if text else {}
        return data

    @cached_property
    def schema(self) -> Schema:
        return Schema.from_json(self.metadata["columns"])

    @cached_property
    def _answered(self) -> list[tuple[str, list[str]]]:
        """Per output column its name and its classes (none for numbers)."""
        return [(o["name"], list(o["classes"])) for o in self.metadata["outputs"]]

    def predict(self, table: Table) -> list[Answer]:
        """Answer every row of typed columns [rows]; a column that is absent counts as missing in every row.

        Raises ValueError if columns differ in length or hold another type than the machine's schema says.
        """
        raw = self.run(table)
        if "outputs" not in self.metadata:
            return [Answer(name, values) for name, values in raw.items()]
        return [_answer(raw, name, classes) for name, classes in self._answered]

    def run(self, table: Table) -> dict[str, NDArray[Any]]:
        """Every output of the graph by its name, [rows] each."""
        rows = len(next(iter(table.values()), ()))
        if not rows:
            texts = {output.name for output in self.session.get_outputs() if output.type == "tensor(string)"}
            return {name: np.zeros(0, object if name in texts else np.float64) for name in self.outputs}
        feed = {name: _column(table.get(name), rows, is_text) for name, is_text in self.inputs}
        if rows <= CHUNK:
            parts = self._run(self.outputs, feed, None)
            return {name: part.reshape(-1) for name, part in zip(self.outputs, parts, strict=True)}
        return self._run_chunks(feed, rows)

    def _run_chunks(self, feed: Mapping[str, NDArray[Any]], rows: int) -> dict[str, NDArray[Any]]:
        starts = range(0, rows, CHUNK)
        runs = [self._run(self.outputs, {n: a[s : s + CHUNK] for n, a in feed.items()}, None) for s in starts]
        columns = zip(*runs, strict=True)
        return {name: np.concatenate(parts).reshape(-1) for name, parts in zip(self.outputs, columns, strict=True)}


def answers_to_columns(answers: Answers) -> dict[str, list[Any]]:
    """The columns of predict_csv: `y`, `y:low`, `y:high` for numbers; `y`, `y:<class>` for labels."""
    columns: dict[str, list[Any]] = {}
    for answer in answers:
        columns[answer.name] = answer.values.tolist()
        if answer.low is not None and answer.high is not None:
            columns[f"{answer.name}:low"] = answer.low.tolist()
            columns[f"{answer.name}:high"] = answer.high.tolist()
        for label, chances in answer.probabilities.items():
            columns[f"{answer.name}:{label}"] = chances.tolist()
    return columns


def _column(values: NDArray[Any] | None, rows: int, is_text: bool) -> NDArray[Any]:
    """[rows, 1] as the graph wants it."""
    if values is None:
        return np.full((rows, 1), "", dtype=object) if is_text else np.full((rows, 1), np.nan)
    if len(values) != rows:
        raise ValueError(f"columns differ in length: {len(values)} and {rows}")
    return np.asarray(values, TEXT if is_text else NUMBER).reshape(rows, 1)


def _answer(raw: Mapping[str, NDArray[Any]], name: str, classes: Sequence[str]) -> Answer:
    if classes:
        return Answer(name, raw[name], probabilities={label: raw[f"{name}:{label}"] for label in classes})
    return Answer(name, raw[name], raw[f"{name}:low"], raw[f"{name}:high"])
