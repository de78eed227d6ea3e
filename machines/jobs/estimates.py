"""How long a work will take, learned from past work of its kind."""

from statistics import median

from machines.engine.parameters import level_seconds
from models import Work
from models.work import WorkKind, WorkState

MOST_PAST = 50
LEAST_PAST = 3
USUAL: dict[WorkKind, float] = {  # seconds
    WorkKind.SOLVING: 5.0,
    WorkKind.READING: 10.0,
    WorkKind.EXPORT: 20.0,
    WorkKind.CHECKING: 8.0,
    WorkKind.PROFILING: 5.0,
}
USUAL_EACH: dict[WorkKind, float] = {WorkKind.PROFILING: 1.6e-7}  # seconds beyond that, for each of its size


def estimate(
    kind: WorkKind, *, level: int | None = None, size: int | None = None, at_most: float | None = None
) -> float:
    """Return seconds: a start that does not depend on the size, and a time per row (Theil 1950, Sen 1968: medians of

    slopes, so that one odd work does not count). Until there is a past, what is usual. A training takes the share of
    `at_most`, else of what its level promises, that those before it took of what was promised for their rows.
    """
    past = _past(kind, level)
    if kind is WorkKind.TRAINING:
        shares = [seconds / level_seconds(level or 1, rows, 1) for rows, seconds in past]
        most = at_most or level_seconds(level or 1, size or 0, 1)
        return most * (median(shares) if len(shares) >= LEAST_PAST else 1.0)
    if len(past) < LEAST_PAST:
        return USUAL[kind] + USUAL_EACH.get(kind, 0.0) * (size or 0)
    if size is None:
        return median(seconds for _rows, seconds in past)
    slope = _slope(past)
    start = median(seconds - slope * rows for rows, seconds in past)
    return max(0.1, start + slope * size)


def _past(kind: WorkKind, level: int | None) -> list[tuple[int, float]]:
    """Rows and seconds of the newest works that were finished at the first attempt."""
    works = Work.objects.in_state(WorkState.FINISHED).filter(kind.q, level=level, attempts__lte=1).order_by("-pk")
    rows = works.values_list("size", "work_started_at_date_time", "work_finished_at_date_time")[:MOST_PAST]
    return [(size or 0, (end - start).total_seconds()) for size, start, end in rows if start and end]


def _slope(past: list[tuple[int, float]]) -> float:
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(past) for b in past[i + 1 :] if a[0] != b[0]]
    return max(0.0, median(slopes)) if slopes else 0.0
