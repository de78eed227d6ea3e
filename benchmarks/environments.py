"""Peers live in environments of their own, var/peers-<name>: what they need would not go together with what we need."""

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.common import ROOT

# The plain index serves only torch's CUDA build, several GB; where this one cannot be reached, that is taken.
CPU_ONLY = ("--index-url", "https://download.pytorch.org/whl/cpu", "--retries", "0", "--timeout", "15")


def install(name: str, needs: Sequence[str]) -> str | None:
    """Make the environment of a peer, once; return why that was not possible, if it was not."""
    folder = ROOT / "var" / f"peers-{name}"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == "\n".join(needs):
        return None
    print(f"Installing {name} into {folder.relative_to(ROOT)}", flush=True)
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for torch in (need for need in needs if need.startswith("torch==")):
        _pip(name, torch, *CPU_ONLY)
    done = _pip(name, *needs)
    if done.returncode:
        return str((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    stamp.write_text("\n".join(needs))
    return None


def binary(name: str, program: str) -> str:
    """The path of a program in a peer's environment."""
    return str(ROOT / "var" / f"peers-{name}" / "bin" / program)


def _pip(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    pip = [binary(name, "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *words]
    return subprocess.run(pip, capture_output=True, text=True)
