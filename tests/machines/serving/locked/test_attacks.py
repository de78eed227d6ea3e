"""The 35 attacks of the checklist, run for real inside a locked process: none gets out, as root and as a plain user.

The same attacks without the lock do get out, or this test would be blind.
"""

import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from machines.serving.locked.lock import ROOT, protection
from tests.machines.serving.locked.attacks import ATTACKS, NOT_WITHOUT_LOCK

PLAIN = 54321  # a user that nobody else is: its processes are ours
CAMPAIGN = Path(__file__).with_name("campaign.py")
needs_lock = pytest.mark.skipif(
    not protection().is_whole, reason=f"needs Linux with Landlock and seccomp: {protection().why_not}"
)


class Surroundings:
    """What an attack aims at, open to every user, so that nothing but the lock protects it."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o777)
        self.canary, self.marker = folder / "canary", folder / "marker"
        self.marker.write_text("")
        self.marker.chmod(0o666)
        self.tcp, self.udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        self.tcp.bind(("127.0.0.1", 0))
        self.udp.bind(self.tcp.getsockname())
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(folder / "unix"))
        (folder / "unix").chmod(0o777)
        for listener in (self.tcp, self.unix):
            listener.listen()
        self.listeners = {"tcp": self.tcp, "unix": self.unix, "udp": self.udp}
        for listener in self.listeners.values():
            listener.setblocking(False)
        self.packages = Path(sysconfig.get_path("purelib"))

    def described(self) -> dict[str, object]:
        port = self.tcp.getsockname()[1]
        places = {
            "canary": self.canary,
            "marker": self.marker,
            "packages": self.packages,
            "unix": self.unix.getsockname(),
        }
        return {"port": port} | {name: str(place) for name, place in places.items()}

    def traces(self) -> list[str]:
        """What attacks left outside."""
        found = [name for name, listener in self.listeners.items() if _was_reached(listener)]
        found += ["canary"] if self.canary.exists() else []
        found += [] if self.marker.exists() else ["marker"]
        foreign = self.packages / "canary_of_a_model.py"
        if foreign.exists():
            foreign.unlink()
            found.append("packages")
        return found


def _was_reached(listener: socket.socket) -> bool:
    try:
        return bool(listener.recv(10) if listener.type == socket.SOCK_DGRAM else listener.accept())
    except BlockingIOError:
        return False


@pytest.fixture
def around():
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which is below a folder that only its owner enters
        Path(folder).chmod(0o755)
        inside = Path(folder) / "inside"
        inside.mkdir()
        yield Surroundings(inside)


def attack(around, *, names=tuple(ATTACKS), loader="attack", is_locked=True, user=None):
    """Run the campaign and return attack -> what came of it."""
    path = [str(ROOT), *(place for place in sys.path if place)]
    request = {"names": list(names), "at": around.described(), "loader": loader, "is_locked": is_locked, "path": path}
    user = None if user == os.getuid() else user
    done = subprocess.run(
        [python_of(user), str(CAMPAIGN), json.dumps(request)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"DJANGO_SECRET_KEY": "not for models", "DATABASE_URL": "nor this"},
        cwd="/",
        **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["user"] == (os.getuid() if user is None else user)
    return told["said"]


def python_of(user):
    """This interpreter, or the same version where another user can reach it (not in root's home)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, *(f"{place}/{version}" for place in ("/usr/local/bin", "/usr/bin"))]
    return next((python for python in candidates if user is None or _runs(python, user)), sys.executable)


def _runs(python, user):
    try:
        subprocess.run([python, "-c", ""], user=user, group=user, extra_groups=[], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def escapes(said):
    return {name: words for name, words in said.items() if not words.startswith("stopped: ")}


def test_there_are_35():
    assert len(ATTACKS) == 35


def assert_it_was_the_lock(said):
    """They were stopped one by one, not all together because nothing ran."""
    assert {said["endless_loop"], said["sleep"]} == {"stopped: deadline: "}
    for name in (
        "execv",
        "tcp",
        "udp",
        "unix_socket",
        "read_passwd",
        "write_file",
        "unlink",
        "fork",
        "kill_parent",
        "ptrace",
    ):
        assert said[name].startswith(("stopped: PermissionError", "stopped: OSError")), (name, said[name])
    assert "not permitted" in said["io_uring"] + said["unshare"] and "MemoryError" in said["bytes_50_gb"]
    assert "Cannot allocate memory" in said["slow_leak"]


USERS = [os.getuid(), PLAIN] if os.getuid() == 0 else [os.getuid()]  # a plain user cannot be another


@needs_lock
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("loader", ["attack", "attack-fresh"])
def test_no_attack_escapes(around, loader, user):
    said = attack(around, loader=loader, user=user)
    assert list(said) == list(ATTACKS)
    assert escapes(said) == {}
    assert around.traces() == []
    assert_it_was_the_lock(said)
    if user == PLAIN:
        assert _processes_of(PLAIN) == []


def test_without_the_lock_they_do_escape(around):
    around.packages = around.canary.parent / "packages"
    around.packages.mkdir()
    said = attack(around, names=[name for name in ATTACKS if name not in NOT_WITHOUT_LOCK], is_locked=False)
    assert len(escapes(said)) >= 8, said
    assert {"canary", "marker", "tcp", "udp", "unix", "packages"} <= set(around.traces())


def _processes_of(user):
    """Give the last of them the moment that the system takes to bury it."""
    for _ in range(50):
        left = subprocess.run(
            ["ps", "-o", "pid=,args=", "-u", str(user)], capture_output=True, text=True
        ).stdout.splitlines()
        if not left:
            return []
        subprocess.run(["sleep", "0.1"])
    return left
