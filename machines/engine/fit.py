"""Rows in, machine out: the one place where a training's steps stand in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import orjson
import torch

from machines.engine.blend import blend_of, doubt_of
from machines.engine.costs import usual_seconds
from machines.engine.encode import Encoded, TableEncoder
from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.export import Answer, output_names, serialize
from machines.engine.finish import Work, describe, measured
from machines.engine.folds import count, probes_of, with_known_labels
from machines.engine.forget import incomplete, joined, rows_to_copy, rows_to_keep, says_something
from machines.engine.learn import DOUBT, Found, Study, learn, learn_doubt, refit
from machines.engine.lesson import Lesson
from machines.engine.naming import PARTS, naming
from machines.engine.parameters import Parameters, check_level
from machines.engine.prepare import Prepared, Target, check_clashes, prepare
from machines.engine.probes import make_probes, taken
from machines.engine.progress import READING_COLUMNS, Clock, Listener
from machines.engine.report import Report
from machines.engine.schema import Schema, Table
from machines.engine.splits import Split, alike, deal, part_of_each
from machines.engine.stacking import MOST_SHARE, share_of, stacked, stacking_share
from machines.engine.training import loss_for
from machines.engine.trials import Trials
from machines.serving.predictor import Predictor

LEARN_UNTIL = 0.9  # share of the time; the rest is for measuring and writing
FOLDS = {8: 0.2, 5: 0.4, 3: 0.4}  # worth it if what is usual takes at most this share of the time, see usual_seconds
MANY_ROWS = 10_000  # beyond, more candidates and a last fit of all rows pay more than folds, however much time there is
NOTHING = gettext_noop("Every input column holds the same value in all rows, so there is nothing to predict from.")
NAMES = gettext_noop("The numbers in “%(column)s” name things: each was learned as a label too, not only as an amount.")
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
    split: Split | None = None,
    by_clock: bool = False,
) -> Fitted:
    """Learn the schema's outputs from its inputs.

    `table` holds typed columns (see schema.Table). `deadline` is in seconds from now and bounds everything; `level` 1..5 says
    how hard to try within it. `on_progress` hears how far it is; it returns False for "finish now, keep the best".
    `split` says which rows belong together (see splits). All figures are of rows that what answered them had not seen.
    Same seed, same machine, unless time ran out, or `by_clock`: then what this computer is ahead of estimates is used, too.
    What is fitted is recorded in `trials`, and what an earlier attempt recorded there is not fitted again, be it that it
    died or that this one may take longer; the time that it took counts.
    Raises DataError for data that cannot be learned from, OSError if a trial cannot be recorded.
    """
    check_level(level)
    parameters, trials, split = parameters or Parameters(), trials or Trials(), split or Split()
    clock = Clock(deadline, on_progress)
    trials.open(table, [schema.to_json(), seed, parameters.to_json(), split.to_json()], clock)
    with torch.random.fork_rng(devices=[]), np.errstate(over="ignore", invalid="ignore"), catch_warnings():
        # What libraries say to programmers of infinite cells or rare labels, notices say to people.
        simplefilter("ignore")
        torch.manual_seed(seed)
        prepared = _prepare(table, schema, clock, seed, parameters)
        work = _encode(table, schema, level, seed, clock, prepared, split)
        answers = _learn(work, parameters, trials, by_clock)
        model, report = measured(work, answers)
    description = describe(work, report)
    clock.done()
    return Fitted(serialize(model, orjson.dumps(description).decode()), report, description)


def _prepare(table: Table, schema: Schema, clock: Clock, seed: int, parameters: Parameters) -> Prepared:
    clock.say(READING_COLUMNS)
    prepared = prepare(table, schema, clock.seconds, seed)
    outputs = [name for t in prepared.targets for name in output_names(t.column, t.classes)]
    check_clashes([column.name for column in schema.inputs], outputs)
    prepared.warnings.extend(_replaced_losses(prepared.targets, parameters))
    clock.tick()
    return prepared


def _encode(
    table: Table, schema: Schema, level: int, seed: int, clock: Clock, prepared: Prepared, split: Split
) -> Work:
    """Deal the rows into folds; encode them, the probes that are made of them, and incomplete copies beside some."""
    rows, inputs = prepared.rows, {column.name: table[column.name] for column in schema.inputs}
    rng = np.random.default_rng(seed + 2)
    complete = taken(inputs, rows)
    if not any(says_something(cells) for cells in complete.values()):
        raise DataError(NOTHING)
    copied = rows_to_copy(len(rows), rng)
    copies = incomplete(complete, schema.inputs, copied, rng)
    clock.tick()
    once = tuple(target.take(rows) for target in prepared.targets)
    encoder = TableEncoder(schema.inputs).fit(joined(complete, copies), clock.tick)
    whole = encoder.transform(complete, clock.tick)
    parts = part_of_each(split, table, rows, alike(once[0]), PARTS, np.random.default_rng(seed + 4))
    if names := naming(complete, schema.inputs, whole, once, parts, clock):
        encoder = TableEncoder(schema.inputs, names).fit(joined(complete, copies), clock.tick)
        whole = encoder.transform(complete, clock.tick)
        prepared.warnings.extend(Notice(NAMES, {"column": column.name}) for column in names)
    encoder.fit_gaps(complete)
    empty = encoder.transform(copies, clock.tick)
    count = _fold_count(whole, once, clock)
    folds = with_known_labels(deal(split, table, rows, once[0], count, np.random.default_rng(seed + 1)), once)
    probes = make_probes(complete, schema.inputs, once, np.flatnonzero(folds >= 0), rng)
    asked = joined(complete, probes.table)
    encoded = whole.below(encoder.transform(probes.table, clock.tick))
    targets = tuple(target.take(np.append(rows, rows[probes.origin])) for target in prepared.targets)
    all_folds = np.append(folds, probes_of(folds[probes.origin]))
    lesson = Lesson(encoder.fit_codes(asked, encoded, targets, all_folds), targets, all_folds)
    kept = rows_to_keep(folds, np.random.default_rng(seed + 3))
    twice = tuple(target.take(rows[np.append(kept, copied)]) for target in prepared.targets)
    doubt = Lesson(whole.take(kept).below(empty), twice, np.append(folds[kept], folds[copied]))
    emptiness = encoder.emptiness(joined(taken(complete, kept), copies))
    return Work(
        table, schema, level, seed, clock, prepared, split, encoder, lesson, probes, doubt, emptiness, kept, copied
    )  # fmt: skip


def _fold_count(encoded: Encoded, targets: tuple[Target, ...], clock: Clock) -> int:
    """As many folds as leave most of the time for more than what is usual, of several labels also for a second level; one
    part to measure, if not even three leave it or rows are many.

    Of all the time, not of what is left: an attempt that goes on deals the rows as the one before it did.
    """
    if len(encoded) > MANY_ROWS:
        return 1
    learned = {folds: len(encoded) * (folds - 1) // folds for folds in FOLDS}  # rows of each
    most = {folds: share * LEARN_UNTIL * clock.seconds for folds, share in FOLDS.items()}
    able = [n for n, rows in learned.items() if usual_seconds(rows, encoded, targets, n) < most[n]]
    stacks = (n for n in able if share_of(targets, learned[n], n, clock.seconds) < MOST_SHARE)
    return next(stacks, able[0] if able else 1)


def _learn(work: Work, parameters: Parameters, trials: Trials, by_clock: bool) -> list[Answer]:
    """Fit candidates, blend them for every output, and say who answers incomplete rows."""
    stage, other = trials.stage("first"), trials.stage("doubt")
    stage.begin(work.lesson, work.clock)
    other.begin(work.doubt, work.clock)
    study = Study(work.lesson, stage, parameters, work.clock, work.level, work.seed, LEARN_UNTIL - DOUBT, by_clock)
    share = stacking_share(study)
    found = learn(replace(study, end=study.end - share))
    if share:  # on a busy computer, where all else took longer, it may take some of the time for incomplete rows
        found.candidates.extend(stacked(replace(study, end=LEARN_UNTIL - DOUBT / 2), found))
    doubt = learn_doubt(replace(study, lesson=work.doubt, trials=other, end=LEARN_UNTIL))
    answers = []
    for i, target in enumerate(work.lesson.targets):
        usual = blend_of(found.candidates, target, i, work.lesson.measured)
        answers.append(Answer(usual, doubt_of(doubt, work.doubt.targets[i], i, work.doubt.measured, work.emptiness)))
    work.candidates = found.candidates
    return answers if count(work.lesson.folds) > 1 else _from_all_rows(study, found, answers)


def _from_all_rows(study: Study, found: Found, answers: list[Answer]) -> list[Answer]:
    """The same answers by models that learned from the measured rows as well."""
    parts = [part for answer in answers for part in answer.usual.parts]
    parts.sort(key=lambda part: (found.recipes[part[0].name].seconds / part[1], part[0].name))
    again = refit(replace(study, end=LEARN_UNTIL), found, list({id(c): c for c, _ in parts}.values()))
    return [replace(answer, usual=answer.usual.by(again)) for answer in answers]


def _replaced_losses(targets: tuple[Target, ...], parameters: Parameters) -> list[Notice]:
    notices = []
    for target in targets:
        used = loss_for(target, parameters.loss)
        if parameters.loss not in ("auto", used):
            values = {"loss": parameters.loss, "column": target.column.name, "used": used}
            notices.append(Notice(REPLACED_LOSS, values, Weight.WARNING))
    return notices
