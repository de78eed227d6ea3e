"""Which column is the answer, which ones it is found from, and which are better left out."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from machines.engine.columns import flags
from machines.engine.columns.arrays import find_missing
from machines.engine.columns.classes import are_classes
from machines.engine.columns.parse import parse_cells
from machines.engine.errors import Notice, Weight, gettext_noop
from machines.engine.reading.table import RawTable
from machines.engine.schema import DataType, Role

if TYPE_CHECKING:
    from machines.engine.columns.profile import ColumnProfile

OUTPUT_WORD = re.compile(r"(?:^|[^a-z])(?:outputs?|targets?)(?:$|[^a-z])", re.IGNORECASE)
INPUT_WORD = re.compile(r"(?:^|[^a-z])inputs?(?:$|[^a-z])", re.IGNORECASE)
IGNORE_WORD = re.compile(r"^ignored?$", re.IGNORECASE)
MOST_LABELS = 1_000
COPY = 0.999  # correlation with the answer above which a column is the answer itself
SAMPLE = 20_000  # rows compared first

LEFT_OUT = gettext_noop("Left out: %(why)s")
NAMED = gettext_noop("The answer, because its title or description says so")
WAITING = gettext_noop("The answer, because only its last rows are empty")
LAST = gettext_noop("The answer, because it is the last usable column")
SAID = gettext_noop("Its title or description says so")


def propose_roles(profiles: Sequence["ColumnProfile"], raw: RawTable) -> list["ColumnProfile"]:
    """Give every profile its role and the reason for it."""
    answers = _find_answers(profiles)
    with_roles = [_with_role(profile, answers.get(at)) for at, profile in enumerate(profiles)]
    answer = next((profile for profile in with_roles if profile.role is Role.OUTPUT), None)
    copies = find_copies(answer, with_roles, raw) if answer else set()
    return [as_copy(profile) if profile.name in copies else profile for profile in with_roles]


def _text_of(profile: "ColumnProfile") -> tuple[str, str]:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", profile.name).replace("_", " "), profile.description


def _says(profile: "ColumnProfile", word: re.Pattern[str]) -> bool:
    return any(word.search(text) for text in _text_of(profile))


def _find_answers(profiles: Sequence["ColumnProfile"]) -> dict[int, str]:
    """Which columns are proposed as answers: {position: reason}."""
    able = [at for at, profile in enumerate(profiles) if profile.type.can_be_output and profile.distinct > 0]
    if named := [at for at in able if _says(profiles[at], OUTPUT_WORD)]:
        return dict.fromkeys(named, NAMED)
    waiting = [at for at in able if profiles[at].empty_at_bottom and _is_usable(profiles[at])]
    if waiting and len(waiting) < len(profiles) and not _all_end_alike(profiles):
        return dict.fromkeys(waiting, WAITING)
    usable = [at for at in able if _is_usable(profiles[at]) and not _says(profiles[at], INPUT_WORD)]
    parents = tuple(f"{profile.name}_" for profile in profiles if profile.type is DataType.JSON)
    usable = [at for at in usable if not profiles[at].name.startswith(parents)] or usable
    return {usable[-1]: LAST} if usable else dict.fromkeys(able[-1:], LAST)


def _is_usable(profile: "ColumnProfile") -> bool:
    return (
        not profile.is_preset_ignored
        and not profile.is_id
        and profile.distinct > 1
        and (
            profile.type is not DataType.LABEL
            or profile.distinct <= min(MOST_LABELS, max(2, (profile.rows - profile.missing) / 2))
        )
    )


def _all_end_alike(profiles: Sequence["ColumnProfile"]) -> bool:
    """Where half of the columns end early, the file is cut off; nothing waits for an answer."""
    return sum(profile.empty_at_bottom for profile in profiles) > len(profiles) / 2


def _with_role(profile: "ColumnProfile", answer: str | None) -> "ColumnProfile":
    if answer is not None:
        return _as_answer(profile, answer)
    if profile.description and IGNORE_WORD.match(profile.description.strip()):
        return replace(profile, role=Role.IGNORED, role_reason=Notice(SAID))
    if profile.is_preset_ignored:
        return replace(profile, role=Role.IGNORED, role_reason=profile.flags[0])
    return replace(profile, role=Role.INPUT, role_reason=Notice(SAID) if _says(profile, INPUT_WORD) else flags.USED)


def _as_answer(profile: "ColumnProfile", reason: str) -> "ColumnProfile":
    """Few whole numbers are classes when they are the answer; a pair such as 0 and 1 above all."""
    number = profile.readings[DataType.FLOAT]
    if profile.type is DataType.FLOAT and _are_classes(profile):
        template = gettext_noop("%(distinct)s different whole numbers, read as classes because this is the answer")
        notice = Notice(template, {"distinct": number.distinct})
        text = profile.readings[DataType.LABEL]
        profile = replace(
            profile,
            type=DataType.LABEL,
            reason=notice,
            distinct=text.distinct,
            missing=text.missing,
            zeros_suspect=False,
        )
    if profile.type is DataType.LABEL and profile.distinct > MOST_LABELS:
        template = gettext_noop("As the answer it has %(count)s different classes, too many to learn.")
        flag = Notice(template, {"count": profile.distinct}, Weight.WARNING)
        profile = replace(profile, flags=(*profile.flags, flag))
    return replace(profile, role=Role.OUTPUT, role_reason=Notice(reason))


def _are_classes(profile: "ColumnProfile") -> bool:
    number, top = profile.readings[DataType.FLOAT], profile.readings[DataType.LABEL].top
    return are_classes(number.distinct, number.median, number.high, (value for value, _ in top))


def as_copy(profile: "ColumnProfile") -> "ColumnProfile":
    flag = Notice(gettext_noop("It repeats the answer, so it would give the answer away."), {}, Weight.WARNING)
    return replace(profile, role=Role.IGNORED, role_reason=flag, flags=(flag, *profile.flags), is_preset_ignored=True)


def find_copies(answer: "ColumnProfile", profiles: Sequence["ColumnProfile"], raw: RawTable) -> set[str]:
    """Inputs with the answer's values, one value for each class, or a straight line through it."""
    wanted = [profile for profile in profiles if profile.role is Role.INPUT and _may_be_copy(profile, answer)]
    if not wanted:
        return set()
    head = raw.head(SAMPLE).select([answer.name, *(profile.name for profile in wanted)])
    suspects = _copies_in(head, wanted, answer)
    if raw.rows <= SAMPLE:
        return {profile.name for profile in suspects}
    names = [profile.name for profile in suspects]
    return (
        {profile.name for profile in _copies_in(raw.select([answer.name, *names]), suspects, answer)}
        if names
        else set()
    )


def _copies_in(
    frame: pl.DataFrame, profiles: Sequence["ColumnProfile"], answer: "ColumnProfile"
) -> list["ColumnProfile"]:
    if answer.type is DataType.FLOAT:
        numbers = _numbers(frame, answer)
        return [
            profile
            for profile in profiles
            if profile.type is DataType.FLOAT and _is_straight(_numbers(frame, profile), numbers)
        ]
    return [profile for profile in profiles if _is_one_to_one(frame, profile, answer)]


def _may_be_copy(profile: "ColumnProfile", answer: "ColumnProfile") -> bool:
    if answer.type is DataType.FLOAT:
        return profile.type is DataType.FLOAT
    return profile.distinct == answer.distinct and profile.distinct > 1


def _numbers(frame: pl.DataFrame, profile: "ColumnProfile") -> NDArray[np.float64]:
    cells = frame[profile.name]
    values = parse_cells(cells, profile.type, profile.reading.format)
    values[find_missing(cells, profile.type)] = np.nan
    return values


def _is_straight(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    both = np.isfinite(left) & np.isfinite(right)
    if np.count_nonzero(both) < 3:
        return False
    left, right = left[both] - left[both].mean(), right[both] - right[both].mean()
    size = np.abs(left).max() * np.abs(right).max()
    if size == 0:
        return False
    left, right = left / np.abs(left).max(), right / np.abs(right).max()
    return bool(abs(left @ right) > COPY * np.sqrt((left @ left) * (right @ right)))


def _is_one_to_one(frame: pl.DataFrame, profile: "ColumnProfile", answer: "ColumnProfile") -> bool:
    """Each value goes with one class and back; only where values recur, or anything would."""
    pairs = frame.select(profile.name, answer.name).drop_nulls()
    different = pairs.select(pl.struct(pl.all()).n_unique().alias("pairs"), pl.all().n_unique()).row(0)
    return len(set(different)) == 1 and 1 < int(different[0]) <= 0.5 * pairs.height
