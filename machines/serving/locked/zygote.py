"""Imports once what models need, then forks a locked child for each model. `python -c ...`, started by processes.py.

It reads no byte of a model: those come to the child, over a socket of its own, when the child is locked. The child holds
nothing of the zygote's socket, so no model can talk to the zygote. It ends when the site does (its socket closes), and its
children end with it (PDEATHSIG). A child that nobody asks any more ends by itself; so does a zygote that has none left,
unless it `stays`.

A loader is a module with
    can_fork(format) -> bool     False for libraries that start threads on import (TensorFlow): a fresh interpreter then
    warm_up(format) -> None      imports and runs once whatever `load` and its answers will need: afterwards there are no
                                 files to import from. Called before every fork, so it does its work once only
    load(format, content, signature) -> answer, and answer(arrays by input name) -> arrays by output name, [rows, ...]
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from machines.serving.locked import folders, wire
from machines.serving.locked.lock import (
    MOST_THREADS,
    ROOT,
    Limits,
    LockError,
    Profile,
    drop_power,
    forbid_calls,
    limit_only,
    lock_files,
    python_paths,
)
from machines.serving.locked.serve import refuse, serve

MOST_REQUEST = 2**16
FRESH_FILE_MB = 1024  # a file in the scratch folder of a model that is served with files
FRESH_BYTES = 2 * 2**30  # all that lies there
LOOK_SECONDS = 0.5
Scratch: TypeAlias = dict[str, int]  # the folders of models that are served with files -> the pidfd of who writes there
START = (
    "import json, sys; asked = json.loads(sys.argv[1]); sys.path[:] = asked.pop('path'); "
    "from machines.serving.locked import zygote; getattr(zygote, asked.pop('main'))(**asked)"
)


def command(main: str, **asked: Any) -> list[str]:
    """Return the command line that runs a function of this module in a fresh interpreter with this one's `sys.path`."""
    path = [str(ROOT), *(place for place in sys.path if place and place != str(ROOT))]
    return [sys.executable, "-I", "-c", START, json.dumps({"main": main, "path": path, **asked})]


def main(control: int, module: str, is_locked: bool, stays: bool, limits: dict[str, Any]) -> None:
    """Answer requests on the socket `control` until it closes: each becomes a child and its end of a socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries children; the site holds them by pidfd
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")  # before the site, if memory runs out
    scratch: Scratch = {}
    try:
        with socket.socket(fileno=control) as site:
            while request := _next(site, scratch, None if stays else limits["idle_seconds"]):
                _answer(site, module, json.loads(request)["format"], is_locked, Limits(**limits), scratch)
    finally:
        for folder in scratch:
            folders.remove(Path(folder))


def main_fresh(channel: int, module: str, format_name: str, parent: int, folder: str, limits: dict[str, Any]) -> None:
    """Be the locked child of a library that cannot be forked: files first, then the import, then all the rest."""
    tempfile.tempdir = folder
    os.chdir(folder)
    os.setsid()
    try:
        loader = importlib.import_module(module)  # light: what starts threads is imported by its `warm_up`
        lock_files(readable=python_paths(), writable=[Path(folder)], threads=MOST_THREADS)
        loader.warm_up(format_name)
        drop_power(limits=Limits(**{**limits, "file_mb": FRESH_FILE_MB, "open_files": 256}), keeps_reading=True)
        _end_if_orphaned(parent)
        forbid_calls(profile=Profile.CONVERT)
    except Exception as error:  # half locked or half imported: the model's bytes are not looked at
        reason = "lock" if isinstance(error, LockError) else "load"
        return wire.send(channel, wire.pack({"error": reason, "details": f"{type(error).__name__}: {error}"[:500]}))
    wire.send(channel, wire.pack({}))  # its imports took seconds, which are not the model's
    serve(channel, loader)


def _next(site: socket.socket, scratch: Scratch, idle_seconds: float | None) -> bytes:
    """Return the next request, b"" when the site is gone, or was silent so long and no child is left.

    Meanwhile end the models that fill the disk.
    """
    while not select.select([site], [], [], LOOK_SECONDS if scratch else idle_seconds)[0]:
        if not scratch and not _has_children():
            return b""
        for folder in list(scratch):
            _look_at(folder, scratch)
    return site.recv(MOST_REQUEST)


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:  # none, since the system buries those that have ended
        return False
    return True


def _look_at(folder: str, scratch: Scratch) -> None:
    """Remove the folder of a child that has ended, and kill the child that has written too much into one."""
    has_ended = select.select([scratch[folder]], [], [], 0)[0]
    if not has_ended and not folders.is_too_full(Path(folder), FRESH_BYTES):
        return
    held = scratch.pop(folder)
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(held, signal.SIGKILL)
    select.select([held], [], [], LOOK_SECONDS)
    folders.remove(Path(folder))
    os.close(held)


def _answer(
    site: socket.socket, module: str, format_name: str, is_locked: bool, limits: Limits, scratch: Scratch
) -> None:
    """Make one child and hand the site its socket, its pidfd and what it is called; or say why there is none."""
    ours, theirs = socket.socketpair()
    if limits.idle_seconds:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", limits.idle_seconds, 0))
    folder = ""
    with ours, theirs:
        try:
            loader = importlib.import_module(module)
            if loader.can_fork(format_name):
                loader.warm_up(format_name)
                pid = _fork(theirs.fileno(), loader, is_locked, limits)
            else:
                folder = tempfile.mkdtemp(prefix="easyautoml-model-")
                pid = _start_fresh(theirs.fileno(), module, format_name, folder, limits)
            held = [os.pidfd_open(pid)] if hasattr(os, "pidfd_open") else []
        except Exception as error:  # whatever an import raises: the site must hear of it
            if folder:
                folders.remove(Path(folder))
            site.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}).encode())
            return
        told = json.dumps({"pid": pid, "folder": folder}).encode()
        socket.send_fds(site, [told], [ours.fileno(), *held])
        for descriptor in held:
            if folder:
                scratch[folder] = descriptor
            else:
                os.close(descriptor)


def _fork(channel: int, loader: Any, is_locked: bool, limits: Limits) -> int:
    if is_locked and len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  (names only)
        raise RuntimeError("the loader started threads, which do not survive a fork")
    gc.freeze()  # what is here now is shared with every child: no collection shall touch, and so copy, it
    zygote = os.getpid()
    if pid := os.fork():
        return pid
    try:
        os.setsid()
        _keep_only(channel)
        if is_locked:
            _lock(limits, zygote)
        else:
            _stand_nowhere()
            limit_only(limits)
        serve(3, loader)
    except LockError as error:
        refuse(3, "lock", str(error))
    finally:
        os._exit(1)  # never back into the zygote's loop


def _lock(limits: Limits, parent: int) -> None:
    drop_power(limits=limits)
    _end_if_orphaned(parent)
    lock_files(readable=[], writable=[])
    forbid_calls(profile=Profile.ANSWER)


def _start_fresh(channel: int, module: str, format_name: str, folder: str, limits: Limits) -> int:
    asked = {"module": module, "format_name": format_name, "parent": os.getpid(), "folder": folder}
    arguments = command("main_fresh", channel=3, limits=vars(limits), **asked)
    environment = {**os.environ, "HOME": folder, "TMPDIR": folder, "KERAS_HOME": folder}
    if pid := os.fork():
        return pid
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _keep_only(channel)
        os.set_inheritable(3, True)
        os.execve(arguments[0], arguments, environment)  # noqa: S606  (our own interpreter, before any model came)
    finally:
        os._exit(1)


def _keep_only(channel: int) -> None:
    """Close everything but /dev/null (0 to 2) and `channel`, which becomes 3."""
    if channel != 3:
        os.dup2(channel, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))


def _end_if_orphaned(parent: int) -> None:
    """The signal of a parent's death is not sent for one that died before it was asked for."""
    if os.getppid() != parent:
        os._exit(1)


def _stand_nowhere() -> None:
    """Stand in a folder that is gone: where files cannot be locked, a relative name in a model finds nothing."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    Path(folder).rmdir()
