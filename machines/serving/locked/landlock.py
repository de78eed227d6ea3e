"""Which files a process may still touch (Landlock, by raw system calls: `man 7 landlock`).

It binds the calling thread and what comes after it, so it is called while there is one thread only. It does not hide
that a path exists (stat), nor does it watch chmod, chown or times: seccomp forbids those.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every processor
ASK_VERSION, PATH_BENEATH = 1, 1
WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14  # REFER: rename from one folder to another
OF_FILES = WRITE_FILE | READ_FILE | TRUNCATE  # what a rule about one file may name
READING = READ_FILE | READ_DIR
OF_FOLDERS = REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER
WRITING = READING | WRITE_FILE | TRUNCATE | OF_FOLDERS  # no links, sockets, devices
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # ABI -> how many kinds of access it knows; 16 from 5 on
TCP, SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals


def abi() -> int:
    """Return the kernel's version of Landlock, 0 where it has none or it is switched off."""
    try:
        return max(0, _call(CREATE_RULESET, None, 0, ASK_VERSION))
    except (OSError, AttributeError, TypeError):
        return 0


def restrict(*, readable: Sequence[Path], writable: Sequence[Path]) -> None:
    """Deny every file but those at and below the given paths; a path that does not exist is left out.

    Programs cannot be started from anywhere. TCP, abstract sockets of others and signals to others are denied as far as
    the kernel's version can. Raises OSError.
    """
    version = abi()
    handled = (1 << FILE_RIGHTS.get(version, 16)) - 1
    parts = [handled, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0]
    known = 8 if version < 4 else 16 if version < 6 else 24  # bytes of struct landlock_ruleset_attr
    ruleset = _call(CREATE_RULESET, struct.pack("QQQ", *parts)[:known], known, 0)
    try:
        for paths, rights in ((readable, READING), (writable, WRITING)):
            for path in paths:
                with suppress(FileNotFoundError):
                    _allow(ruleset, path, rights & handled)
        _call(RESTRICT_SELF, ruleset, 0, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= OF_FILES
        _call(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    values = [ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    result: int = call(ctypes.c_long(number), *values)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result
