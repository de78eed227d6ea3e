"""An uploaded model as a worker keeps it for a work -> a machine that answers rows, itself in a locked process.

Two files of one name: `.json` {"loader", "signature", "description"} and `.model`, the file that the loader takes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from machines.engine.errors import DataError, gettext_noop
from machines.engine.schema import Schema
from machines.engine.solving.match import Match
from machines.serving.locked.runner import Hosted, Runner, RunnerError
from machines.serving.signature import Signature
from machines.serving.uploaded import FAILED, AnyPredictor, UploadedPredictor

NEEDED = gettext_noop("The model needs the column “%(column)s”, which is not in the file.")


def open_uploaded(path: Path) -> tuple[UploadedPredictor, Schema]:
    """Host the model for as long as this process lives. What it does wrong is a DataError of the rows' work."""
    about = orjson.loads(path.read_bytes())
    hosted = Hosted(about["loader"], path.with_suffix(".model").read_bytes, Signature.from_json(about["signature"]))
    runner = Runner()

    def call(feed: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return runner.call(path.name, hosted, feed)
        except RunnerError as error:
            raise DataError(FAILED.get(error.reason, FAILED["crash"])) from error

    predictor = UploadedPredictor(about["description"], call)
    return predictor, predictor.schema


def check_needed(predictor: AnyPredictor, match: Match) -> None:
    """Raise DataError where a column is not in the file without which an uploaded model gives no answer."""
    there = {column.name for column in match.columns}
    for item in predictor.metadata["inputs"]:
        if item.get("required") and item["name"] not in there:
            raise DataError(NEEDED, column=item["name"])
