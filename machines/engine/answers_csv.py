"""A machine's file and a file of rows -> a CSV file of answers, a few rows at a time."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import onnx
import polars as pl

from machines.engine.columns.cells import collect
from machines.engine.columns.formats import Habits, date_order, find_habits, is_unsure_number, number_format
from machines.engine.columns.numbers import parse_number
from machines.engine.columns.parse import parse_table
from machines.engine.columns.profile import HEAD
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading import RawTable
from machines.engine.reading.append import fold
from machines.engine.reading.options import ReadOptions
from machines.engine.schema import CellFormat, Column, DataType, Schema
from machines.serving.predictor import METADATA_KEY, Predictor, answers_to_columns

CELLS = 1_000_000  # read at once
MOST_BYTES = 1_000_000_000
FORMULA = tuple("=+-@\t\r\0＝＋－＠")  # what makes a spreadsheet run a cell
PLAIN = CellFormat()
# All that our own machines are made of: no loops, no branches, nothing that makes large tensors out of small files.
OPERATORS = frozenset([
    "Add", "And", "ArgMax", "Asinh", "Cast", "Clip", "Concat", "Cos", "Div", "Equal", "Floor", "Gather", "IsInf",
    "IsNaN", "LabelEncoder", "Log", "MatMul", "Max", "Min", "Mul", "Or", "ReduceMax", "ReduceMean", "Relu", "Reshape", "Sin",
    "Slice", "Softmax", "Softplus", "Split", "StringConcat", "StringNormalizer", "StringSplit", "Sub", "Sum",
    "TfIdfVectorizer", "Transpose", "TreeEnsembleRegressor", "Unsqueeze", "Where",
])  # fmt: skip

NOT_ONNX = gettext_noop("“%(file)s” is not an ONNX file.")
NOT_OURS = gettext_noop("“%(file)s” is not a machine of EasyAutoML: %(why)s.")
NO_COLUMNS = gettext_noop("None of the machine's input columns is in the file. It needs %(names)s.")
ABSENT = gettext_noop("The input column “%(column)s” is not in the file, so it counts as missing in every row.")


def open_machine(path: Path) -> tuple[Predictor, Schema]:
    """Load a machine's file, whoever made it. Raises DataError for anything that no training of ours writes."""
    if path.stat().st_size > MOST_BYTES:
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("it is too large"))
    content = path.read_bytes()
    _check_graph(path.name, content)
    try:
        predictor = Predictor(content)
        schema = predictor.schema
        names = [name for output in predictor.metadata["outputs"] for name in _names(schema, output)]
        fits = names == predictor.outputs and [(c.name, c.type.is_text) for c in schema.inputs] == predictor.inputs
    except Exception as error:  # ONNX Runtime's errors have no common ancestor but this
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("it is damaged")) from error
    if not fits or not names:
        raise DataError(NOT_OURS, file=path.name, why=gettext_noop("its columns are not those it describes"))
    return predictor, schema


def _names(schema: Schema, output: dict[str, Any]) -> list[str]:
    """The graph's outputs for one of the described outputs, as `export.output_names` gives them (which needs torch)."""
    column = next(column for column in schema.outputs if column.name == output["name"])
    suffixes = output["classes"] or ("low", "high")
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


@dataclass(frozen=True)
class Match:
    """The machine's input columns that a file has: `titles` in the file, `columns` with how that file writes them."""

    titles: tuple[str, ...]
    columns: tuple[Column, ...]
    notices: list[Notice]


def match_inputs(raw: RawTable, schema: Schema) -> Match:
    """Find the inputs in a file, without regard to case and blanks. Raises DataError if none is there."""
    found = {column.name: _title(raw.columns, column.name) for column in schema.inputs}
    absent = [name for name, title in found.items() if title is None]
    if len(absent) == len(found):
        raise DataError(NO_COLUMNS, names=", ".join(f"“{name}”" for name in absent[:8]))
    notices = [Notice(ABSENT, {"column": name}, Weight.WARNING) for name in absent]
    options = replace(raw.found, decimal=None, thousands=None, date_order=None)
    habits = find_habits(raw.head(HEAD).iter_columns(), options)
    pairs = [(title, c) for c in schema.inputs if (title := found[c.name]) is not None]
    columns = [replace(c, format=_format(raw.select([title])[title], c, habits, options)) for title, c in pairs]
    return Match(tuple(title for title, _ in pairs), tuple(columns), notices)


def _title(titles: Sequence[str], name: str) -> str | None:
    if name in titles:
        return name
    return next((title for title in titles if fold(title) == fold(name)), None)


def _format(cells: pl.Series, column: Column, habits: Habits, options: ReadOptions) -> CellFormat:
    """How this file writes a column; where its cells leave it open, as the file that the machine learned from."""
    if not column.type.is_numeric:
        return column.format
    counted = collect(cells)
    if column.type is DataType.FLOAT:
        format = number_format(counted, habits, options)
        return column.format if is_unsure_number(counted, format, habits) else format
    order = date_order(counted, habits, options)
    return column.format if order.is_open else CellFormat(date_order=order.order)


def write_answers(predictor: Predictor, raw: RawTable, match: Match, file: IO[str]) -> dict[str, int]:
    """Write one line per row, in order, below a line of titles; return how many cells of each column were unreadable."""
    writer = csv.writer(file, lineterminator="\n")
    unreadable: Counter[str] = Counter()
    step = max(256, CELLS // len(match.titles))
    for start in range(0, raw.rows, step):
        rows = pl.scan_parquet(raw.path).select(match.titles).slice(start, step).collect()
        rows.columns = [column.name for column in match.columns]
        table, failed = parse_table(rows, match.columns)
        unreadable.update(failed)
        answers = answers_to_columns(predictor.predict(table))
        if start == 0:
            writer.writerow(escape(name) for name in answers)
        writer.writerows(zip(*map(_cells, answers.values()), strict=True))
    return {name: count for name, count in unreadable.items() if count}


def _cells(values: list[Any]) -> Iterable[Any]:
    """Numbers as they are; labels, of which there are few different ones, escaped."""
    if not values or not isinstance(values[0], str):
        return values
    safe = {value: escape(value) for value in set(values)}
    return [safe[value] for value in values]


def escape(cell: str) -> str:
    """A text as a cell that no spreadsheet runs (ASVS 5.0, 1.2.10). A number such as -3.5 stays as it is."""
    if cell.startswith(FORMULA) and parse_number(cell, PLAIN) is None:
        return f"'{cell}"
    return cell
