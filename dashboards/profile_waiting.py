"""What the page of a large table shows as long as its profile is not there."""

from dataclasses import dataclass

from config.formats import current_formats
from dashboards.profile_work import Asked
from machines.jobs.estimates import estimate
from machines.work_view import WorkView
from models import User, Work
from models.work import WorkKind, WorkState


@dataclass
class Waiting(WorkView):
    """The work that makes a profile, and what it takes; without one it is to be asked for."""

    asked: Asked
    user: User

    @property
    def cells(self) -> int:
        return self.asked.cells

    @property
    def time(self) -> str:
        return current_formats().duration(estimate(WorkKind.PROFILING, size=self.asked.cells))

    @property
    def begins_itself(self) -> bool:
        """Whether nobody has asked yet: what failed or was cancelled is asked for again by a person."""
        return self.work is None

    @property
    def has_failed(self) -> bool:
        return bool(self.work and self.work.state is WorkState.ERROR)

    @property
    def is_cancelled(self) -> bool:
        return bool(self.work and self.work.state is WorkState.CANCELLED)

    @property
    def may_cancel(self) -> bool:
        return bool(self.work and Work.objects.editable_by(self.user).filter(pk=self.work.pk).exists())
