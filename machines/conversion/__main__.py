"""Checks one uploaded file in a locked process of its own. Speaks as machines.engine.job says.

The request: {"path", "file_name", "framework": "tensorflow" | "pytorch" | "onnx", "layers": specification or null,
"onnx_path": where to write the converted model, and if wished "inputs": [{"name", "shape" without the rows, "dtype"}],
"seconds": how long the check may take, "memory_mb": how much more than Python and its libraries, "lock": false to do as if
the system could not lock}.
The answer: {"format", "served": "converted" | "native", "signature": Signature.to_json(), "report": {...}}; or an error
with a sentence that says what is wrong with the file and what to do.
The report: {"seconds", "peak_mb": memory, "opset", "operators": {name: count}, "parameters": count, "onnx_sha256", "onnx_bytes",
"parity": {"batches": [3, 7], "worst": largest difference} or null, "why_native": Notice.to_json() or null, "varies": bool,
"scanner": [sentences], "notices": [Notice.to_json()], "is_locked": bool}. What a native model does not have is null or empty.

In order: open both files; give up all other files; look which format it is, by magic numbers; import the libraries of that
format; give up power and system calls; and only then parse the file.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

import orjson

from machines.conversion import formats
from machines.engine.errors import DataError, gettext_noop
from machines.engine.job import Parent, failure, outcome
from machines.serving.locked import lock

SECONDS, MEMORY_MB, FILE_MB, OPEN_FILES = 60.0, 3072, 2048, 256
ENDLESS = gettext_noop(
    "The check of this model did not come to an end in time. A model that answers rows takes much less."
)
Request = dict[str, Any]


def main() -> None:
    """Do the one check that stdin asks for, and end the process."""
    request, began = orjson.loads(sys.stdin.readline()), monotonic()
    answers = _own_answers()
    with Path(request["path"]).open("rb") as file, Path(request["onnx_path"]).open("wb") as target:
        is_locked = request.get("lock", True) and lock.protection().is_whole
        if is_locked:
            folder = Path(tempfile.gettempdir())
            lock.lock_files(readable=lock.python_paths(), writable=[folder], threads=lock.MOST_THREADS)
            os.chdir(folder)
        check = Check(file, target, is_locked, began)
        _tell(answers, outcome(lambda asked, parent: check.run(asked), request, check.watched(request, answers)))
    os._exit(0)  # the threads that wait would hold the process


class Check:
    """One file on its way to an answer. What it holds was opened before the lock."""

    def __init__(self, file: BinaryIO, target: BinaryIO, is_locked: bool, began: float) -> None:
        self.file, self.target, self.is_locked, self.began = file, target, is_locked, began

    def watched(self, request: Request, answers: BinaryIO) -> Parent:
        """Say so if the check takes too long, and end if whoever asked is gone. Threads: so only once files are locked."""
        timer = threading.Timer(request.get("seconds", SECONDS), _give_up, [answers])
        timer.daemon = True
        timer.start()
        return Parent(sys.stdin)

    def run(self, request: Request) -> Mapping[str, Any]:
        """Look, import, lock, check. Raises DataError."""
        name = self._format(request)
        self._prepare(name)
        self._lock(request)
        from machines.conversion import check  # not above: what it imports, `_prepare` has chosen

        upload = check.Upload(
            self.file.read(), name, request.get("layers"), check.request_inputs(request.get("inputs"))
        )
        found = check.check(upload)
        if found.onnx is not None:
            self.target.write(found.onnx)
            self.target.flush()
        return {
            "format": name,
            "served": check.NATIVE if found.onnx is None else check.CONVERTED,
            "signature": found.signature.to_json(),
            "report": check.report(upload, found, began=self.began, is_locked=self.is_locked),
        }

    def _format(self, request: Request) -> str:
        size = os.fstat(self.file.fileno()).st_size
        head = os.pread(self.file.fileno(), formats.HEAD, 0)
        tail = os.pread(self.file.fileno(), formats.TAIL, max(0, size - formats.TAIL))
        name = formats.sniff(head, tail, size)
        formats.agree(name, request["file_name"], request["framework"])
        if not self.is_locked and name not in formats.DATA_ONLY:
            raise DataError(formats.NO_LOCK)
        return name

    def _prepare(self, name: str) -> None:
        """Import what the format needs. TensorFlow starts threads, which is why the files were locked before."""
        import onnx  # noqa: F401  (imported for its effect, as below)
        import onnxruntime  # noqa: F401  (likewise)

        if name not in formats.DATA_ONLY:
            if formats.FRAMEWORK_OF[name] == formats.TENSORFLOW:
                from machines.conversion import by_tensorflow

                by_tensorflow.prepare(Path(tempfile.gettempdir()))
            else:
                from machines.conversion import by_torch

                by_torch.prepare()

    def _lock(self, request: Request) -> None:
        limits = lock.Limits(request.get("memory_mb", MEMORY_MB), FILE_MB, OPEN_FILES)
        if self.is_locked:
            lock.drop_power(limits=limits, keeps_reading=True)
            lock.forbid_calls(profile=lock.Profile.CONVERT)
        else:
            lock.limit_only(limits)


def _own_answers() -> BinaryIO:
    """Where the answer goes. Whatever libraries, or the model, print goes to the log instead: it could look like one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _tell(answers: BinaryIO, event: Mapping[str, Any]) -> None:
    answers.write(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    answers.flush()


def _give_up(answers: BinaryIO) -> None:
    _tell(answers, failure(ENDLESS))
    os._exit(0)


if __name__ == "__main__":
    main()
