"""Cells that say "there is no value". What counts depends on the column: "None" is a word, but never a number."""

from machines.engine.schema import DataType

# All in lower case. These mean "missing" in a column of words, too.
_DASHES = ("", "?", "-", "--", "---", "–", "—", "\\n")
_SHORT = ("na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "(null)", "<na>")
_EXCEL_ERRORS = ("#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!")
TEXT_TOKENS = frozenset((*_DASHES, *_SHORT, *_EXCEL_ERRORS))

_WORDS = ("none", "nil", "missing", "unknown", "unbekannt", "inconnu", "empty", "leer", "no data", "not available")
_SIGNS = (
    "nd",
    "n.d.",
    "n/d",
    "nv",
    "k.a.",
    "s/o",
    "nat",
    "undefined",
    "tbd",
    "x",
    "*",
    "**",
    ":",
    "/",
    ".",
    "..",
    "...",
)
NUMBER_TOKENS = TEXT_TOKENS.union(_WORDS, _SIGNS)

_NO_DATES = ("0", "0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "00/00/0000", "1/0/1900")
MOMENT_TOKENS = NUMBER_TOKENS.union(_NO_DATES)


def missing_tokens(type: DataType) -> frozenset[str]:
    """The lower-case cells that mean "missing" in a column of this type."""
    if type.is_moment:
        return MOMENT_TOKENS
    return NUMBER_TOKENS if type is DataType.FLOAT else TEXT_TOKENS


def is_missing(text: str, type: DataType) -> bool:
    """Whether one cell is empty or says that there is no value."""
    return text.strip().lower() in missing_tokens(type)
