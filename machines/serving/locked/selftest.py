"""Locks two children of this process, attacks from inside them and says "whole" if nothing got through.

Run in a fresh interpreter by `lock.protection`. Each attack is harmless where it succeeds.
"""

import ctypes
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from machines.serving.locked.lock import Limits, Profile, drop_power, forbid_calls, lock_files


def main() -> None:
    """Print "whole", or what was not stopped."""
    escapes = [f"{profile.value}: {name}" for profile in Profile for name in _escapes(profile)]
    print(", ".join(escapes) or "whole")


def _escapes(profile: Profile) -> list[str]:
    """Return the names of the attacks that succeed in a locked child, or why it could not be locked."""
    folder = tempfile.gettempdir()  # found before the lock: looking for it writes a file
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, _lock_and_attack(profile, folder).encode())
        except BaseException as error:  # the child of a fork must not go on with its parent's work
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return [] if told == "held" else [told or "it died"]


def _lock_and_attack(profile: Profile, folder: str) -> str:
    os.setsid()
    drop_power(limits=Limits())
    lock_files(readable=[], writable=[])
    forbid_calls(profile=profile)
    succeeded = [attack.__name__.strip("_") for attack in _attacks(folder) if _succeeds(attack)]
    return ", ".join(succeeded) or "held"


def _succeeds(attack: Callable[[], object]) -> bool:
    try:
        attack()
    except OSError:
        return False
    return True


def _attacks(folder: str) -> list[Callable[[], object]]:
    def read_a_file() -> object:
        return Path("/etc/passwd").read_bytes()

    def list_a_folder() -> object:
        return os.listdir("/")  # noqa: PTH208  (the plain call is what is attacked)

    def write_a_file() -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        Path(name).unlink()

    def open_a_socket() -> None:
        socket.socket().close()

    def fork() -> None:
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)

    def run_a_program() -> None:
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)

    def signal_the_parent() -> None:
        os.kill(os.getppid(), 0)

    def stop_being_nobody() -> None:
        os.setgroups([])
        os.setuid(0)

    def look_into_the_parent() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        attach, detach = 0x4206, 17  # PTRACE_SEIZE, which does not stop it; PTRACE_DETACH
        if libc.ptrace(attach, os.getppid(), None, None) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        libc.ptrace(detach, os.getppid(), None, None)

    return [
        read_a_file,
        list_a_folder,
        write_a_file,
        open_a_socket,
        fork,
        run_a_program,
        signal_the_parent,
        stop_being_nobody,
        look_into_the_parent,
    ]
