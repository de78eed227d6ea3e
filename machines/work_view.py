"""What a page shows of one work while it waits and runs, and when it is over."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from config.formats import current_formats
from machines.loss_curve import LossCurve
from machines.work_words import ahead_of, attempt_of, doing_of, message_of, place_of, usual_of
from models import Work
from models.work import WorkState


@dataclass
class WorkView:
    """One work as its own page shows it; None where there has been none."""

    work: Work | None

    @property
    def is_active(self) -> bool:
        return bool(self.work and self.work.is_active)

    @property
    def is_running(self) -> bool:
        return bool(self.work and self.work.state is WorkState.PROCESSING)

    @property
    def percent(self) -> int:
        return round(100 * self.work.progress) if self.work else 0

    @property
    def message(self) -> str:
        return message_of(self.work) if self.work else ""

    @property
    def doing(self) -> str:
        """What becomes of it now, whatever is known of it."""
        return doing_of(self.work) if self.work else ""

    @property
    def attempt(self) -> str:
        """Why it is tried again."""
        return attempt_of(self.work) if self.work else ""

    @property
    def place(self) -> str:
        """What waits before it, and how long trainings like this take; "" unless it waits."""
        if not self.work or self.work.state is not WorkState.WAITING:
            return ""
        return " · ".join(filter(None, [place_of(ahead_of(self.work)), usual_of(self.work)]))

    @property
    def elapsed(self) -> str:
        started = self.work.work_started_at_date_time if self.work else None
        if not started:
            return ""
        end = self.work.work_finished_at_date_time if self.work else None
        return current_formats().duration(((end or datetime.now(UTC)) - started).total_seconds())

    @property
    def left(self) -> str:
        """How long it takes yet; while it runs and nobody knows, how long it usually takes."""
        if not self.is_running or self.work is None or self.is_ending:
            return ""
        if self.work.seconds_left is None:
            return usual_of(self.work)
        return _("%(time)s left") % {"time": current_formats().duration(self.work.seconds_left)}

    @property
    def is_ending(self) -> bool:
        """Somebody asked for an early end and the worker has not yet followed."""
        return bool(self.is_running and self.work and self.work.is_finish_requested)

    @property
    def curve(self) -> LossCurve | None:
        told = self.work.curve if self.work and isinstance(self.work.curve, dict) else {}
        curve = LossCurve(told)
        return curve if curve.rounds > 1 else None
