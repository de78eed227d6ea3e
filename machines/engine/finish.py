"""From blends to the finished file and its report: everything is measured on the file itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from machines.engine import measure
from machines.engine.describe import describe_inputs, describe_output, metadata
from machines.engine.encode import TableEncoder
from machines.engine.export import Blend, build_model
from machines.engine.parameters import Parameters
from machines.engine.prepare import Prepared, Target
from machines.engine.progress import MEASURING, WRITING, Clock
from machines.engine.report import OutputReport, Report
from machines.engine.schema import Schema, Table
from machines.engine.training import Lesson
from machines.engine.trials import Stage
from machines.serving.predictor import Predictor

IMPORTANCE_SHARE = 0.5  # of the time left


@dataclass
class Work:
    """What the steps of one training share."""

    table: Table
    schema: Schema
    level: int
    seed: int
    clock: Clock
    parameters: Parameters
    prepared: Prepared
    encoder: TableEncoder
    lesson: Lesson
    trials: Stage  # of this lesson

    def rows(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """The inputs of these rows."""
        return measure.take(self.table, self.schema.inputs, rows)


def measured(work: Work, blends: Sequence[Blend]) -> tuple[onnx.ModelProto, Report]:
    """Write the machine, and measure what was written."""
    work.clock.say(WRITING)
    model = build_model(work.schema.inputs, work.encoder, blends)
    predictor = Predictor(model.SerializeToString())
    work.clock.say(MEASURING)
    return model, _report(work, blends, predictor)


def describe(work: Work, report: Report, blends: Sequence[Blend], all_rows: bool) -> dict[str, Any]:
    """The metadata of the file."""
    trained = work.prepared.train
    inputs = describe_inputs(work.rows(trained), work.schema.inputs, report.importance)
    outputs = [describe_output(b.target, work.table[b.target.column.name][trained]) for b in blends]
    return metadata(work.schema, inputs, outputs, report.to_json()) | {"all_rows": all_rows}


def _report(work: Work, blends: Sequence[Blend], predictor: Predictor) -> Report:
    clock, prepared = work.clock, work.prepared
    held = work.rows(prepared.holdout)
    truths = [target.take(prepared.holdout) for target in prepared.targets]
    raw = predictor.run(held)
    samples = _samples(work, predictor, held, raw)
    baselines = _baselines(work, held, truths)
    outputs = [
        _output_report(blend, truth, raw, simple, {name: parts[i] for name, parts in samples.items()}, work.seed)
        for i, (blend, truth, simple) in enumerate(zip(blends, truths, baselines, strict=True))
    ]
    seconds = 0.0 if clock.finished else IMPORTANCE_SHARE * clock.left()
    importance = measure.importance(predictor, held, work.schema.inputs, truths, clock, seconds, work.seed)
    return Report(
        outputs=tuple(outputs),
        rows=prepared.usable,
        rows_trained=len(prepared.train),
        rows_held_out=len(prepared.holdout),
        seconds=round(clock.elapsed(), 3),
        level=work.level,
        seed=work.seed,
        epochs=len(clock.curve.validation),
        warnings=tuple(prepared.warnings),
        training_loss=clock.curve.thinned(clock.curve.training),
        validation_loss=clock.curve.thinned(clock.curve.validation),
        importance=importance,
        samples={name: _mean(parts) for name, parts in samples.items()},
    )


def _samples(
    work: Work, predictor: Predictor, held: Mapping[str, NDArray[Any]], raw: measure.Raw
) -> dict[str, list[dict[str, float]]]:
    """Loss and accuracy per output on four samples: rows learned and rows held back, as they are and with noise."""
    prepared, inputs = work.prepared, work.schema.inputs
    step = max(1, -(-len(prepared.train) // measure.MOST_SAMPLED))
    rows = prepared.train[::step]
    learned = work.rows(rows)
    fewer = np.arange(min(len(prepared.holdout), measure.MOST_SAMPLED))
    some = {name: values[fewer] for name, values in held.items()}
    spans = {c.name: _span(learned[c.name]) for c in inputs if c.type.is_numeric}
    answers = {
        "training": (predictor.run(learned), rows),
        "evaluation": (raw, prepared.holdout),
        "training_noise": (predictor.run(measure.noisy(learned, inputs, spans, work.seed)), rows),
        "evaluation_noise": (predictor.run(measure.noisy(some, inputs, spans, work.seed)), prepared.holdout[fewer]),
    }
    return {
        name: [measure.loss_and_accuracy(found, target.take(where)) for target in prepared.targets]
        for name, (found, where) in answers.items()
    }


def _baselines(work: Work, held: Mapping[str, NDArray[Any]], truths: Sequence[Target]) -> list[dict[str, Any]]:
    pairs = list(zip(work.lesson.targets, truths, strict=True))
    seconds = 0.2 * max(0.2, work.clock.left())
    return measure.baselines_of(work.lesson.encoded, work.encoder.transform(held), pairs, seconds, work.seed)


def _output_report(
    blend: Blend,
    truth: Target,
    raw: measure.Raw,
    baselines: Mapping[str, Any],
    samples: Mapping[str, dict[str, float]],
    seed: int,
) -> OutputReport:
    is_label = bool(truth.classes)
    weights = {candidate.name: round(weight, 4) for candidate, weight in blend.parts}
    return OutputReport(
        name=truth.column.name,
        task=truth.task,
        holdout=measure.metrics_of(raw, truth, seed),
        baseline_shown=measure.better_baseline(baselines, truth.task),
        baselines=baselines,
        samples=samples,
        classes=truth.classes,
        confusion=measure.confusion(raw, truth) if is_label else [],
        points=[] if is_label else measure.points(raw, truth),
        coverage=None if is_label else measure.coverage(raw, truth),
        temperature=1 / blend.power if is_label else None,
        weights=weights,
    )


def _span(values: NDArray[Any]) -> float:
    known = values[np.isfinite(values)]
    return float(np.subtract(*np.quantile(known, [0.95, 0.05]))) if len(known) else 0.0


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([part[key] for part in parts])) for key in ("loss", "accuracy")}
