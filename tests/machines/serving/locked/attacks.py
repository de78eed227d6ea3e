"""A loader whose models attack: the 35 of the checklist, each as Python that runs where a model would.

An attack returns what it got, and then it has escaped; or it fails, and then it was stopped. Each is harmless where it
succeeds. What a locked process says of itself proves nothing, so the tests look at canaries too.
"""

import ctypes
import json
import mmap
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_DETACH, CLONE_NEWUSER = 0x4206, 17, 0x10000000
EXECVE, IO_URING_SETUP, MEMFD_CREATE = {"x86_64": (59, 425, 319), "aarch64": (221, 425, 279)}[os.uname().machine]


def can_fork(format_name):
    return format_name == "attack"


def warm_up(format_name):
    """Nothing is left to import: an attack that stumbles over a missing module would prove nothing."""
    import encodings.idna  # noqa: F401


def load(format_name, content, signature):
    at = SimpleNamespace(**json.loads(content))

    def answer(feed):
        (name,) = feed["attack"]
        try:
            said = f"escaped: {ATTACKS[name](at)}"
        except (OSError, MemoryError, RuntimeError, ValueError) as error:
            said = f"stopped: {type(error).__name__}: {error}"
        return {"said": np.array([said], dtype=object)}

    return answer


def _checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def system(at):
    if os.system(f"touch {at.canary}"):  # noqa: S605  (what is attacked)
        raise OSError("a shell that failed")
    return "a shell"


def subprocess_run(at):
    return subprocess.run(["/bin/touch", at.canary], check=True)


def execv(at):
    os.execv("/bin/touch", ["touch", at.canary])  # noqa: S606  (what is attacked)


def raw_execve(at):
    argv = (ctypes.c_char_p * 3)(b"touch", at.canary.encode(), None)
    return _checked(LIBC.syscall(EXECVE, b"/bin/touch", argv, None))


def tcp(at):
    with socket.create_connection(("127.0.0.1", at.port), timeout=2) as connection:
        connection.sendall(b"out")
    return "connected"


def udp(at):
    with socket.socket(type=socket.SOCK_DGRAM) as out:
        return out.sendto(b"out", ("127.0.0.1", at.port))


def unix_socket(at):
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(at.unix)
    return "connected"


def read_passwd(at):
    return Path("/etc/passwd").read_text()[:20]


def list_folders(at):
    return [*Path("/").iterdir(), *Path("/etc").iterdir()][:2]


def parent_environment(at):
    return Path(f"/proc/{os.getppid()}/environ").read_bytes()[:40]


def write_file(at):
    Path(at.canary).write_text("")
    return "written"


def write_packages(at):
    (Path(at.packages) / "canary_of_a_model.py").write_text("")
    return "written"


def unlink(at):
    return Path(at.marker).unlink()


def fork(at):
    if (child := os.fork()) == 0:
        os._exit(0)
    return child


def fork_bomb(at):
    return [fork(at) for _ in range(50)]


def thread_bomb(at):
    threading.stack_size(2**15)
    for _ in range(300):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    return "300 threads"


def kill_parent(at):
    return os.kill(os.getppid(), 0)


def ptrace(at):
    _checked(LIBC.ptrace(PTRACE_SEIZE, os.getppid(), None, None))
    LIBC.ptrace(PTRACE_DETACH, os.getppid(), None, None)
    return "attached"


def process_vm_readv(at):
    here = ctypes.create_string_buffer(8)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8)  # the zygote has the same memory at the same place
    return _checked(LIBC.process_vm_readv(os.getppid(), ours, 1, (ctypes.c_size_t * 2)(id(sys), 8), 1, 0))


def io_uring(at):
    return _checked(LIBC.syscall(IO_URING_SETUP, 4, ctypes.create_string_buffer(120)))


def unshare(at):
    return _checked(LIBC.unshare(CLONE_NEWUSER))


def memfd(at):
    return _checked(LIBC.syscall(MEMFD_CREATE, b"code", 0))


def raise_limit(at):
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "no limit"


def become_root(at):
    os.setgroups([])
    os.setresuid(0, 0, 0)
    return "root"


def bytes_50_gb(at):
    return len(bytearray(50 * 10**9))


def array_50_gb(at):
    return np.ones(50 * 10**9 // 8).sum()


def slow_leak(at):
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 2**22))
        kept[-1].write(b"\1" * 2**22)


def endless_loop(at):
    while True:
        pass


def sleep(at):
    time.sleep(3600)


def segfault(at):
    ctypes.string_at(0)


def huge_reply(at):
    """3 GB, announced and begun."""
    os.write(3, (200).to_bytes(4, "little") + (3 * 10**9).to_bytes(8, "little") + b" " * 200)
    while True:
        os.write(3, bytes(2**20))


def leave(at):
    os._exit(0)


def recursion(at):
    return recursion(at)


def own_environment(at):
    if secrets := {name for name in os.environ if "SECRET" in name or "DATABASE" in name}:
        return secrets
    raise ValueError("no secrets")


def descriptors(at):
    found = []
    for number in (*range(3), *range(4, 256)):
        try:
            kind = os.fstat(number).st_mode & 0o170000
        except OSError:
            continue
        if kind != 0o020000:  # /dev/null
            found.append((number, oct(kind)))
    if found:
        return found
    raise ValueError("nothing but /dev/null and the socket to the site")


ATTACKS = {
    attack.__name__: attack
    for attack in (
        *(system, subprocess_run, execv, raw_execve, tcp, udp, unix_socket, read_passwd, list_folders),
        *(parent_environment, write_file, write_packages, unlink, fork, fork_bomb, thread_bomb, kill_parent, ptrace),
        *(process_vm_readv, io_uring, unshare, memfd, raise_limit, become_root, bytes_50_gb, array_50_gb, slow_leak),
        *(endless_loop, sleep, segfault, huge_reply, leave, recursion, own_environment, descriptors),
    )
}
# Without the lock these would hurt the machine or the run (memory, processes), end the process that would have told of it
# (execv), or are no escape at all but a model that misbehaves, which the deadline ends.
NOT_WITHOUT_LOCK = {
    *("raw_execve", "execv", "fork_bomb", "thread_bomb", "bytes_50_gb", "array_50_gb", "slow_leak", "endless_loop"),
    *("sleep", "segfault", "huge_reply", "leave", "recursion", "unshare", "raise_limit", "become_root"),
}
