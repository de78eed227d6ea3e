"""Takes from the calling process what a model does not need. Either all of it goes, or LockError is raised.

A process that is about to open a file of a stranger locks itself, and only then looks at the file. Two orders are right:

    it needs nothing more (a forked child):    drop_power(...); lock_files(readable=[], writable=[]); forbid_calls(...)
    it must import libraries that make threads: lock_files(...); import ...; drop_power(...); forbid_calls(...)

Landlock binds one thread, so `lock_files` refuses if there are more. Seccomp binds them all, so it can come last.
"""

import ctypes
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from machines.serving.locked import landlock, seccomp, syscalls
from machines.serving.locked.seccomp import Profile

__all__ = [
    "MOST_THREADS",
    "Limits",
    "LockError",
    "Profile",
    "Protection",
    "drop_power",
    "forbid_calls",
    "lock_files",
    "protection",
    "python_paths",
]

ROOT = Path(__file__).resolve().parents[3]
NO_LOCK = os.environ.get("EASYAUTOML_NO_LOCK") == "1"  # as if the system could not: then files with code are refused
NOBODY = 65534
# Beside those that there are already. The system counts the tasks of all processes of a user, so this must do for a few
# checks at a time: 64 let one of two fail now and then.
MOST_THREADS = 200
SELF_TEST_SECONDS = 30
SYSTEM_PATHS = (  # shared libraries, and what numeric libraries ask about the processor
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS = 1, 4, 8, 38
CAPSET = {"x86_64": 126, "aarch64": 91}
CAPABILITY_VERSION = 0x20080522
READ_ANYTHING = 1 << 2  # CAP_DAC_READ_SEARCH: past the owners of files, not past Landlock


class LockError(RuntimeError):
    """The process is not, or not wholly, locked. It must end without looking at the file."""


@dataclass(frozen=True)
class Protection:
    """What the self-test found. `is_whole`: files that can hold code may be opened here."""

    is_whole: bool
    why_not: str = ""  # in English, for the log of whoever runs the site


@dataclass(frozen=True)
class Limits:
    """What the system enforces even if nobody watches the process any more."""

    memory_mb: int = 1024  # beyond what it has when the limit is set
    file_mb: int = 0  # no file grows beyond it
    open_files: int = 64
    idle_seconds: int | None = None  # for so long it waits to be asked, then it ends by itself
    cpu_seconds: int | None = None  # a wall clock elsewhere ends a process first; this one ends it if that clock dies


@cache
def protection() -> Protection:
    """Lock a throw-away process, attack from within it, and return whether all was stopped. About 0.1 s, once."""
    if why_not := _what_is_missing():
        return Protection(False, why_not)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from machines.serving.locked.selftest import main; main()"
    command = [sys.executable, "-I", "-S", "-c", code]
    try:
        done = subprocess.run(  # noqa: S603  (our own module, no shell)
            command, capture_output=True, text=True, errors="replace", timeout=SELF_TEST_SECONDS, env={}, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Protection(False, f"the self-test of the lock did not end: {error}")
    if done.returncode or done.stdout.strip() != "whole":
        return Protection(False, f"the self-test of the lock failed: {(done.stdout + done.stderr).strip()[-500:]}")
    return Protection(True)


def lock_files(*, readable: Sequence[Path], writable: Sequence[Path], threads: int = 0) -> None:
    """Leave only these files and folders, with all below them; also no TCP, no signals to others (as Landlock can).

    Symbolic links are not followed out of them. Nothing can be executed. A path that does not exist is left out. As root,
    `writable` becomes the property of the user that `drop_power` changes to. `threads`, for Profile.CONVERT: its user may
    then have so many tasks more than now (counted here, since /proc is out of reach afterwards). Raises LockError.
    """
    _refuse_where_it_cannot_be()
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  (names only, a thousand of them may be threads)
        raise LockError("Landlock would bind one thread of several")
    try:
        if os.geteuid() == 0:
            for path in writable:
                with suppress(FileNotFoundError):
                    os.chown(path, NOBODY, NOBODY)
        else:
            _keep_capabilities(0)
        if threads:
            _at_most(resource.RLIMIT_NPROC, _tasks_of(os.geteuid() or NOBODY) + threads)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(readable=readable, writable=writable)
    except OSError as error:
        raise LockError(f"files: {error}") from error


def drop_power(*, limits: Limits, keeps_reading: bool = False, dies_with_parent: bool = True) -> None:
    """Become nobody (where it was root), without capabilities, within `limits`, unseen by debuggers.

    `keeps_reading`: what Landlock lets through can be read whoever owns it; needed where Python itself lies in root's
    home. `dies_with_parent`: SIGKILL when the thread ends that made this process. Raises LockError.
    """
    _refuse_where_it_cannot_be()
    try:
        _limit(limits)
        _become_nobody(keeps_reading)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)  # no setuid program gives anything back
        _prctl(PR_SET_DUMPABLE, 0)  # others of the same user cannot look into it, and no core file holds its rows
        if dies_with_parent:  # after the change of user, which clears it
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, ValueError) as error:
        raise LockError(f"power: {error}") from error


def forbid_calls(*, profile: Profile) -> None:
    """Allow only the system calls of `profile`, in every thread and for good. Raises LockError."""
    _refuse_where_it_cannot_be()
    try:
        seccomp.install(profile)
    except OSError as error:
        raise LockError(f"calls: {error}") from error


def python_paths() -> list[Path]:
    """What Python and its libraries read, for `lock_files`: never the site's own folder, where settings and data lie."""
    libraries = [path for path in map(Path, sys.path) if path.name in ("site-packages", "dist-packages")]
    return [Path(sys.base_prefix), Path(sys.prefix), *libraries, ROOT / "machines", *map(Path, SYSTEM_PATHS)]


def limit_only(limits: Limits) -> None:
    """What is left to do where the system cannot lock, for files that hold no code. What it lacks is passed over."""
    with suppress(OSError, ValueError, AttributeError):
        _limit(limits)
    with suppress(OSError, AttributeError):
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _what_is_missing() -> str:
    if NO_LOCK:
        return "EASYAUTOML_NO_LOCK=1 is set"
    if not syscalls.machine():
        return "only Linux on x86-64 and aarch64 can lock processes"
    if not landlock.abi():
        return "this kernel has no Landlock (Linux 5.13 or newer, and not switched off)"
    return ""


def _refuse_where_it_cannot_be() -> None:
    if why_not := _what_is_missing():
        raise LockError(why_not)


def _limit(limits: Limits) -> None:
    size, data = _own_memory()
    most = {
        resource.RLIMIT_AS: size + limits.memory_mb * 2**20,
        resource.RLIMIT_DATA: data + limits.memory_mb * 2**20,
        resource.RLIMIT_FSIZE: limits.file_mb * 2**20,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if limits.cpu_seconds is not None:
        most[resource.RLIMIT_CPU] = limits.cpu_seconds
    for name, value in most.items():
        _at_most(name, value)


def _at_most(name: int, value: int) -> None:
    hard = resource.getrlimit(name)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(name, (value, value))


def _own_memory() -> tuple[int, int]:
    """Bytes of address space and of data (with stack) that this process has now."""
    fields = Path("/proc/self/statm").read_bytes().split()  # bytes: a codec might have to be imported
    page = resource.getpagesize()
    return int(fields[0]) * page, int(fields[5]) * page


def _tasks_of(user: int) -> int:
    """How many tasks a user has: the system's limit counts them all together."""
    count = 0
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and process.stat().st_uid == user:
                count += len(os.listdir(process / "task"))  # noqa: PTH208  (names only)
    return count


def _become_nobody(keeps_reading: bool) -> None:
    if os.geteuid() == 0:
        if keeps_reading:
            _prctl(PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _keep_capabilities(READ_ANYTHING if keeps_reading else 0)
    else:
        _keep_capabilities(0)


def _keep_capabilities(kept: int) -> None:
    """Drop all but `kept`, for good: with no_new_privs there is no way back."""
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_VERSION, 0))
    data = ctypes.create_string_buffer(struct.pack("IIIIII", kept, kept, 0, 0, 0, 0))
    call = ctypes.CDLL(None, use_errno=True).syscall
    if call(ctypes.c_long(CAPSET[syscalls.machine()]), header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, value: int) -> None:
    number = ctypes.c_ulong
    if ctypes.CDLL(None, use_errno=True).prctl(option, number(value), number(0), number(0), number(0)) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")
