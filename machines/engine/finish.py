"""From blends to the finished file and its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from machines.engine import measure
from machines.engine.alarms import doubts, leaks
from machines.engine.blend import Blend, blend_of, cross_fitted, dealt, doubt_of
from machines.engine.candidates import Candidate
from machines.engine.chosen import heaviest
from machines.engine.describe import describe_inputs, describe_output, metadata
from machines.engine.digits import short
from machines.engine.encode import TableEncoder
from machines.engine.errors import Notice
from machines.engine.export import Answer, build_model
from machines.engine.folds import once
from machines.engine.leaderboard import leaderboard
from machines.engine.learning_curve import PARTS, learning_curve, simple_model, strata
from machines.engine.lesson import Lesson
from machines.engine.linear import Linear
from machines.engine.measure import Answers
from machines.engine.metrics import difference, reliability, residuals
from machines.engine.operating import operating
from machines.engine.parity import check_parity
from machines.engine.prepare import Prepared, Target
from machines.engine.probes import Probes, moved, span, taken
from machines.engine.progress import MEASURING, WRITING, Clock
from machines.engine.regions import Parted, errors, parted, regions
from machines.engine.report import OutputReport, Report
from machines.engine.schema import Column, DataType, Schema, Table
from machines.engine.splits import Split, SplitKind, part_of_each
from machines.serving.predictor import Predictor

MOST_SAMPLED = 2000  # rows learned from that are measured
ALARM_SHARE = 0.1  # of the time left
CURVE_SHARE, CURVE_GUARD = 0.05, 0.5  # of the time, by estimate; of the time left that learning curves never exceed
MOST_PARTED = 12  # inputs that tell where little was seen


@dataclass
class Work:
    """What the steps of one training share."""

    table: Table
    schema: Schema
    level: int
    seed: int
    clock: Clock
    prepared: Prepared
    split: Split
    encoder: TableEncoder
    lesson: Lesson  # the rows, and below them the probes
    probes: Probes
    doubt: Lesson  # the rows `kept`, and below them incomplete copies of the rows `copied`
    emptiness: NDArray[np.float64]  # of these
    kept: NDArray[np.int64]  # in their order; all that are measured are among them
    copied: NDArray[np.int64]
    candidates: list[Candidate] = field(default_factory=list)

    def rows(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """The inputs of these rows of the table."""
        return taken({column.name: self.table[column.name] for column in self.schema.inputs}, rows)


@dataclass(frozen=True)
class Measured:
    """One output on the rows measured: what was answered, and what is true."""

    answers: Answers
    truth: Target
    blend: Blend


def measured(work: Work, answers: Sequence[Answer]) -> tuple[onnx.ModelProto, Report]:
    """Write the machine, check that the file answers as its parts do, and report."""
    work.clock.say(WRITING)
    model = build_model(work.schema.inputs, work.encoder, answers)
    predictor = Predictor(model.SerializeToString())
    work.clock.say(MEASURING)
    check_parity(predictor, work, answers)
    return model, _report(work, answers, predictor)


def describe(work: Work, report: Report) -> dict[str, Any]:
    """The metadata of the file."""
    rows = work.prepared.rows
    inputs = describe_inputs(work.rows(rows), work.schema.inputs, report.importance)
    outputs = [describe_output(t, work.table[t.column.name][rows]) for t in work.prepared.targets]
    return metadata(work.schema, inputs, outputs, report.to_json())


def _report(work: Work, answers: Sequence[Answer], predictor: Predictor) -> Report:
    clock, lesson = work.clock, work.lesson
    rng = np.random.default_rng(work.seed + 3)
    found = [_measure(work, i, answer, rng) for i, answer in enumerate(answers)]
    samples = _samples(work, found, predictor)
    importance = measure.importance(_gained(work, found), work.seed)
    inputs = sorted(work.schema.inputs, key=lambda c: -importance[c.name].value if c.name in importance else 0.0)
    parts = _parts(work, inputs)
    outputs = [_output_report(work, i, each, samples, parts) for i, each in enumerate(found)]
    alarms = _alarms(work, outputs, inputs)
    return Report(
        outputs=tuple(_with_curve(work, i, output) for i, output in enumerate(outputs)),
        rows=work.prepared.usable,
        rows_trained=len(work.prepared.rows),
        rows_held_out=len(lesson.measured),
        seconds=round(clock.elapsed(), 3),
        level=work.level,
        seed=work.seed,
        epochs=len(clock.curve.validation),
        warnings=(*work.prepared.warnings, *alarms),
        **clock.curve.thinned(),
        importance={name: round(share.value, 8) for name, share in importance.items()},
        importance_range={name: (share.low, share.high) for name, share in importance.items()},
        samples={name: measure.mean_of(parts) for name, parts in samples.items()},
        network=heaviest(answers),
        split=work.split.to_json(),
    )


def _measure(work: Work, output: int, answer: Answer, rng: np.random.Generator) -> Measured:
    """As the file will answer: rows emptier than usual by what learned from such rows."""
    rows, target = work.lesson.measured, work.lesson.targets[output]
    parts = dealt(len(rows), rng)
    answers = cross_fitted(lambda others: blend_of(work.candidates, target, output, others), rows, parts)
    is_empty = work.emptiness[np.searchsorted(work.kept, rows)] > 0
    if answer.doubt and is_empty.any():
        answers[is_empty] = _doubted(work, output, answer.doubt, parts)[is_empty]
    return Measured(measure.answers_in_unit(answers, target), target.take(rows), answer.usual)


def _doubted(work: Work, output: int, doubt: Blend, parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the rows measured are answered as if all were emptier than usual; a row and its incomplete copy are of one part."""
    rows, own, ((candidate, _),) = work.lesson.measured, work.doubt.measured, doubt.parts
    origin = np.append(work.kept, work.copied)[own]
    answers = cross_fitted(
        lambda others: doubt_of(candidate, work.doubt.targets[output], output, others, work.emptiness),
        own, parts[np.searchsorted(rows, origin)], work.emptiness[own],
    )  # fmt: skip
    return answers[: len(rows)]  # the copies stand below


def _samples(work: Work, found: Sequence[Measured], predictor: Predictor) -> dict[str, list[dict[str, float]]]:
    """Loss and accuracy per output on four samples: rows learned and rows not seen, as they are and with noise."""
    rows = work.prepared.rows[:: max(1, -(-len(work.prepared.rows) // MOST_SAMPLED))]
    learned = work.rows(rows)
    spans = {c.name: span(learned[c.name]) for c in work.schema.inputs if c.type.is_numeric}
    noisy = moved(learned, work.schema.inputs, spans, np.random.default_rng(work.seed))
    parts: dict[str, list[dict[str, float]]] = {
        "evaluation": [measure.loss_and_accuracy(m.answers, m.truth) for m in found]
    }
    for name, table in (("training", learned), ("training_noise", noisy)):
        raw = predictor.run(table)
        truths = [target.take(rows) for target in work.prepared.targets]
        parts[name] = [measure.loss_and_accuracy(measure.answers_of(raw, truth), truth) for truth in truths]
    parts["evaluation_noise"] = [
        measure.loss_and_accuracy(*_probed(work, i, m.blend, work.probes.noisy)) for i, m in enumerate(found)
    ]
    return parts


def _probed(work: Work, output: int, blend: Blend, which: slice) -> tuple[Answers, Target]:
    """What folds answered to these probes, and what is true of the rows they were made of."""
    rows = len(work.prepared.rows) + np.arange(len(work.probes))[which]
    target = work.lesson.targets[output]
    return measure.answers_in_unit(blend.answers(rows), target), target.take(rows)


def _gained(work: Work, found: Sequence[Measured]) -> dict[tuple[str, ...], NDArray[np.float64]]:
    """How much the loss of rows grew, all outputs together, when the cells of these columns were dealt anew."""
    gained = {}
    for names, which in work.probes.permuted.items():
        rows = work.probes.origin[which]
        parts = []
        for i, each in enumerate(found):
            before = measure.answers_in_unit(each.blend.answers(rows), work.lesson.targets[i])
            after = measure.row_losses(*_probed(work, i, each.blend, which))
            parts.append(after - measure.row_losses(before, work.lesson.targets[i].take(rows)))
        gained[names] = np.sum(parts, axis=0)
    return gained


def _output_report(
    work: Work, output: int, each: Measured, samples: Mapping[str, Sequence[Mapping[str, float]]],
    parts: Sequence[Parted],
) -> OutputReport:  # fmt: skip
    truth, answers, is_label = each.truth, each.answers, bool(each.truth.classes)
    simple = _baselines(work, output, truth)
    baselines = {name: measure.metrics_of(found, truth, work.seed) for name, found in simple.items()}
    shown = measure.better_baseline(baselines, truth.task)
    actual: NDArray[Any] = truth.values if is_label else measure.in_unit(truth.values, truth)
    own, other = (found if is_label else found[:, 0] for found in (answers, simple[shown]))
    return OutputReport(
        name=truth.column.name,
        task=truth.task,
        holdout=measure.metrics_of(answers, truth, work.seed),
        baseline_shown=shown,
        baselines=baselines,
        samples={name: each_output[output] for name, each_output in samples.items()},
        classes=truth.classes,
        confusion=measure.confusion(answers, truth) if is_label else [],
        points=[] if is_label else measure.points(answers, truth),
        coverage=None if is_label else measure.coverage(answers, truth),
        temperature=1 / each.blend.power if is_label else None,
        weights={candidate.name: round(weight, 4) for candidate, weight in each.blend.parts},
        rows=len(answers),
        difference=difference(actual, own, other, work.seed),
        reliability=reliability(truth.values, answers) if is_label else [],
        residuals={} if is_label else residuals(actual, own),
        leaderboard=leaderboard(work.candidates, each.blend, answers, truth, work.lesson.measured, work.seed),
        operating=operating(truth.values, answers, truth.classes) if is_label else [],
        spread=[] if is_label else measure.spread(answers, truth),
        regions=regions(parts, work.lesson.measured, answers, truth),
        usual_error=short(errors(answers, truth).mean()),
    )


def _parts(work: Work, inputs: Sequence[Column]) -> list[Parted]:
    """The rows by each of the inputs that come first and are no texts."""
    able = [column for column in inputs if column.type is not DataType.LANGUAGE][:MOST_PARTED]
    return [parted(column, work.table[column.name][work.prepared.rows]) for column in able]


def _with_curve(work: Work, output: int, report: OutputReport) -> OutputReport:
    """The report with its learning curve, if that takes little by estimate; the clock only guards."""
    clock, lesson, rows = work.clock, work.lesson, work.prepared.rows
    end = clock.elapsed() + CURVE_GUARD * clock.left()
    most = CURVE_SHARE * clock.seconds / len(work.prepared.targets)
    simple = simple_model(lesson, output, work.candidates, work.seed, most)
    if simple is None or work.split.kind is SplitKind.TIME or clock.elapsed() + simple.seconds > end:
        return report
    rng, alike = np.random.default_rng(work.seed + 5), strata(lesson, output, len(rows))
    part = part_of_each(work.split, work.table, rows, alike, PARTS, rng)
    curve = learning_curve(lesson, output, simple, part, work.seed, lambda: clock.tick() and clock.elapsed() < end)
    return replace(report, learning_curve=curve, learning_curve_of=simple.name if curve else "")


def _baselines(work: Work, output: int, truth: Target) -> dict[str, Answers]:
    """What simple rules answer to the rows measured: one that looks at no input, and a linear model."""
    target, rows = work.lesson.targets[output], work.lesson.measured
    name = "class_rates" if truth.classes else "mean"
    simple = {name: measure.constant(target.take(np.arange(len(work.prepared.rows))), len(rows))}
    linear = next((c.answers[output] for c in work.candidates if c.name == f"linear {output}"), None)
    if linear is None and not work.clock.finished:
        lesson, end = work.lesson, work.clock.elapsed() + max(0.2, 0.2 * work.clock.left())
        linear = Linear(30).fit(once(lesson.encoded.flat()), target, lesson.folds, lambda: work.clock.elapsed() < end)
    if linear is not None:
        answers = linear[rows].astype(np.float64)
        simple["linear"] = answers if truth.classes else measure.in_unit(answers, target)
    return simple


def _alarms(work: Work, outputs: Sequence[OutputReport], inputs: Sequence[Column]) -> list[Notice]:
    """What looks too good, and what is too little to tell; `inputs` are looked at in their order."""
    found = [notice for output in outputs for notice in doubts(output)]
    seconds = 0.0 if work.clock.finished else ALARM_SHARE * work.clock.left() / len(outputs)
    for target in work.prepared.targets:
        found += leaks(work.table, inputs, target, work.prepared.rows, seconds, work.seed)
    return found
