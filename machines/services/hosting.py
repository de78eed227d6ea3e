"""Answers of uploaded models from the locked runner: which process answers whom, and what a person is told when none does."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from machines import storage
from machines.engine.errors import Notice, Weight
from machines.serving.locked.runner import Hosted, Runner, RunnerError
from machines.serving.signature import Signature
from machines.serving.uploaded import FAILED
from models import ModelVersion
from models.model_version import Served

logger = logging.getLogger(__name__)
RUNNER = Runner()  # of this process; it starts nothing before it is asked


class ModelFailedError(RunnerError):
    """An uploaded model gave no usable answer. `notice` is what a person is told; `details` are for the log."""

    @property
    def notice(self) -> Notice:
        return Notice(FAILED.get(self.reason, FAILED["crash"]), {}, Weight.WARNING)

    @property
    def is_passing(self) -> bool:
        """Whether the same question may be answered in a moment."""
        return self.reason == "busy"


@dataclass(frozen=True)
class Host:
    """A version as it is hosted. A number may be given again after a database was restored: the digest tells them apart."""

    version_id: int
    sha256: str
    hosted: Hosted
    keeps_nothing: bool  # between two calls: a graph of standard operators

    def call(self, feed: Mapping[str, Any], caller: str) -> dict[str, Any]:
        """Return every output, [rows, ...]. Raises ModelFailedError.

        A native model may remember what it was asked, so nobody shares a process with another caller; whoever has no
        name gets a fresh one for each call.
        """
        key = (self.version_id, self.sha256, "" if self.keeps_nothing else caller)
        is_fresh = not self.keeps_nothing and not caller
        try:
            return RUNNER.call(key, self.hosted, feed, fresh=is_fresh)
        except ModelFailedError:
            raise
        except RunnerError as error:
            if error.reason not in {"busy", "input"}:  # its details may quote the row, so they are not logged
                logger.warning("version %s of an uploaded model gave no answer: %s", self.version_id, error.reason)
            raise ModelFailedError(error.reason, error.details) from error


def host_of(version: ModelVersion) -> Host:
    """`version` may come without its files."""
    is_converted = version.served == Served.CONVERTED
    hosted = Hosted(
        loader="onnx" if is_converted else version.format,
        content=lambda: content_of(version.pk, is_converted=is_converted),
        signature=Signature.from_json(version.signature),
        owner=version.uploaded_by_id,
    )
    return Host(version.pk, version.sha256, hosted, keeps_nothing=is_converted)


def content_of(version_id: int, *, is_converted: bool) -> bytes | memoryview:
    """Return the ONNX file of a version, or the file as it was uploaded; one in the storage takes no memory of this process.

    Raises ModelFailedError when it is gone.
    """
    fields = ("onnx", "onnx_path") if is_converted else ("file", "file_path")
    content, path = ModelVersion.objects.filter(pk=version_id).values_list(*fields).first() or (None, "")
    if content is not None:
        return bytes(content)
    try:
        return storage.mapped(storage.absolute(path)) if path else _gone()
    except FileNotFoundError:
        return _gone()


def _gone() -> bytes:
    raise ModelFailedError("gone")


def forget(version: ModelVersion) -> None:
    """End the processes of a version that was replaced or deleted; what they remember goes with them."""
    RUNNER.drop_where(lambda key: key[:2] == (version.pk, version.sha256))
