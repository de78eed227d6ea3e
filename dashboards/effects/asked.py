"""The site's end of the process that works out the effects of a machine's columns."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dashboards.kept import Question, Task
from machines.engine.errors import gettext_noop
from machines.engine.schema import Column

VERSION = 2  # counts up when the same would be told in another way
TASK = Task(
    "dashboards.effects.job",
    seconds=60.0,
    memory_mb=2048,
    threads=2,
    busy=gettext_noop("Another machine is being asked right now. Try again in a minute."),
    words={
        "deadline": gettext_noop("Asking this machine so often takes longer than a minute."),
        "memory": gettext_noop("Asking this machine so often needs more memory than there is."),
        "crash": gettext_noop("This could not be worked out. Try again."),
    },
)


@dataclass(frozen=True)
class Effects:
    """Of which rows, columns and model; `model_key` changes with the model, whose bytes are read only when needed."""

    parts: Sequence[Path]
    columns: Sequence[Column]
    chosen: Sequence[str]
    model_key: str
    folder: Path

    @property
    def question(self) -> Question:
        return Question(TASK, self.parts, self.columns, self.folder, [VERSION, [*self.chosen], self.model_key])

    def look(self) -> dict[str, Any] | None:
        """What is kept; None if there is nothing (any more). Raises DataError when the rows are gone."""
        return self.question.look()

    def make(self, model: Callable[[], bytes]) -> dict[str, Any]:
        """The effects, worked out if they are not kept. Raises DataError."""
        return self.question.make(partial(self._with_model, model))

    @contextmanager
    def _with_model(self, model: Callable[[], bytes]) -> Iterator[dict[str, Any]]:
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(model())
            file.flush()
            yield {"chosen": [*self.chosen], "model": file.name}
