"""Kills at random moments while work goes on, and what is left afterwards."""

import json
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass

from models import NNModel, Work
from models.work import WorkState
from tests.machines.jobs.workers import Fleet, children, quick_work

SEED = 4
WORKERS = 4
MOST_WAITING = 6
PAUSES = (0.02, 0.2)  # seconds between two blows
STALLS = (1.2, 3.0)  # longer than a lease, and at times than it takes another one to end the work


@dataclass(frozen=True)
class Verdict:
    """What became of the accepted works. Rows are the truth; a result belongs to a work and to a fencing token."""

    works: int
    kills: Counter[str]
    stalls: int
    attempts: Counter[int]
    lost: list[str]  # works that nobody will end, or that failed
    doubled: list[int]  # works with two results
    wrong: list[int]  # finished works without result, with a wrong one, or one of a worker that no longer held them
    seconds: float


class Storm:
    def __init__(self, fleet: Fleet, *, is_naive: bool = False) -> None:
        self.fleet, self.is_naive, self.random = fleet, is_naive, random.Random(SEED)
        self.works: list[int] = []
        self.kills: Counter[str] = Counter()
        self.stalled: dict[int, float] = {}
        self.stalls = 0
        self.workers = fleet.start(WORKERS, is_naive=is_naive)

    def run(self, kills: int, *, patience: float) -> Verdict:
        """Strike so often; then let the workers end what was accepted, as long as something still happens."""
        began = time.monotonic()
        while sum(self.kills.values()) < kills:
            self.feed()
            self.strike()
            self.wake(time.monotonic())
            time.sleep(self.random.uniform(*PAUSES))
        self.wake(float("inf"))
        self.wait(patience)
        return self.verdict(time.monotonic() - began)

    def feed(self) -> None:
        for _ in range(MOST_WAITING - Work.objects.waiting().count()):
            self.works.append(quick_work(steps=self.random.choice((1, 2, 4, 20))).pk)

    def strike(self) -> None:
        victim = self.random.choice([pid for pid in self.workers if pid not in self.stalled])
        blow = self.random.choices(("worker", "child", "stall"), (5, 5, 3))[0]
        if blow == "stall" and len(self.stalled) < WORKERS // 2 and self.fleet.kill(victim, signal.SIGSTOP):
            self.stalls += 1
            self.stalled[victim] = time.monotonic() + self.random.uniform(*STALLS)
        elif blow == "child":
            self.kills["child"] += sum(self.fleet.kill(pid) for pid in children(victim)[:1])
        elif blow == "worker" and self.fleet.kill(victim):
            self.kills["worker"] += 1
            self.workers.remove(victim)
            self.workers += self.fleet.start(is_naive=self.is_naive)

    def wake(self, now: float) -> None:
        for pid in [pid for pid, end in self.stalled.items() if end < now]:
            self.fleet.kill(pid, signal.SIGCONT)
            del self.stalled[pid]

    def wait(self, patience: float) -> None:
        """Wait until all has ended, or nothing has moved for so many seconds."""
        active, since = -1, time.monotonic()
        while active and time.monotonic() - since < patience:
            now = Work.objects.active().count()
            if now != active:
                active, since = now, time.monotonic()
            time.sleep(0.05)

    def verdict(self, seconds: float) -> Verdict:
        results = [json.loads(bytes(row)) for row in NNModel.objects.values_list("nn_model", flat=True)]
        times = Counter(pk for pk, _token, _square in results)
        works = Work.objects.in_bulk(self.works)
        ended = [work for work in works.values() if work.state is WorkState.FINISHED]
        right = [[work.pk, work.fencing_token, work.pk**2] for work in ended]
        return Verdict(
            works=len(self.works),
            kills=self.kills,
            stalls=self.stalls,
            attempts=Counter(work.attempts for work in works.values()),
            lost=[f"{pk} {works[pk].state}: {works[pk].message}" for pk in self.works if works[pk] not in ended],
            doubled=[pk for pk, count in times.items() if count > 1],
            wrong=[pk for pk, token, square in right if [pk, token, square] not in results],
            seconds=seconds,
        )
