"""What the home page shows: this person's machines as cards, in a constant number of queries."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Q, When
from django.utils.translation import gettext as _

from machines.reports import Score, main_score, task_name
from machines.services.access import actions_on
from machines.views.workspace import Workspace
from machines.work_view import WorkView
from models import Column, Machine, User, Work
from models.access import Action
from models.machine import MachineStatus

MOST_CARDS = 12
MOST_OUTPUTS = 3
EVERYWHERE = Workspace()


@dataclass(frozen=True)
class MachineCard:
    """One machine on the home page."""

    machine: Machine
    outputs: list[str]
    reports: list[dict[str, Any]]  # the part "outputs" of the training report
    work: Work | None
    owner: str  # the team, nobody but me, or whose it is
    may: frozenset[Action] = frozenset()  # what the person who looks may do with it

    @property
    def is_training(self) -> bool:
        return self.machine.machine_status == MachineStatus.TRAINING

    @property
    def percent(self) -> int | None:
        """How far the training is, 0 to 100; None while that is unknown."""
        return WorkView(self.work).percent if self.work and self.is_training else None

    @property
    def left(self) -> str:
        return WorkView(self.work).left

    @property
    def message(self) -> str:
        return WorkView(self.work).doing

    @property
    def scored(self) -> str:
        """The output whose score is shown."""
        return next((str(output.get("name", "")) for output in self.reports if main_score(output)), "")

    @property
    def score(self) -> Score | None:
        return next((score for output in self.reports if (score := main_score(output))), None)

    @property
    def predicts(self) -> str:
        """Return "Outcome · Yes or no", or a few names."""
        if len(self.outputs) == 1:
            task = next((task_name(output) for output in self.reports if output.get("name") == self.outputs[0]), "")
            return f"{self.outputs[0]} · {task}" if task else self.outputs[0]
        more = len(self.outputs) - MOST_OUTPUTS
        return ", ".join(self.outputs[:MOST_OUTPUTS]) + (f" +{more}" if more > 0 else "")


@dataclass(frozen=True)
class Home:
    """The numbers of the heading and the newest machines."""

    count: int = 0
    training: int = 0
    cards: list[MachineCard] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        return self.count > len(self.cards)


def home_of(user: User, workspace: Workspace = EVERYWHERE) -> Home:
    """Return what `user` sees on the home page of a workspace, machines in training first, then the newest."""
    visible = workspace.of(Machine.objects.visible_to(user), user)
    counts = visible.order_by().aggregate(
        count=Count("pk"), training=Count("pk", filter=Q(machine_status=MachineStatus.TRAINING))
    )
    rank = Case(When(machine_status=MachineStatus.TRAINING, then=0), default=1)
    machines = (
        visible.light().select_related("machine_owner_team", "machine_owner_user").order_by(rank, "-pk")[:MOST_CARDS]
    )
    return Home(counts["count"], counts["training"], _cards(list(machines), user))


def _cards(machines: list[Machine], user: User) -> list[MachineCard]:
    ids = [machine.pk for machine in machines]
    outputs: dict[int, list[str]] = defaultdict(list)
    for machine_id, name in Column.objects.outputs().filter(machine__in=ids).values_list("machine_id", "name"):
        outputs[machine_id].append(name)
    reports = dict(Machine.objects.filter(pk__in=ids).order_by().values_list("pk", "training_report__outputs"))
    works = {work.machine_id: work for work in Work.objects.trainings().active().filter(machine__in=ids).order_by("pk")}
    return [
        MachineCard(m, outputs[m.pk], reports.get(m.pk) or [], works.get(m.pk), _owner(m, user), may)
        for m, may in actions_on(user=user, machines=machines)
    ]


def _owner(machine: Machine, user: User) -> str:
    if machine.machine_owner_team:
        return machine.machine_owner_team.name
    return _("Mine") if machine.machine_owner_user == user else machine.machine_owner_user.get_full_name()
