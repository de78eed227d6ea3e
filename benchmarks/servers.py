"""The servers that benchmarks/serving.py compares: ours, and peers in environments of their own (var/peers-*)."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import net
from benchmarks.client import Connection
from benchmarks.common import ROOT, free_port
from benchmarks.environments import binary

PEERS = ROOT / "benchmarks" / "peers"
NEEDS = {
    "fastapi": ["fastapi==0.165.0", "uvicorn[standard]==0.54.0", "orjson", "onnxruntime", "numpy"],
    "mlflow": ["mlflow==3.17.2", "onnx", "onnxruntime"],
    "bentoml": ["bentoml==1.4.39", "onnxruntime", "numpy"],
    "flask": ["flask==3.1.3", "gunicorn==27.0.1", "keras==3.15.1", "tensorflow-cpu==2.21.0"],
}
START_SECONDS = 90
VERBOSE = "--verbose" in sys.argv  # what servers say


@dataclass
class Server:
    """How to start a server, and how to ask it for one row."""

    name: str
    command: list[str]
    port: int
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    surroundings: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> Connection:
        """Start it unless another one has, and return a connection that was answered rightly."""
        if self.process is None:
            environ = os.environ | {"OMP_NUM_THREADS": "1"} | dict(self.surroundings)
            out = None if VERBOSE else subprocess.DEVNULL
            about: dict[str, Any] = {"env": environ, "cwd": self.folder, "stdout": out, "stderr": out}
            self.process = subprocess.Popen(self.command, start_new_session=True, **about)
        for _attempt in range(START_SECONDS * 5):
            try:
                connection = Connection(
                    f"http://127.0.0.1:{self.port}{self.path}", json.dumps(self.body).encode(), self.headers
                )
                self._check(connection.ask())
                return connection
            except OSError as error:
                last = error
                time.sleep(0.2)
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended: {' '.join(self.command)}")
        raise SystemExit(f"{self.name} does not answer: {last}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    @staticmethod
    def _check(content: bytes) -> None:
        """Every server has to answer what the network says."""
        wanted = float(net.answer(net.make_weights(), np.array([net.ROW]))[0, 0])
        numbers = _numbers(json.loads(content))
        if not any(abs(number - wanted) < 1e-3 * abs(wanted) for number in numbers):
            raise SystemExit(f"A server answers {content[:200]!r}; it should be {wanted}.")


def fastapi(folder: Path) -> list[Server]:
    port = free_port()
    command = [binary("fastapi", "uvicorn"), "fastapi_server:app", "--port", str(port), "--no-access-log"]
    command += ["--log-level", "warning", "--app-dir", str(PEERS)]
    row = {"input_data": [net.ROW]}
    about: dict[str, Any] = {"surroundings": {"MODEL": str(folder / "net.onnx")}}
    names = {"/raw": "FastAPI + ONNX Runtime, bare", "/typed": "FastAPI + ONNX Runtime, with types"}
    return [Server(name, command, port, path, row, **about) for path, name in names.items()]


def mlflow(folder: Path) -> list[Server]:
    _run("mlflow", "save_mlflow.py", folder / "net.onnx", folder / "mlflow")
    port = free_port()
    command = [binary("mlflow", "mlflow"), "models", "serve", "-m", str(folder / "mlflow"), "-p", str(port)]
    command += ["--env-manager", "local", "-w", "1"]
    path = str(Path(binary("mlflow", "x")).parent) + os.pathsep + os.environ["PATH"]
    row = {"inputs": {"x": [net.ROW]}}
    return [
        Server("MLflow models serve", command, port, "/invocations", row, surroundings={"PATH": path}, folder=folder)
    ]


def bentoml(folder: Path) -> list[Server]:
    port = free_port()
    command = [
        binary("bentoml", "bentoml"),
        "serve",
        "bentoml_server:Net",
        "--port",
        str(port),
        "--working-dir",
        str(PEERS),
    ]
    surroundings = {
        "MODEL": str(folder / "net.onnx"),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    row = {"input_data": [net.ROW]}
    return [Server("BentoML", command, port, "/predict", row, surroundings=surroundings, folder=PEERS)]


def flask(folder: Path) -> list[Server]:
    net.save_weights(folder / "weights.npz", net.make_weights())
    _run("flask", "save_keras.py", folder / "weights.npz", folder / "net.keras")
    port = free_port()
    command = [binary("flask", "gunicorn"), "flask_keras_server:app", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
    row, surroundings = {"input_data": [net.ROW]}, {"MODEL": str(folder / "net.keras")}
    about: dict[str, Any] = {"surroundings": surroundings, "folder": PEERS}
    return [Server("Flask + Keras predict", [*command, "--timeout", "180"], port, "/predict", row, **about)]


MAKERS: Mapping[str, Callable[[Path], list[Server]]] = {
    "fastapi": fastapi,
    "mlflow": mlflow,
    "bentoml": bentoml,
    "flask": flask,
}


def _run(name: str, script: str, *words: Path) -> None:
    subprocess.run([binary(name, "python"), PEERS / script, *words], check=True, capture_output=True)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, int | float):
        return [float(value)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for part in parts for number in _numbers(part)]
