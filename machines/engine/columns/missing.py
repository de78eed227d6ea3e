"""Cells that say "there is no value". What counts depends on the column: "None" is a word, but never a number."""

from machines.engine.schema import DataType

# In lower case. Safe in a column of words, too.
TEXT_TOKENS = frozenset(
    [
        "",
        "na",
        "n/a",
        "n.a.",
        "#n/a",
        "#na",
        "nan",
        "null",
        "(null)",
        "<na>",
        "\\n",
        "?",
        "-",
        "--",
        "---",
        "–",
        "—",
        "#null!",
        "#div/0!",
        "#value!",
        "#ref!",
        "#name?",
        "#num!",
    ]
)
NUMBER_TOKENS = TEXT_TOKENS | frozenset(
    (
        "none",
        "nil",
        "nd",
        "n.d.",
        "n/d",
        "nv",
        "k.a.",
        "s/o",
        "missing",
        "unknown",
        "unbekannt",
        "inconnu",
        ".",
        "..",
        "...",
    )
    + ("no data", "not available", "tbd", "x", "*", "**", ":", "/", "nat", "undefined", "empty", "leer")
)
MOMENT_TOKENS = NUMBER_TOKENS | frozenset(
    ("0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "00/00/0000", "0", "1/0/1900", "00:00:00 00.00.0000")
)


def missing_tokens(type: DataType) -> frozenset[str]:
    """The lower-case cells that mean "missing" in a column of this type."""
    if type.is_moment:
        return MOMENT_TOKENS
    return NUMBER_TOKENS if type is DataType.FLOAT else TEXT_TOKENS


def is_missing(text: str, type: DataType) -> bool:
    """Whether one cell is empty or says that there is no value."""
    return text.strip().lower() in missing_tokens(type)
