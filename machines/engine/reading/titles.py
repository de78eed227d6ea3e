"""The titles of a table: as the person wrote them, but present, short enough and different from each other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from machines.engine.errors import DataError, Notice, Weight, gettext_noop
from machines.engine.reading.layout import Layout
from machines.engine.reading.options import Limits

EXAMPLES = 5  # names shown in one sentence


@dataclass(frozen=True)
class Titles:
    """One name for each column; `untitled` are those at the right end that had no title."""

    names: list[str]
    untitled: frozenset[str] = frozenset()
    descriptions: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def make_titles(layout: Layout, limits: Limits) -> Titles:
    """Names for the columns of a layout. Raises DataError on too many columns or a too long title."""
    check_size(layout.titles or [""] * layout.width, limits, layout.skip_rows + 1)
    if layout.titles is None:
        names = [f"Column_{at}" for at in range(1, layout.width + 1)]
        return Titles(names, frozenset(names))
    return name_columns(layout.titles, layout.descriptions)


def name_columns(titles: Sequence[str], descriptions: Sequence[str] | None = None) -> Titles:
    """Unique names for titles that may be empty or occur twice."""
    names = [" ".join(title.replace("\0", "").split()) or f"Column_{at}" for at, title in enumerate(titles, start=1)]
    unique = make_unique(names)
    last = max((at for at, title in enumerate(titles, start=1) if title.strip()), default=0)
    renamed = [new for old, new in zip(names, unique, strict=True) if old != new]
    unnamed = [name for title, name in zip(titles[:last], unique, strict=False) if not title.strip()]
    notices = []
    if unnamed:
        template = gettext_noop("Columns without a title were named: %(names)s.")
        notices.append(_about(template, unnamed))
    if renamed:
        template = gettext_noop("Titles that occur twice were renamed: %(names)s.")
        notices.append(_about(template, renamed))
    described = {name: text for name, text in zip(unique, descriptions or [], strict=False) if text}
    return Titles(unique, frozenset(unique[last:]), described, notices)


def notes_about(layout: Layout) -> list[Notice]:
    """What was found around the table."""
    notices = []
    if layout.skip_rows:
        template = gettext_noop("Lines skipped above the table: %(count)s.")
        notices.append(Notice(template, {"count": layout.skip_rows}))
    if layout.titles is None:
        template = gettext_noop("The table has no line of titles; the columns were named Column_1, Column_2 and so on.")
        notices.append(Notice(template, {}, Weight.WARNING))
    if layout.descriptions is not None:
        notices.append(Notice(gettext_noop("The line below the titles was read as descriptions of the columns.")))
    if layout.notes:
        template = gettext_noop("Empty lines and notes left out below the table: %(count)s.")
        notices.append(Notice(template, {"count": layout.notes}))
    if layout.totals:
        template = gettext_noop("The last line looks like a total of the rows above and was left out.")
        notices.append(Notice(template, {}, Weight.WARNING))
    return notices


def check_size(titles: Sequence[str], limits: Limits, line: int = 1) -> None:
    """Raise DataError on too many titles, or too long ones."""
    if len(titles) > limits.columns:
        raise DataError(
            gettext_noop("Line %(line)s has %(count)s columns; at most %(limit)s can be read. Leave some out."),
            line=line,
            count=len(titles),
            limit=limits.columns,
        )
    for at, title in enumerate(titles, start=1):
        if len(title) > limits.header:
            raise DataError(
                gettext_noop(
                    "The title of column %(column)s has %(length)s characters; at most %(limit)s are allowed."
                ),
                column=at,
                length=len(title),
                limit=limits.header,
            )


def make_unique(names: Sequence[str]) -> list[str]:
    """Add _2, _3 ... where a name occurs again."""
    taken = set(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        new, number = name, seen[name]
        while number > 1 and new in taken:
            new = f"{name}_{number}"
            number += 1
        taken.add(new)
        unique.append(new)
    return unique


def _about(template: str, names: list[str]) -> Notice:
    shown = ", ".join(names[:EXAMPLES]) + (" …" if len(names) > EXAMPLES else "")
    return Notice(template, {"count": len(names), "names": shown}, Weight.WARNING)
