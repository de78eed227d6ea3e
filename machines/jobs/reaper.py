"""What every worker looks after, every few seconds: nothing that was accepted stays lying about.

Each step is a conditional UPDATE, so any number of workers may do it at the same time.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from machines.engine.errors import Notice, gettext_noop
from machines.jobs.kinds import job_of
from machines.jobs.patience import AWAY
from machines.jobs.queue import is_on_its_way, send
from machines.jobs.runner import work_failed
from models import Server, Work
from models.work import MOST_ATTEMPTS

AT_ONCE = 50
GONE = Notice(gettext_noop("The server that did this stopped. Another one goes on with it."))
logger = logging.getLogger(__name__)


def reap() -> None:
    """Give back what dead workers held, and bring what waits without a message."""
    for work in Work.objects.abandoned().order_by("pk")[:AT_ONCE]:
        try:
            _take_back(work)
        except AWAY:
            raise
        except Exception:  # it must not keep the others from being looked after
            logger.exception("work %s cannot be taken back", work.pk)
    late = timezone.now() - timedelta(seconds=settings.WORK_LEASE_SECONDS)
    # Some of them: in a fixed order those that rightly wait, for a graphics card perhaps, could hide all others.
    for work in Work.objects.waiting().exclude(queued_at__gte=late).order_by("?")[:AT_ONCE]:
        if not is_on_its_way(work):
            send(work)
    Server.objects.silent().update(server_info_ready=False)


@transaction.atomic
def _take_back(work: Work) -> None:
    logger.warning("work %s: its worker has gone, attempt %s", work.pk, work.attempts)
    if work.attempts >= MOST_ATTEMPTS:
        work_failed(work, Notice(job_of(work).sentence("lost")))
    elif work.give_back(message=str(GONE), notice=GONE.to_json()):
        send(work)
