"""What the pages show of many rows that were, or are being, answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings

from machines.services.solving import answers_path, preview_of
from machines.services.texts import sentence
from machines.work_view import WorkView
from models import Work
from models.work import WorkState

MOST_NOTICES = 20
TAGS = {WorkState.FINISHED: "is-good", WorkState.ERROR: "is-bad", WorkState.PROCESSING: "is-training"}


@dataclass
class SolvingView(WorkView):
    """Progress, as of a training, and what came of it."""

    work: Work

    @property
    def file(self) -> str:
        return str(self.work.parameters["file"])

    @property
    def tag(self) -> str:
        return TAGS.get(self.work.state, "") if self.work.state else ""

    @property
    def size(self) -> int | None:
        """Bytes of the answers, None when they are not kept."""
        path = answers_path(self.work)
        return path.stat().st_size if path else None

    @property
    def answered(self) -> int:
        """Rows that have an answer: an uploaded model gives none where a value that it needs is missing."""
        result = self.work.result
        return int(result.get("rows", 0)) - int(result.get("unanswered", 0))

    @property
    def notices(self) -> list[str]:
        return [sentence(notice) for notice in self.work.result.get("notices", [])[:MOST_NOTICES]]

    @property
    def more_notices(self) -> int:
        return max(0, len(self.work.result.get("notices", [])) - MOST_NOTICES)

    @cached_property
    def preview(self) -> dict[str, Any]:
        return preview_of(self.work)

    @property
    def kept_until(self) -> datetime | None:
        end: datetime | None = self.work.work_finished_at_date_time
        return end + timedelta(days=settings.WORK_FILE_DAYS) if end else None
