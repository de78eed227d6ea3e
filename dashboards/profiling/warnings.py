"""What a profile warns of: sentences that say what to do, the most important first. Each deserves a reason and a mark."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashboards.profiling import MATTERS, matters, named
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.schema import DataType, Role

REPEATED, MANY_REPEATED, BY_CHANCE = 0.005, 100, 10.0
EMPTY = 0.5  # of an input's cells
OWN, LEAST_ROWS = 0.95, 20  # of a label column's cells that come once
FAR_OFF = 20.0  # interquartile ranges beyond the quartiles
RARE = 10  # rows of an output's label
Told = Mapping[str, Any]

LEAK = gettext_noop(
    "“%(column)s” alone tells “%(output)s”: %(share)s %% of the errors are gone with it. If it is only known after "
    "“%(output)s” is, ignore it: it will not be there when the machine is asked."
)
NO_ANSWER = gettext_noop(
    "“%(column)s” is the output and empty in %(count)s rows (%(share)s %%). Nothing is learned from them: fill it in, or "
    "remove these rows."
)
DUPLICATES = gettext_noop(
    "%(count)s rows (%(share)s %%) are there more than once. Remove them from the file: a machine that meets in its test "
    "what it has learned from seems better than it is."
)
PARTS = gettext_noop(
    "“%(column)s” has changed: the rows of upload %(part)s are spread in another way than those of the first (index "
    "%(index)s; from %(mark)s on it matters). Check its unit and how it was filled in; if the world has changed, leave "
    "out the old rows."
)
FRESH = gettext_noop(
    "“%(column)s” has labels in the rows of upload %(part)s that the first did not have: in %(share)s %% of them. Check how "
    "they are spelled; if they are new, train again."
)
HALVES = gettext_noop(
    "“%(column)s” has changed with “%(date)s”: its newer half is spread in another way than the older (index %(index)s; "
    "from %(mark)s on it matters). Let the latest rows be the test when you train, and train again as new rows come."
)
TWINS = gettext_noop("%(columns)s say the same. Ignore all but one: more of them teach nothing and blur what matters.")
CONSTANT = gettext_noop("%(columns)s: the same in every row. Ignore them: they tell nothing.")
SPARSE = gettext_noop(
    "“%(column)s” is empty in %(share)s %% of the rows. Ask whether it can be filled in; if not, and it will be empty when "
    "the machine is asked, ignore it."
)
SINGLE = gettext_noop(
    "“%(column)s” has another label in nearly every row (%(distinct)s in %(known)s). Ignore it: from names and numbers of "
    "single things nothing can be learned for others."
)
FEW_LABELS = gettext_noop(
    "“%(column)s” is “%(label)s” in %(count)s rows only. Add more such rows, or take it together with another label."
)
OUTLIERS = gettext_noop(
    "“%(column)s” holds %(count)s numbers far from all others, such as %(value)s. Look whether they are mistakes, or stand "
    "for “not known”; then correct or empty these cells."
)
# The same for those who may not see single values, see discreet.py.
A_FEW_LABEL = gettext_noop(
    "A label of “%(column)s” is in %(count)s rows only. Add more such rows, or take it together with another label."
)
AN_OUTLIER = gettext_noop(
    "“%(column)s” holds %(count)s numbers far from all others. Look whether they are mistakes, or stand for “not known”; "
    "then correct or empty these cells."
)
ORDER = (
    *("leak", "answer", "duplicates", "parts", "fresh", "halves", "twins"),
    *("rare", "constant", "single", "sparse", "outliers"),
)


def warnings(told: Told) -> list[dict[str, Any]]:
    """As JSON: {"what", "columns", "notice"}, and "quiet", a notice in its place, where that one tells a single value."""
    found = [*_leaks(told), *_outputs(told), *_duplicates(told), *_drift(told), *_fresh(told)]
    found += [*_twins(told), *_constant(told)]
    for about in told["columns"]:
        if about["role"] == Role.INPUT:
            found += _input(about)
    return sorted(found, key=lambda warning: ORDER.index(warning["what"]))


def _warning(what: str, about: Sequence[str], template: str, **values: Any) -> dict[str, Any]:
    return {"what": what, "columns": [*about], "notice": Notice(template, values, Weight.WARNING).to_json()}


def _discreet(warning: dict[str, Any], template: str) -> dict[str, Any]:
    """With another sentence of the same values for those who may not see all of them."""
    values = {name: value for name, value in warning["notice"]["values"].items() if name not in {"label", "value"}}
    return {**warning, "quiet": Notice(template, values, Weight.WARNING).to_json()}


def _leaks(told: Told) -> Iterator[dict[str, Any]]:
    for leak in told["leaks"]:
        names, share = {"column": leak["column"], "output": leak["output"]}, _percent(leak["score"])
        yield _warning("leak", [leak["column"]], LEAK, **names, share=share)


def _outputs(told: Told) -> Iterator[dict[str, Any]]:
    for about in told["columns"]:
        if about["role"] != Role.OUTPUT:
            continue
        name = about["name"]
        if about["missing"]:
            share = _percent(about["missing"] / about["rows"])
            yield _warning("answer", [name], NO_ANSWER, column=name, count=about["missing"], share=share)
        if about["type"] == DataType.LABEL and about["top"] and 1 < about["distinct"] <= len(about["top"]):
            label, count = about["top"][-1]
            if count < RARE:
                yield _discreet(
                    _warning("rare", [name], FEW_LABELS, column=name, label=label, count=count), A_FEW_LABEL
                )


def _duplicates(told: Told) -> Iterator[dict[str, Any]]:
    """Not in a table of a few labels, whose rows must come again."""
    found, rows = told["duplicates"], max(1, told["rows"])
    is_many = found["rows"] >= MANY_REPEATED or found["rows"] / rows >= REPEATED
    if found["rows"] and is_many and found["pairs"] > BY_CHANCE * found["pairs_by_chance"]:
        yield _warning("duplicates", [], DUPLICATES, count=found["rows"], share=_percent(found["rows"] / rows))


def _drift(told: Told) -> Iterator[dict[str, Any]]:
    used = _used(told)
    for what, key, template in (("parts", "by_part", PARTS), ("halves", "by_half", HALVES)):
        for found in told[key]:
            if found["column"] in used and matters(found):
                more = {"part": found["group"] + 1} if what == "parts" else {"date": told["date"]}
                numbers = {"index": round(found["index"], 2), "mark": MATTERS}
                yield _warning(what, [found["column"]], template, column=found["column"], **numbers, **more)


def _fresh(told: Told) -> Iterator[dict[str, Any]]:
    used = _used(told)
    for found in told["fresh"]:
        if found["column"] in used:
            numbers = {"part": found["group"] + 1, "share": _percent(found["share"])}
            yield _warning("fresh", [found["column"]], FRESH, column=found["column"], **numbers)


def _used(told: Told) -> set[str]:
    return {about["name"] for about in told["columns"] if about["role"] != Role.IGNORED}


def _twins(told: Told) -> Iterator[dict[str, Any]]:
    inputs = {about["name"] for about in told["columns"] if about["role"] == Role.INPUT}
    for group in told["twins"]:
        names = [name for name in group if name in inputs]
        if len(names) > 1:
            yield _warning("twins", names, TWINS, columns=named(names))


def _constant(told: Told) -> Iterator[dict[str, Any]]:
    """Also what is empty in every row, but not in a table of one row."""
    columns = [about for about in told["columns"] if about["role"] == Role.INPUT and about["rows"] > 1]
    names = [about["name"] for about in columns if about["distinct"] + bool(about["missing"]) < 2]
    if names:
        yield _warning("constant", names, CONSTANT, columns=named(names))


def _input(about: Told) -> Iterator[dict[str, Any]]:
    name, rows, known = about["name"], about["rows"], about["rows"] - about["missing"]
    if about["distinct"] and about["missing"] > EMPTY * rows:
        yield _warning("sparse", [name], SPARSE, column=name, share=_percent(about["missing"] / rows))
    if about["type"] == DataType.LABEL and known >= LEAST_ROWS and about["distinct"] > OWN * known:
        yield _warning("single", [name], SINGLE, column=name, distinct=about["distinct"], known=known)
    outliers = about.get("outliers")
    if outliers and outliers["farthest"] > FAR_OFF:
        value = outliers["examples"][0]
        warning = _warning("outliers", [name], OUTLIERS, column=name, count=outliers["count"], value=value)
        yield _discreet(warning, AN_OUTLIER)


def _percent(share: float) -> float:
    """With more digits where all or nothing would be said otherwise."""
    return round(100 * share, 1 if 0.001 <= share <= 0.999 else 4)
