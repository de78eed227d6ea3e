"""The list of allowed calls as a program for the kernel (seccomp BPF, written by hand: `man 2 seccomp`).

A forbidden call fails with EPERM, so that what the model says about it stays readable. A call in the way of another
processor (32 bit or x32), whose numbers mean other things, kills the process.
"""

import ctypes
import errno
import struct
from collections.abc import Iterable, Sequence
from enum import Enum

from machines.serving.locked import syscalls
from machines.serving.locked.syscalls import BASE, FILES, WATCHED, numbers


class Profile(Enum):
    """How much is left."""

    ANSWER = "answer"  # no file system at all, no threads: models that answer
    CONVERT = "convert"  # files that Landlock allows and threads: converters, and TensorFlow


KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
LOAD, AND, EQUALS, AT_LEAST, RETURN = (
    0x20,
    0x54,
    0x15,
    0x35,
    0x06,
)  # BPF_LD|W|ABS, ALU|AND|K, JMP|JEQ|K, JMP|JGE|K, RET|K
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16  # struct seccomp_data; both processors are little-endian: low half first
X32 = 0x40000000
O_TRUNC, O_ACCMODE, O_WRONLY, O_RDWR = 0x200, 3, 1, 2
THREAD = (0x3D0F00, 0x7D0F00)  # the flags of pthread_create, exactly: in glibc and in musl
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)  # duplicate, flags, locks; not F_SETOWN, which sends signals
IOCTL = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS (isatty), FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
PRCTL = (15, 16, 0x53564D41)  # a thread's name and that of a piece of memory; never PDEATHSIG or DUMPABLE
SET_MODE_FILTER, TSYNC = 1, 1

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k


def program(profile: Profile) -> list[Instruction]:
    """Return the filter of `profile` for this processor."""
    calls = BASE if profile is Profile.ANSWER else BASE | FILES
    lines = [_load(ARCH_AT), (EQUALS, 1, 0, syscalls.AUDIT_ARCH[syscalls.machine()]), _return(KILL), _load(NUMBER_AT)]
    lines += [(AT_LEAST, 0, 1, X32), _return(KILL)]
    for number in numbers(calls).values():
        lines += [(EQUALS, 0, 1, number), _return(ALLOW)]
    rules, known = _rules(profile), numbers(WATCHED)
    for name, rule in rules.items():
        lines += [(EQUALS, 0, len(rule), known[name]), *rule]
    return [*lines, _return(ERRNO | errno.EPERM)]


def install(profile: Profile) -> None:
    """Bind this process, with every thread that it has, to the filter. Raises OSError."""
    lines = program(profile)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code)))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes, call.restype = (ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p), ctypes.c_long
    if call(syscalls.SECCOMP[syscalls.machine()], SET_MODE_FILTER, TSYNC, ctypes.addressof(header)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def _rules(profile: Profile) -> dict[str, list[Instruction]]:
    """What the calls of WATCHED may do: instructions that end in a verdict."""
    rules = {
        # glibc then makes threads by clone, whose flags can be seen here; clone3 hides them behind a pointer
        "clone3": [_return(ERRNO | errno.ENOSYS)],
        # limits may be read, of this process, not set: the third argument is the new limit
        "prlimit64": _all_zero((0, 0), (2, 0), (2, 4)),
    }
    if profile is Profile.CONVERT:
        rules |= {
            # Landlock before ABI 3 does not see O_TRUNC: only together with writing, which it does see
            "openat": [
                _argument(2),
                (AND, 0, 0, O_TRUNC | O_ACCMODE),
                *_deny_if((O_TRUNC, O_TRUNC | O_ACCMODE)),
                _return(ALLOW),
            ],
            "clone": _allow_only(0, THREAD),
            "fcntl": _allow_only(1, FCNTL),
            "ioctl": _allow_only(1, IOCTL),
            "prctl": _allow_only(0, PRCTL),
        }
    return rules


def _load(offset: int) -> Instruction:
    return LOAD, 0, 0, offset


def _argument(index: int, half: int = 0) -> Instruction:
    """Load the low (0) or high (4) half of an argument. Where the kernel looks at an int, the low half is all of it."""
    return _load(ARGUMENTS_AT + 8 * index + half)


def _return(verdict: int) -> Instruction:
    return RETURN, 0, 0, verdict


def _deny_if(values: Iterable[int]) -> list[Instruction]:
    return [line for value in values for line in ((EQUALS, 0, 1, value), _return(ERRNO | errno.EPERM))]


def _allow_only(index: int, values: Iterable[int]) -> list[Instruction]:
    allowed = [line for value in values for line in ((EQUALS, 0, 1, value), _return(ALLOW))]
    return [_argument(index), *allowed, _return(ERRNO | errno.EPERM)]


def _all_zero(*halves: Sequence[int]) -> list[Instruction]:
    checks = [line for half in halves for line in (_argument(*half), (EQUALS, 1, 0, 0), _return(ERRNO | errno.EPERM))]
    return [*checks, _return(ALLOW)]
