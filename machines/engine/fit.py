"""Rows in, machine out: the one place where a training's steps stand in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import orjson
import torch

from machines.engine import measure
from machines.engine.encode import Encoded, TableEncoder
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.export import Blend, build_model, output_names, serialize
from machines.engine.finish import Work, describe, measured
from machines.engine.forget import incomplete, joined, rows_to_copy, says_something
from machines.engine.learn import Study, learn, names_used
from machines.engine.parameters import Parameters, check_level
from machines.engine.prepare import MOST_FOLDED, Prepared, Target, check_clashes, folds_of, prepare
from machines.engine.progress import READING_COLUMNS, Clock, Listener
from machines.engine.report import Report
from machines.engine.schema import Schema, Table
from machines.engine.training import Lesson, loss_for
from machines.engine.trials import Stage, Trials
from machines.serving.predictor import Predictor

USUAL = 0.95  # of complete rows have no more empty cells than what counts as usual
LEARN_UNTIL = 0.84  # share of the time; the rest is for measuring and writing
LEARN_AGAIN_UNTIL = 0.92
FIRST_PART = 0.5  # of the time, if everything is learned twice
LEAST_AGAIN = 0.25  # of the time must be left for that
NOTHING = gettext_noop("Every input column holds the same value in all rows, so there is nothing to predict from.")
REPLACED_LOSS = gettext_noop("The loss “%(loss)s” does not suit “%(column)s”; “%(used)s” was used there.")


@dataclass(frozen=True)
class Fitted:
    """A trained machine."""

    onnx: bytes  # the whole machine, see docs of machines.engine.export
    report: Report
    metadata: Mapping[str, Any]  # as inside the file

    def predictor(self) -> Predictor:
        return Predictor(self.onnx)


def fit(
    table: Table,
    schema: Schema,
    *,
    level: int,
    deadline: float,
    seed: int,
    on_progress: Listener | None = None,
    parameters: Parameters | None = None,
    trials: Trials | None = None,
) -> Fitted:
    """Learn the schema's outputs from its inputs.

    `table` holds typed columns (see schema.Table). `deadline` is in seconds from now and bounds everything; `level` 1..5 says
    how hard to try within it. `on_progress` hears how far it is; it returns False for "finish now, keep the best".
    The rows held back (a fifth, at most 10,000) are never learned from, unless `parameters.all_rows` asks for it after
    they were measured. Same seed, same machine, unless time ran out.
    What is fitted is recorded in `trials`, and what an earlier attempt recorded there is not fitted again; the time that
    it took counts.
    Raises DataError for data that cannot be learned from, OSError if a trial cannot be recorded.
    """
    check_level(level)
    parameters, trials = parameters or Parameters(), trials or Trials()
    clock = Clock(deadline, on_progress)
    trials.open(table, [schema.to_json(), level, deadline, seed, parameters.to_json()], clock)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prepared = _prepare(table, schema, clock, seed, parameters)
        work = _start(table, schema, level, seed, clock, parameters, prepared, trials.stage("first"))
        end = LEARN_UNTIL * (FIRST_PART if parameters.all_rows else 1.0)
        blends = learn(_study(work, 0.0, end))
        model, report = measured(work, blends)
        again = _learn_again(work, blends, trials.stage("again")) if parameters.all_rows else None
    description = describe(work, report, blends, all_rows=again is not None)
    clock.done()
    return Fitted(serialize(again or model, orjson.dumps(description).decode()), report, description)


def _prepare(table: Table, schema: Schema, clock: Clock, seed: int, parameters: Parameters) -> Prepared:
    clock.say(READING_COLUMNS)
    prepared = prepare(table, schema, clock.seconds, seed)
    outputs = [name for t in prepared.targets for name in output_names(t.column, t.classes)]
    check_clashes([column.name for column in schema.inputs], outputs)
    prepared.warnings.extend(_replaced_losses(prepared.targets, parameters))
    clock.tick()
    return prepared


def _start(
    table: Table,
    schema: Schema,
    level: int,
    seed: int,
    clock: Clock,
    parameters: Parameters,
    prepared: Prepared,
    trials: Stage,
) -> Work:
    """Encode the rows to train on, with incomplete copies of some, and deal them into folds."""
    rng = np.random.default_rng(seed + 2)
    complete = measure.take(table, schema.inputs, prepared.train)
    if not any(says_something(complete[column.name]) for column in schema.inputs):
        raise DataError(NOTHING)
    copied = rows_to_copy(len(prepared.train), rng)
    rows = joined(complete, incomplete(complete, schema.inputs, copied, rng))
    clock.tick()
    encoder = TableEncoder(schema.inputs).fit(rows, clock.tick)
    encoded = encoder.transform(rows, clock.tick)
    encoder.usual_ = float(np.quantile(encoder.empty_share(complete), USUAL))
    clock.tick()
    once = tuple(target.take(prepared.train) for target in prepared.targets)
    count = trials.folds or _fold_count(encoded, once, clock)
    folds = folds_of(once[0], count, np.random.default_rng(seed + 1))
    folds = np.concatenate([folds, folds[copied]])
    targets = tuple(
        target.take(np.concatenate([prepared.train, prepared.train[copied]])) for target in prepared.targets
    )
    lesson = Lesson(encoded, targets, folds, encoder.emptiness(rows))
    trials.begin(lesson, clock)
    return Work(table, schema, level, seed, clock, parameters, prepared, encoder, lesson, trials)


def _study(work: Work, begin: float, end: float) -> Study:
    return Study(work.lesson, work.trials, work.parameters, work.clock, work.level, work.seed, begin, end)


def _learn_again(work: Work, blends: list[Blend], trials: Stage) -> onnx.ModelProto | None:
    """The same models once more, from all rows; None if time or patience is over before they are ready."""
    clock, prepared = work.clock, work.prepared
    begin = clock.elapsed() / clock.seconds
    everything = replace(prepared, train=np.sort(np.concatenate([prepared.train, prepared.holdout])))
    again = _start(work.table, work.schema, work.level, work.seed, clock, work.parameters, everything, trials)
    enough = clock.until(LEARN_AGAIN_UNTIL) > LEAST_AGAIN * clock.seconds
    if not enough and not trials.found:
        return None
    fresh = learn(_study(again, begin, LEARN_AGAIN_UNTIL), only=names_used(blends))
    return None if clock.finished else build_model(work.schema.inputs, again.encoder, fresh)


def _fold_count(encoded: Encoded, targets: tuple[Target, ...], clock: Clock) -> int:
    """Five folds for small tables, if five small networks can be trained in the time; else fewer or one."""
    width = sum(target.width for target in targets)
    inputs = min(768, 8 * encoded.numbers.shape[1]) + encoded.numbers.shape[1] + encoded.marks.shape[1]
    round_seconds = 6.0 * len(encoded) * 2 * (inputs + 96 + width) * 96 / 1e10
    for folds in (5, 3):
        if len(encoded) <= MOST_FOLDED and folds * round_seconds * 15 < clock.planned(0.1, LEARN_UNTIL):
            return folds
    return 1


def _replaced_losses(targets: tuple[Target, ...], parameters: Parameters) -> list[Notice]:
    notices = []
    for target in targets:
        used = loss_for(target, parameters.loss)
        if parameters.loss not in ("auto", used):
            values = {"loss": parameters.loss, "column": target.column.name, "used": used}
            notices.append(Notice(REPLACED_LOSS, values, Weight.WARNING))
    return notices
