"""What a training has fitted so far, kept on the disk, so that a training that died goes on where it stood.

A trial is one fitted candidate: a file of its own, written whole or not at all, that begins with the hash of the rest.
Files that are damaged, half written or of anything but the very same training are not believed, and deleted.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import orjson
import sklearn
import torch
from numpy.typing import NDArray

from machines.engine.candidates import Candidate, Recipe
from machines.engine.files import write_safely
from machines.engine.fragment import array_of, pack, unpack
from machines.engine.lesson import Lesson
from machines.engine.progress import Clock, Curve
from machines.engine.schema import Table

HASH = 32  # bytes of SHA-256
SUFFIX, HALF_WRITTEN = ".trial", ".part"
CURVE = "curve"
Fitted = TypeVar("Fitted", Candidate, Candidate | None)


@dataclass(frozen=True)
class Trial:
    """One candidate, and where the training stood once it was fitted."""

    slot: str  # the file's name without suffix: <stage>.<candidate>
    training: str  # see Trials.open
    lesson: str  # see Stage.begin
    made: str  # see candidates.Recipe
    elapsed: float  # seconds of learning so far, of all attempts together
    graph: onnx.GraphProto = field(repr=False)

    def to_bytes(self) -> bytes:
        about = {name: value for name, value in vars(self).items() if name != "graph"}
        self.graph.doc_string = orjson.dumps(about).decode()
        content = bytes(self.graph.SerializeToString())
        return hashlib.sha256(content).digest() + content

    @classmethod
    def read(cls, path: Path, training: str) -> "Trial | None":
        """The trial in this file, if it is whole and of this training."""
        try:
            content = path.read_bytes()
        except OSError:  # a broken disk costs the trial, not the training
            return None
        if hashlib.sha256(content[HASH:]).digest() != content[:HASH]:
            return None
        graph = onnx.GraphProto.FromString(content[HASH:])
        about = orjson.loads(graph.doc_string)
        return cls(**about, graph=graph) if about["training"] == training else None

    def curve(self) -> Curve:
        return Curve.from_bytes(array_of(self.graph, CURVE).tobytes())


class Trials:
    """The trials of one training, in a folder that it has for itself; without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.training = ""
        self.found: dict[str, Trial] = {}

    def open(self, table: Table, wishes: Any, clock: Clock) -> None:
        """Take up what an earlier attempt recorded, and set the clock to where that stood.

        Earlier attempts count if they had the same rows, wishes (anything that JSON can say), code and libraries.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.training = _fingerprint(table, wishes)
        for path in self.folder.iterdir():
            self._take_up(path)
        clock.resume(self.spent, self.curve())

    @property
    def spent(self) -> float:
        """Seconds of learning up to the last trial."""
        return max((trial.elapsed for trial in self.found.values()), default=0.0)

    def curve(self) -> Curve:
        """The loss curve up to the last trial."""
        last = max(self.found.values(), key=lambda trial: trial.elapsed, default=None)
        return last.curve() if last else Curve()

    def path(self, slot: str) -> Path:
        assert self.folder, "without a folder there are no trials"
        return self.folder / f"{slot}{SUFFIX}"

    def forget(self, slots: Iterable[str], clock: Clock) -> None:
        """Delete trials that turned out to be of something else, and give their time back."""
        before = self.spent
        for slot in slots:
            del self.found[slot]
            self.path(slot).unlink(missing_ok=True)
        clock.resume(self.spent - before, self.curve())

    def stage(self, name: str) -> "Stage":
        return Stage(self, name)

    def _take_up(self, path: Path) -> None:
        trial = Trial.read(path, self.training) if path.suffix == SUFFIX else None
        if trial and path.name == trial.slot + SUFFIX:
            self.found[trial.slot] = trial
        elif path.suffix in (SUFFIX, HALF_WRITTEN) and path.is_file():
            path.unlink(missing_ok=True)


class Stage:
    """The trials of one lesson, among those of a training that has several."""

    def __init__(self, trials: Trials, name: str) -> None:
        self.trials, self.name = trials, name
        self.found = {slot: trial for slot, trial in trials.found.items() if slot.startswith(f"{name}.")}

    def begin(self, lesson: Lesson, clock: Clock) -> None:
        """Believe only trials of this very lesson: a computer that counts otherwise may deal or encode the rows so."""
        self.lesson = lesson
        self.key = _lesson_key(lesson) if self.trials.folder else ""
        foreign = [slot for slot, trial in self.found.items() if trial.lesson != self.key]
        if foreign:
            self.trials.forget(foreign, clock)
            self.found = {slot: trial for slot, trial in self.found.items() if slot not in foreign}

    def knows(self, recipe: Recipe) -> bool:
        """Whether an earlier attempt fitted this very candidate."""
        trial = self.found.get(self._slot(recipe.name))
        return trial is not None and trial.made == recipe.made

    def candidate(self, recipe: Recipe, clock: Clock, fit: Callable[[], Fitted]) -> Candidate | Fitted:
        """The candidate of an earlier attempt; else fit it, and record it unless somebody waits for the end.

        Raises OSError if it cannot be recorded.
        """
        if self.knows(recipe):
            trial = self.found[self._slot(recipe.name)]
            clock.curve = trial.curve()
            return unpack(trial.graph, self.lesson)
        began = clock.elapsed()
        fitted = fit()
        if fitted is not None:
            fitted.seconds = clock.elapsed() - began
        if fitted is None or clock.finished or not self.trials.folder:
            return fitted
        return self._record(recipe, fitted, clock)

    def _record(self, recipe: Recipe, fitted: Candidate, clock: Clock) -> Candidate:
        """Return what was recorded, so that a machine is the same whether it was interrupted or not."""
        slot = self._slot(recipe.name)
        graph = pack(fitted, self.lesson, {CURVE: np.frombuffer(clock.curve.to_bytes(), np.uint8)})
        trial = Trial(slot, self.trials.training, self.key, recipe.made, clock.elapsed(), graph)
        write_safely(self.trials.path(slot), trial.to_bytes())
        return replace(unpack(graph, self.lesson), predict=fitted.predict)

    def _slot(self, candidate: str) -> str:
        return f"{self.name}.{candidate.replace(' ', '-')}"


def _fingerprint(table: Table, wishes: Any) -> str:
    """A hash of all that decides which machine comes out: rows, wishes, code and libraries."""
    found = hashlib.sha256(orjson.dumps([_version(), wishes]))
    for name, values in table.items():
        found.update(f"\0{name}\0{values.dtype}\0{len(values)}\0".encode())
        is_text = values.dtype == object
        found.update("\0".join(values).encode(errors="surrogatepass") if is_text else values.tobytes())
    return found.hexdigest()


@cache
def _version() -> list[str]:
    """The engine that runs here: nobody has to remember to count a number up when its code changes."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return [hashlib.sha256(code).hexdigest(), np.__version__, sklearn.__version__, torch.__version__]


def _lesson_key(lesson: Lesson) -> str:
    """A hash of the encoded rows, their answers and their folds."""
    found = hashlib.sha256()
    answers = [target.values for target in lesson.targets]
    arrays: list[NDArray[Any]] = [lesson.encoded.numbers, lesson.encoded.marks, lesson.folds, *answers]
    for array in arrays:
        found.update(f"{array.shape}{array.dtype}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
