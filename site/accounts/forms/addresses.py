"""Reads a paste of e-mail addresses: one a line or many, with commas or semicolons, with or without names."""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

PIECES = re.compile(r'(?:"[^"]*"|[^,;"]|")+')
NAMED = re.compile(r"^.*<([^<>]*)>$")
check = EmailValidator()


@dataclass(frozen=True)
class Wrong:
    """What cannot be an address, and where it stands."""

    line: int
    text: str


def read_addresses(text: str) -> tuple[list[str], list[Wrong]]:
    """Return the addresses in their order, each once and in small letters, and what cannot be one."""
    good: dict[str, None] = {}
    wrong: list[Wrong] = []
    for number, line in enumerate(text.splitlines(), start=1):
        for piece in filter(None, map(str.strip, PIECES.findall(line))):
            address = NAMED.sub(r"\1", piece).strip().lower()
            try:
                check(address)
            except ValidationError:
                wrong.append(Wrong(number, piece))
            else:
                good[address] = None
    return list(good), wrong
