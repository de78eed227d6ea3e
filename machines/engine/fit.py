"""Rows in, machine out: the one place where a training's steps stand in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from machines.engine import measure
from machines.engine.blend import blend_weights, conformal_scale, loss_of, temperature
from machines.engine.candidates import Candidate, fit_network, fit_simple, simple_makers
from machines.engine.encode import Encoded, TableEncoder
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.export import Blend, output_names
from machines.engine.finish import Work, finish
from machines.engine.parameters import LEVEL_SECONDS, Parameters, check_level
from machines.engine.prepare import MOST_FOLDED, Target, check_clashes, folds_of, prepare
from machines.engine.progress import READING_COLUMNS, SIMPLE_MODELS, Clock, Listener
from machines.engine.report import Report
from machines.engine.schema import Schema, Table
from machines.engine.training import Lesson, loss_for
from machines.serving.predictor import Predictor

SIMPLE_UNTIL = 0.3  # share of the time
LEARN_UNTIL = 0.84
ENOUGH = 3  # networks in a row that did not help
MOST_FLAT = 60_000_000  # cells beyond which simple models are left out
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
) -> Fitted:
    """Learn the schema's outputs from its inputs.

    `table` holds typed columns (see schema.Table). `deadline` is in seconds from now and bounds everything; so does the
    `level` 1..5 (LEVEL_SECONDS). `on_progress` hears how far it is; it returns False for "finish now, keep the best".
    The rows held back (a fifth, at most 10,000) are never learned from. Same seed, same machine, unless time ran out.
    Raises DataError for data that cannot be learned from.
    """
    check_level(level)
    clock = Clock(min(deadline, LEVEL_SECONDS[level]), on_progress)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        work = _start(table, schema, level, seed, clock, parameters or Parameters())
        candidates = _candidates(work)
        blends = [_blend(candidates, target, i) for i, target in enumerate(work.lesson.targets)]
    onnx, report, description = finish(work, blends)
    clock.done()
    return Fitted(onnx, report, description)


def _start(table: Table, schema: Schema, level: int, seed: int, clock: Clock, parameters: Parameters) -> Work:
    clock.say(READING_COLUMNS)
    prepared = prepare(table, schema, clock.seconds, seed)
    outputs = [name for t in prepared.targets for name in output_names(t.column, t.classes)]
    check_clashes([column.name for column in schema.inputs], outputs)
    clock.tick()
    rows = measure.take(table, schema.inputs, prepared.train)
    clock.tick()
    encoder = TableEncoder(schema.inputs).fit(rows, clock.tick)
    encoded = encoder.transform(rows, clock.tick)
    clock.tick()
    targets = tuple(target.take(prepared.train) for target in prepared.targets)
    folds = folds_of(targets[0], _fold_count(encoded, targets, clock), np.random.default_rng(seed + 1))
    prepared.warnings.extend(_replaced_losses(targets, parameters))
    return Work(table, schema, level, seed, clock, parameters, prepared, encoder, Lesson(encoded, targets, folds))


def _fold_count(encoded: Encoded, targets: tuple[Target, ...], clock: Clock) -> int:
    """Five folds for small tables, if five small networks can be trained in the time; else fewer or one."""
    width = sum(target.width for target in targets)
    inputs = min(768, 8 * encoded.numbers.shape[1]) + encoded.numbers.shape[1] + encoded.marks.shape[1]
    round_seconds = 6.0 * len(encoded) * 2 * (inputs + 96 + width) * 96 / 1e10
    for folds in (5, 3):
        if len(encoded) <= MOST_FOLDED and folds * round_seconds * 15 < clock.until(LEARN_UNTIL):
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


def _candidates(work: Work) -> list[Candidate]:
    """Simple models first, then a network with what is left of the time, then more networks while they help."""
    found: list[Candidate] = []
    if (
        not work.parameters.only_network
        and work.lesson.encoded.numbers.size + work.lesson.encoded.marks.size < MOST_FLAT
    ):
        found += _simple_candidates(work)
    found.append(fit_network(work.lesson, work.parameters, work.clock, LEARN_UNTIL, work.seed, 0))
    useless = 0
    while work.level > 1 and useless < ENOUGH and work.clock.until(LEARN_UNTIL) > 0.15 * work.clock.seconds:
        number = len(found)
        another = fit_network(work.lesson, work.parameters, work.clock, LEARN_UNTIL, work.seed + number, number)
        useless = 0 if _helps(found, another, work.lesson.targets) else useless + 1
        found.append(another)
    return found


def _simple_candidates(work: Work) -> list[Candidate]:
    work.clock.say(SIMPLE_MODELS)
    x, found = work.lesson.encoded.flat(), []
    seconds = 0.04 * work.clock.seconds / (1 + int(work.lesson.folds.max()))
    for i, target in enumerate(work.lesson.targets):
        makers = simple_makers(target, work.seed, seconds, work.level)
        for j, (name, make) in enumerate(makers.items()):
            until = SIMPLE_UNTIL * (i + (j + 1) / len(makers)) / len(work.lesson.targets)
            candidate = fit_simple(name, make, work.lesson, x, i, work.clock, until)
            found += [candidate] if candidate else []
    return found


def _helps(found: list[Candidate], another: Candidate, targets: tuple[Target, ...]) -> bool:
    return any(_best_loss([*found, another], t, i) < 0.998 * _best_loss(found, t, i) for i, t in enumerate(targets))


def _best_loss(candidates: list[Candidate], target: Target, output: int) -> float:
    answers = [c.answers[output] for c in candidates if output in c.answers]
    weights = blend_weights(answers, target)
    return loss_of(sum(w * a for w, a in zip(weights, answers, strict=True)), target)


def _blend(candidates: list[Candidate], target: Target, output: int) -> Blend:
    """Weigh the candidates for one output and calibrate what comes out."""
    able = [c for c in candidates if output in c.answers]
    weights = blend_weights([c.answers[output] for c in able], target)
    parts = tuple((c, float(w)) for c, w in zip(able, weights, strict=True) if w > 0)
    mixed = np.sum([w * c.answers[output] for c, w in parts], axis=0)
    if target.classes:
        return Blend(target, parts, power=temperature(mixed, target))
    network = next(c for c in candidates if c.spreads is not None)
    assert network.spreads is not None
    where = [i for i, answers in network.answers.items() if answers.shape[1] == 1].index(output)
    scale = conformal_scale(mixed, network.spreads[:, 2 * where : 2 * where + 2], target)
    return Blend(target, parts, scale=scale, spread=network, spread_at=where)
