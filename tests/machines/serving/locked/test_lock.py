"""What a process can still do after it locked itself, and that it never believes to be locked when it is not."""

import ctypes
import fcntl
import mmap
import os
import platform
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from machines.serving.locked import landlock, lock, seccomp, syscalls
from machines.serving.locked.lock import Limits, LockError, Profile, drop_power, forbid_calls, lock_files, protection

needs_lock = pytest.mark.skipif(
    not protection().is_whole, reason=f"needs Linux with Landlock and seccomp: {protection().why_not}"
)
PROTECTION = """
import sys
sys.path.insert(0, {root!r})
from machines.serving.locked.lock import *
print(protection())
try:
    {call}
except LockError as error:
    print("refused:", error)
"""


def in_child(*steps):
    """Run the steps in a forked process and return what each said: its result, or the name of its error."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            for step in steps:
                os.write(writer, f"{outcome(step)}\n".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    return said if not os.WIFSIGNALED(status) else [*said, signal.Signals(os.WTERMSIG(status)).name]


def outcome(step):
    try:
        return step()
    except (OSError, LockError, RuntimeError) as error:
        return type(error).__name__


@pytest.fixture
def locked(tmp_path):
    """Return steps that lock a converter into one readable and one writable folder."""
    tmp_path.chmod(0o755)
    read, write = tmp_path / "read", tmp_path / "write"
    for folder in (read, write):
        folder.mkdir()
    (read / "file").write_text("here")
    (tmp_path / "else").write_text("not for you")
    return [
        lambda: lock_files(readable=[read, Path("/proc/self"), Path("/not/there")], writable=[write], threads=64),
        lambda: drop_power(limits=Limits(memory_mb=512, file_mb=1), keeps_reading=True),
        lambda: forbid_calls(profile=Profile.CONVERT),
    ]


LOCKED = ["None"] * 3


@needs_lock
def test_it_works():
    assert protection() == lock.Protection(True)


@needs_lock
def test_a_converter_has_its_files_and_no_others(locked, tmp_path):
    read, write = tmp_path / "read" / "file", tmp_path / "write" / "file"
    said = in_child(
        *locked,
        read.read_text,
        lambda: (write.write_text("done"), write.rename(write.with_name("moved")))[0],
        (tmp_path / "else").read_text,
        Path(f"/proc/self/root{tmp_path}/else").read_text,
        lambda: read.write_text("mine now"),
        lambda: os.open(read, os.O_RDONLY | os.O_TRUNC),
        lambda: os.open(read, 3 | os.O_TRUNC),
        lambda: os.truncate(read, 0),
        lambda: read.chmod(0),
        lambda: os.utime(read, (0, 0)),
        lambda: os.link(tmp_path / "else", write),
        lambda: write.symlink_to(tmp_path / "else"),
        lambda: os.mkfifo(write),
        lambda: write.write_bytes(bytes(2**21)),
    )
    assert said[:5] == [*LOCKED, "here", "4"]
    assert all(name in {"PermissionError", "OSError"} for name in said[5:]) and len(said) == 17
    assert read.read_text() == "here" and (tmp_path / "write" / "moved").read_text() == "done"


@needs_lock
def test_an_old_landlock_is_made_up_for(tmp_path):
    """Before ABI 3 it does not see that opening empties a file. Here without Landlock at all: seccomp sees it."""
    file = tmp_path / "file"
    file.write_text("here")
    for place in (tmp_path, file):
        place.chmod(0o777)

    def no_landlock():
        drop_power(limits=Limits(file_mb=1), keeps_reading=True)
        forbid_calls(profile=Profile.CONVERT)

    ways = [os.O_RDONLY | os.O_TRUNC, 3 | os.O_TRUNC]
    said = in_child(no_landlock, *[lambda way=way: os.open(file, way) for way in ways])
    assert said == ["None", "PermissionError", "PermissionError"] and file.read_text() == "here"


@needs_lock
def test_it_cannot_be_looked_into():
    get_dumpable = lambda: ctypes.CDLL(None).prctl(3)  # noqa: E731  (a step)
    assert in_child(get_dumpable, lambda: drop_power(limits=Limits()), get_dumpable) == ["1", "None", "0"]


@needs_lock
def test_a_converter_has_threads_but_no_processes_and_no_network(locked):
    def thread():
        done = []
        one = threading.Thread(target=done.append, args=(os.getuid(),))
        one.start()
        one.join()
        return done[0]

    def threads():
        threading.stack_size(2**16)
        for _ in range(300):
            threading.Thread(target=time.sleep, args=(5,), daemon=True).start()

    said = in_child(
        *locked, thread, os.fork, socket.socket, socket.socketpair, lambda: os.kill(os.getppid(), 0), threads
    )
    assert said[3] == str(os.getuid() or lock.NOBODY)
    assert said[4:8] == ["PermissionError"] * 4
    assert said[8] == "RuntimeError"


@needs_lock
def test_descriptors_send_no_signals_and_terminals_take_no_input(locked):
    reader, writer = os.pipe()
    said = in_child(
        *locked,
        lambda: fcntl.fcntl(reader, fcntl.F_SETOWN, os.getppid()),
        lambda: fcntl.ioctl(reader, 0x5412, b"x"),  # TIOCSTI
        lambda: os.isatty(reader),
        lambda: fcntl.fcntl(os.dup(reader), fcntl.F_GETFD),
    )
    os.close(reader), os.close(writer)
    assert said[3:] == ["PermissionError", "PermissionError", "False", "1"]


@needs_lock
def test_power_does_not_come_back(locked):
    libc = ctypes.CDLL(None, use_errno=True)
    said = in_child(
        *locked,
        lambda: libc.prctl(lock.PR_SET_DUMPABLE, 1),
        lambda: libc.prctl(lock.PR_SET_PDEATHSIG, 0),
        lambda: libc.prctl(15, b"a name"),
        lambda: os.setuid(0) if os.getuid() else "root",
        lambda: resource.getrlimit(resource.RLIMIT_CORE),
        lambda: Path("/proc/self/status").read_text().split("CapPrm:\t")[1][:16],
        lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE),
    )
    kept = lock.READ_ANYTHING if os.getuid() == 0 else 0
    assert said[3:] == ["-1", "-1", "0", "PermissionError", "(0, 0)", f"{kept:016x}", "PermissionError"]


@needs_lock
@pytest.mark.skipif(platform.machine() != "x86_64", reason="tells how 32-bit calls are stopped, which only x86-64 has")
def test_calls_in_the_way_of_another_processor_kill():
    def old_call():  # mov eax, 20 (getpid); int 0x80; ret
        place = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        place.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
        return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(place)))() > 0

    def x32_call():
        return ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))

    def locked():
        drop_power(limits=Limits())
        forbid_calls(profile=Profile.ANSWER)

    assert in_child(old_call)[0] in {"True", "SIGSEGV"}  # the second where the kernel has no 32-bit calls at all
    assert in_child(locked, old_call) == ["None", "SIGSYS"] == in_child(locked, x32_call)


@needs_lock
def test_landlock_is_not_asked_to_bind_one_thread_of_two():
    def with_another():
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        lock_files(readable=[], writable=[])

    assert in_child(with_another) == ["LockError"]


@needs_lock
def test_a_locked_process_ends_with_its_parent():
    reader, writer = os.pipe()
    if (parent := os.fork()) == 0:
        if os.fork() == 0:
            drop_power(limits=Limits())
            os.write(writer, b"locked")
            time.sleep(60)
        time.sleep(60)
    os.close(writer)
    assert os.read(reader, 10) == b"locked"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    began = time.monotonic()
    assert os.read(reader, 10) == b"" and time.monotonic() - began < 5  # nobody holds the other end
    os.close(reader)


@pytest.mark.parametrize(
    "call",
    ["lock_files(readable=[], writable=[])", "drop_power(limits=Limits())", "forbid_calls(profile=Profile.ANSWER)"],
)
def test_where_the_system_cannot_lock_it_says_so(call):
    code = PROTECTION.format(root=str(lock.ROOT), call=call)
    environment = {"EASYAUTOML_NO_LOCK": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    told, refused = done.stdout.splitlines()
    assert told == "Protection(is_whole=False, why_not='EASYAUTOML_NO_LOCK=1 is set')"
    assert refused == "refused: EASYAUTOML_NO_LOCK=1 is set"


@needs_lock
@pytest.mark.parametrize("hole", ["landlock", "seccomp"])
def test_the_self_test_sees_a_lock_with_a_hole(hole):
    """Leave one wall out: the self-test must say what got through."""
    gap = {
        "landlock": "selftest.lock_files = lambda **k: None",
        "seccomp": "selftest.forbid_calls = lambda **k: None",
    }[hole]
    path = f"import sys; sys.path.insert(0, {str(lock.ROOT)!r})"
    code = f"{path}; from machines.serving.locked import selftest; {gap}; selftest.main()"
    told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert "read_a_file" in told if hole == "landlock" else "fork" in told


def test_an_old_kernel_cannot_lock(monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    assert "Landlock" in lock._what_is_missing()
    monkeypatch.setattr(syscalls, "machine", lambda: "")
    assert "x86-64" in lock._what_is_missing()


def test_the_numbers_of_the_calls_are_those_of_the_system():
    """Against the header files, where they are installed (linux-libc-dev); each number once, anyhow."""
    headers = [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")]
    calls = syscalls.BASE | syscalls.FILES | syscalls.WATCHED
    for column, header in enumerate(headers):
        ours = {name: both[column] for name, both in calls.items() if both[column] is not None}
        assert len(set(ours.values())) == len(ours) >= 75
        if header.exists():
            text = header.read_text().replace("__NR3264_fstatat", "__NR_newfstatat")
            theirs = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", text))
            assert ours == {name: int(theirs[name]) for name in ours}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_program_jumps_only_forward_to_what_is_there(monkeypatch, machine):
    """The kernel checks this too, but here only for this processor."""
    monkeypatch.setattr(syscalls, "machine", lambda: machine)
    for profile in Profile:
        lines = seccomp.program(profile)
        assert 100 < len(lines) < 4096
        for at, (code, yes, no, _) in enumerate(lines):
            assert 0 <= yes < 256 and 0 <= no < 256 and at + 1 + max(yes, no) < len(lines) + (code == seccomp.RETURN)
        assert lines[-1][0] == seccomp.RETURN
