"""Who takes part in benchmarks/accuracy.py, and how one of them is run: a fresh process, one core, one thread."""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common import ROOT, SHARED
from benchmarks.environments import binary, install

OWN = ROOT / "benchmarks" / "own.py"
COMMON, TABKIT = SHARED / "bench" / "peers.py", ROOT / "benchmarks" / "peers" / "tabkit.py"
NEEDS: Mapping[str, Sequence[str]] = {  # FLAML and AutoGluon each bring an XGBoost that breaks the other's
    "automl": ["torch==2.13.0", "autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3", "lightgbm==4.7.0",
               "catboost==1.2.10", "xgboost-cpu==3.2.0", "scikit-learn==1.9.1", "pandas==2.3.3"],
    "flaml": ["flaml[automl]==2.7.0", "lightgbm==4.7.0", "catboost==1.2.10", "xgboost==2.1.4", "scikit-learn==1.9.1",
              "pandas==2.3.3"],
    "pytabkit": ["torch==2.13.0", "pytabkit==1.7.3", "scikit-learn==1.9.1", "pandas==2.3.3"],
}  # fmt: skip
# name -> environment, script, whether it can be told how long it may take
PEERS: Mapping[str, tuple[str, Path, bool]] = {
    **{f"autogluon-{preset}": ("automl", COMMON, True) for preset in ("medium", "good", "best")},
    "flaml": ("flaml", COMMON, True),
    **dict.fromkeys(("catboost", "lightgbm", "linear", "trivial"), ("automl", COMMON, False)),
    **dict.fromkeys(("realmlp", "tabm"), ("pytabkit", TABKIT, False)),
}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
PATIENCE = 1800.0  # seconds beyond ten times the limit, after which a run has failed


@dataclass(frozen=True)
class Contestant:
    """A method with its time."""

    name: str
    command: tuple[str, ...]  # all but the table, the seed, and a time that is known only later
    environment: str = ""  # of a peer; ours has none
    seconds: float | None = None  # the limit it is told
    against: "Contestant | None" = None  # gets the seconds that this one took

    @property
    def is_ours(self) -> bool:
        return not self.environment

    def version(self) -> str:
        """What a stored result must share to count again: the engine's source, or the peer's script and packages."""
        if self.is_ours:
            files = [*(ROOT / "machines" / "engine").rglob("*.py"), *(ROOT / "machines" / "serving").glob("*.py"), OWN]
            return _digest(path.read_bytes() for path in sorted(files))
        needs = "\n".join(NEEDS[self.environment]).encode()
        return _digest([needs, *(Path(word).read_bytes() for word in self.command if word.endswith(".py"))])


def level(number: int) -> Contestant:
    """Ours as the site trains it. Raises ValueError with a sentence."""
    if number not in range(1, 6):
        raise ValueError(f"There is no level {number}; levels are 1 to 5.")
    return Contestant(f"ours, level {number}", (sys.executable, str(OWN), "--level", str(number)))


def timed(seconds: float, effort: int | None) -> Contestant:
    """Ours with a hard limit; the level is the lowest that would use it up, unless `effort` says one."""
    return Contestant(f"ours, {seconds:g} s{_at(effort)}", (sys.executable, str(OWN), *_level(effort)), "", seconds)


def answering(peer: Contestant, effort: int | None) -> Contestant:
    """Ours, stopped the second that the peer stopped."""
    name = f"ours, time of {peer.name}{_at(effort)}"
    return Contestant(name, (sys.executable, str(OWN), *_level(effort)), against=peer)


def peer(said: str, limit: float) -> Contestant:
    """A peer by its name; `name:seconds` gives it another limit. Raises ValueError with a sentence."""
    name, _, seconds = said.partition(":")
    if name not in PEERS:
        raise ValueError(f"There is no method “{name}”. Choose among {', '.join(PEERS)}.")
    environment, script, is_limited = PEERS[name]
    command = (binary(environment, "python"), str(script), "--peer", name)
    if not is_limited:
        return Contestant(name, command, environment)
    try:
        limit = float(seconds or limit)
    except ValueError:
        raise ValueError(f"“{seconds}” is not a number of seconds for {name}.") from None
    return Contestant(f"{name}, {limit:g} s", command, environment, limit)


def install_all(contestants: Iterable[Contestant]) -> dict[str, str]:
    """Make the peers' environments; those that could not be made, with the reason."""
    wanted = {contestant.environment for contestant in contestants} - {""}
    return {name: why for name in sorted(wanted) if (why := install(name, NEEDS[name]))}


def run(who: Contestant, data: Path, name: str, seed: int, seconds: float | None) -> dict[str, Any]:
    """What they reached, as their line of JSON says; {"error": ...} if they said nothing in time."""
    words = [*who.command, "--data", str(data.resolve()), "--set", name, "--seed", str(seed)]
    words += ["--seconds", str(seconds)] if seconds else []
    environ = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(COMMON.parent)}
    with TemporaryDirectory(prefix="bench-") as folder:  # some peers write where they stand
        about: dict[str, Any] = {"cwd": folder, "env": environ, "text": True, "start_new_session": True}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **about)
        try:
            out, errors = process.communicate(timeout=10 * (seconds or 0) + PATIENCE)
        except subprocess.TimeoutExpired:
            return {"error": "took too long"}
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    said = [line for line in out.splitlines() if line.startswith("{")]
    if not said:
        return {"error": (errors.strip().splitlines() or ["silence"])[-1]}
    found: dict[str, Any] = json.loads(said[-1])
    return found if math.isfinite(found["loss"]) else {"error": "answers that are no numbers"}


def _level(effort: int | None) -> tuple[str, ...]:
    return ("--level", str(effort)) if effort else ()


def _at(effort: int | None) -> str:
    return f" at level {effort}" if effort else ""


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()[:12]
