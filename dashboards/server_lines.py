"""Servers and everybody's work as the staff see them, and how much gets done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.formats import current_formats
from dashboards.work_lines import WorkLine, shown
from models import Server, Work
from models.work import WorkQuerySet, WorkState

SECTIONS = ("servers", "waiting", "running", "failed")
HOURS = 24
MOST_MEASURED = 500  # ended works whose times make the medians


@dataclass(frozen=True)
class ServerLine:
    """One worker. `server` knows whether it is alive, and `works` what it does now."""

    server: Server
    works: list[WorkLine]

    @property
    def is_alive(self) -> bool:
        return bool(getattr(self.server, "is_alive", False))

    @property
    def state(self) -> str:
        """Return its state in a word."""
        if not self.server.server_info_ready:
            return _("Stopped")
        if not self.is_alive:
            return _("Silent")
        return _("Draining") if self.server.is_draining else _("Working") if self.works else _("Idle")

    @property
    def tag(self) -> str:
        if self.server.server_info_ready and not self.is_alive:
            return "is-bad"
        return "is-warn" if self.is_alive and self.server.is_draining else "is-training" if self.works else ""

    @property
    def machinery(self) -> str:
        """Return what it has: "2 cores · 7.2 GB · graphics card with 141 GB"."""
        number = current_formats().number
        cores = ngettext("%(count)s core", "%(count)s cores", self.server.cores)
        parts = [cores % {"count": number(self.server.cores)}] if self.server.cores else []
        parts += [_("%(size)s GB") % {"size": _gigabytes(self.server.memory_mb)}] if self.server.memory_mb else []
        cards = self.server.server_gpu_ram or []
        parts += [_("graphics card with %(size)s GB") % {"size": _gigabytes(card)} for card in cards]
        return " · ".join(parts)

    @property
    def queues(self) -> str:
        return ", ".join(self.server.queues)


def _gigabytes(megabytes: float) -> str:
    return current_formats().number(round(megabytes / 1024, 1))


def of_section(section: str) -> "tuple[QuerySet[Any], Callable[[Iterable[Any]], list[Any]]]":
    """Return the rows of a part of the page, and what makes lines of those that are shown."""
    if section == "servers":
        alive = Server.objects.alive().filter(pk=OuterRef("pk"))
        return Server.objects.annotate(is_alive=Exists(alive)).order_by("-server_info_ready", "server_name"), _servers
    works = shown(Work.objects.all()).select_related("user", "server")
    if section == "waiting":
        return works.waiting().order_by("queue", "pk"), _works
    return works.in_state(WorkState.PROCESSING if section == "running" else WorkState.ERROR).order_by("-pk"), _works


def _works(works: Iterable[Work]) -> list[WorkLine]:
    return [WorkLine(work, may_end=True) for work in works]


def _servers(servers: Iterable[Server]) -> list[ServerLine]:
    doing: dict[int | None, list[WorkLine]] = defaultdict(list)
    for work in shown(Work.objects.running()).filter(server__in=[server.pk for server in servers]).order_by("pk"):
        doing[work.server_id].append(WorkLine(work))
    return [ServerLine(server, doing[server.pk]) for server in servers]


def counts() -> dict[str, int]:
    """Return how many rows each part of the page has, in two queries."""
    states = {"waiting": WorkState.WAITING, "running": WorkState.PROCESSING, "failed": WorkState.ERROR}
    works = Work.objects.order_by().aggregate(**{name: Count("pk", filter=state.q) for name, state in states.items()})
    return works | {"servers": Server.objects.count()}


@dataclass(frozen=True)
class Hour:
    """What ended in one hour."""

    start: datetime
    finished: int
    failed: int


@dataclass(frozen=True)
class Throughput:
    """What ended in the last HOURS hours, and how long works waited and took."""

    hours: list[Hour]
    waits: list[float]  # seconds
    durations: list[float]  # seconds

    @cached_property
    def most(self) -> int:
        return max((hour.finished + hour.failed for hour in self.hours), default=0)

    @property
    def finished(self) -> int:
        return sum(hour.finished for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)

    @property
    def wait(self) -> float | None:
        return median(self.waits) if self.waits else None

    @property
    def duration(self) -> float | None:
        return median(self.durations) if self.durations else None

    @property
    def bars(self) -> Iterator[dict[str, Any]]:
        """Yield each hour's two heights, the highest bar 100, and where they start."""
        for at, hour in enumerate(self.hours):
            finished, failed = (100 * count / max(1, self.most) for count in (hour.finished, hour.failed))
            yield {"x": 10 * at, "finished": finished, "failed": failed}


def throughput() -> Throughput:
    """Return what the last HOURS hours brought, in two queries."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    first = now - timedelta(hours=HOURS - 1)
    ended = Work.objects.filter(work_finished_at_date_time__gte=first).order_by()
    return Throughput(_hours(ended, first), *_times(ended.in_state(WorkState.FINISHED)))


def _hours(ended: WorkQuerySet, first: datetime) -> list[Hour]:
    counts = {"finished": WorkState.FINISHED, "failed": WorkState.ERROR}
    counted = {name: Count("pk", filter=state.q) for name, state in counts.items()}
    rows: Any = ended.values(start=TruncHour("work_finished_at_date_time")).annotate(**counted)
    found = {row["start"]: Hour(**row) for row in rows}
    starts = (first + timedelta(hours=at) for at in range(HOURS))
    return [found.get(start, Hour(start, 0, 0)) for start in starts]


def _times(finished: WorkQuerySet) -> tuple[list[float], list[float]]:
    """Return the seconds that the newest of them waited, and those that they took."""
    moments = finished.order_by("-pk").values_list(
        "created_at", "work_started_at_date_time", "work_finished_at_date_time"
    )
    known = [(asked, start, end) for asked, start, end in moments[:MOST_MEASURED] if start and end]
    waits = [(start - asked).total_seconds() for asked, start, _end in known]
    return waits, [(end - start).total_seconds() for _asked, start, end in known]
