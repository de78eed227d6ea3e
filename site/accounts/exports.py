"""What the page of one's own data shows of the export."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.services.export import has_file
from config.formats import current_formats
from machines.work_view import WorkView
from models.work import WorkState

MEGABYTE = 1_000_000


@dataclass
class ExportView(WorkView):
    """Progress is shown like that of a training; what comes then is a file."""

    @property
    def has_file(self) -> bool:
        return bool(self.work and has_file(self.work))

    @property
    def has_failed(self) -> bool:
        return bool(self.work and self.work.state is WorkState.ERROR)

    @property
    def size(self) -> str:
        megabytes = self._count("bytes") / MEGABYTE
        shown = current_formats().number(megabytes, digits=0 if megabytes >= 10 else 1)
        return _("%(size)s MB") % {"size": shown} if megabytes >= 0.1 else _("less than 0.1 MB")

    @property
    def missing(self) -> int:
        return self._count("missing")

    @property
    def kept_until(self) -> datetime | None:
        end = self.work.work_finished_at_date_time if self.work else None
        return end and end + timedelta(days=settings.WORK_FILE_DAYS)

    def _count(self, name: str) -> int:
        return int(self.work.result[name]) if self.work else 0
