"""From encoded rows to blends: which candidates are tried, in which order, and what each output is answered from."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from machines.engine.blend import blend_weights, conformal_scales, loss_of, temperature
from machines.engine.candidates import Candidate, fit_network, fit_simple, simple_makers
from machines.engine.export import Blend
from machines.engine.parameters import Parameters
from machines.engine.prepare import Target
from machines.engine.progress import SIMPLE_MODELS, Clock
from machines.engine.training import Lesson
from machines.engine.trials import Stage

SIMPLE_UNTIL = 0.36  # share of the time for learning
ENOUGH = 3  # networks in a row that did not help
LEAST_SHARE = 0.15  # of the time for learning that another network must have left
MOST_FLAT = 60_000_000  # cells beyond which simple models are left out


@dataclass(frozen=True)
class Study:
    """What is to be learned, and from when until when (shares of the clock's time)."""

    lesson: Lesson
    trials: Stage  # what earlier attempts at it fitted
    parameters: Parameters
    clock: Clock
    level: int
    seed: int
    begin: float
    end: float

    def share(self, part: float) -> float:
        """The share of the clock's time at which `part` of this study's time is over."""
        return self.begin + part * (self.end - self.begin)


def learn(study: Study, only: frozenset[str] | None = None) -> list[Blend]:
    """Fit candidates (those named in `only`, or as many as help) and blend them for every output."""
    found = _simple_candidates(study, only)
    found += _networks(study, found) if only is None else _networks_again(study, only)
    return [_blend(found, target, i, study.lesson.emptiness) for i, target in enumerate(study.lesson.targets)]


def names_used(blends: list[Blend]) -> frozenset[str]:
    """The candidates that the blends cannot do without."""
    used = {candidate.name for blend in blends for candidate, _ in blend.parts}
    return frozenset(used | {blend.spread.name for blend in blends if blend.spread})


def _simple_candidates(study: Study, only: frozenset[str] | None) -> list[Candidate]:
    encoded, clock = study.lesson.encoded, study.clock
    if study.parameters.only_network or encoded.numbers.size + encoded.marks.size > MOST_FLAT:
        return []
    clock.say(SIMPLE_MODELS)
    x, targets = encoded.flat(), study.lesson.targets
    seconds = 0.05 * (study.end - study.begin) * clock.seconds / (1 + int(study.lesson.folds.max()))
    found = []
    for i, target in enumerate(targets):
        makers = simple_makers(target, study.seed, seconds, study.level)
        for j, (name, make) in enumerate(makers.items()):
            if only is not None and name not in only:
                continue
            until = study.share(SIMPLE_UNTIL * (i + (j + 1) / len(makers)) / len(targets))
            fit = partial(fit_simple, name, make, study.lesson, x, i, clock, until)
            candidate = study.trials.candidate(f"{name} {i}", clock, fit)
            found += [candidate] if candidate else []
    return found


def _networks(study: Study, simple: list[Candidate]) -> list[Candidate]:
    """A network with what is left of the time, then networks of other kinds while they help."""
    found = [_network(study, 0, study.end)]
    useless, least = 0, LEAST_SHARE * (study.end - study.begin) * study.clock.seconds
    while study.level > 1 and useless < ENOUGH:
        if study.clock.until(study.end) <= least and not study.trials.knows(f"network {len(found)}"):
            break
        another = _network(study, len(found), study.end)
        useless = 0 if _helps([*simple, *found], another, study.lesson.targets) else useless + 1
        found.append(another)
    return found


def _networks_again(study: Study, only: frozenset[str]) -> list[Candidate]:
    """The networks of an earlier study, each with an equal part of the time left."""
    variants = sorted(int(name.split()[1]) for name in only if name.startswith("network")) or [0]
    found = []
    for i, variant in enumerate(variants):
        now = study.clock.elapsed() / study.clock.seconds
        found.append(_network(study, variant, now + (study.end - now) / (len(variants) - i)))
    return found


def _network(study: Study, variant: int, until: float) -> Candidate:
    begin = study.share(SIMPLE_UNTIL)
    seconds = study.clock.planned(begin, study.end)
    seed = study.seed + variant
    fit = partial(fit_network, study.lesson, study.parameters, study.clock, until, seconds, seed, variant)
    return study.trials.candidate(f"network {variant}", study.clock, fit)


def _helps(found: list[Candidate], another: Candidate, targets: tuple[Target, ...]) -> bool:
    return any(_best_loss([*found, another], t, i) < 0.998 * _best_loss(found, t, i) for i, t in enumerate(targets))


def _best_loss(candidates: list[Candidate], target: Target, output: int) -> float:
    answers = [c.answers[output] for c in candidates if output in c.answers]
    weights = blend_weights(answers, target)
    return loss_of(sum(w * a for w, a in zip(weights, answers, strict=True)), target)


def _blend(candidates: list[Candidate], target: Target, output: int, emptiness: NDArray[np.float64]) -> Blend:
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
    scales = conformal_scales(mixed, network.spreads[:, 2 * where : 2 * where + 2], target, emptiness)
    return Blend(target, parts, scale=scales[0], scale_empty=scales[1], spread=network, spread_at=where)
