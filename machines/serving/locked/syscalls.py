"""The calls to the system that a locked process may make, with their numbers on the two processors we know.

Everything not named here is forbidden: no socket, no exec, no fork, no kill, ptrace, process_vm_*, io_uring, memfd,
unshare, mount, bpf. Calls that Landlock does not watch are left out too, even where files may be used: chmod, chown,
utime, xattr and truncate by path would reach every file of the same owner.
"""

import platform
import sys
from typing import Final

AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # <linux/audit.h>
SECCOMP: Final = {"x86_64": 317, "aarch64": 277}

# name: (x86_64 of <asm/unistd_64.h>, aarch64 of <asm-generic/unistd.h>; None where the processor has no such call).
# The first column is tested by the attacks here, the second only against the header file.
BASE: Final[dict[str, tuple[int | None, int | None]]] = {
    # what is open already
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    # its own memory
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    "mincore": (27, 232),
    # its own threads and signals
    "futex": (202, 98),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "set_robust_list": (273, 99),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # who and when: tells nothing of others
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "uname": (63, 160),
    "sysinfo": (99, 179),
}

FILES: Final[dict[str, tuple[int | None, int | None]]] = {
    # Landlock decides which; `openat` has a rule of its own in seccomp.py
    "newfstatat": (262, 79),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "getdents64": (217, 61),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "umask": (95, 166),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fadvise64": (221, 223),
    "flock": (73, 32),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "msync": (26, 227),
    "sendfile": (40, 71),
    "copy_file_range": (326, 285),
    # what threads of one process wake each other with
    "pipe": (22, None),
    "pipe2": (293, 59),
    "eventfd2": (290, 19),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "set_tid_address": (218, 96),
    "get_robust_list": (274, 100),
}

WATCHED: Final[dict[str, tuple[int | None, int | None]]] = {
    # allowed with some arguments only
    "openat": (257, 56),
    "prlimit64": (302, 261),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "clone": (56, 220),
    "clone3": (435, 435),
}


def machine() -> str:
    """Return "x86_64" or "aarch64"; "" where no table is right."""
    name = platform.machine()
    is_known = sys.platform == "linux" and name in AUDIT_ARCH and sys.maxsize > 2**32
    return name if is_known else ""


def numbers(calls: dict[str, tuple[int | None, int | None]]) -> dict[str, int]:
    """Name -> number on this processor, without the calls that it does not have."""
    column = list(AUDIT_ARCH).index(machine())
    return {name: number for name, both in calls.items() if (number := both[column]) is not None}
