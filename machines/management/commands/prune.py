"""Delete what is over: for a job that runs every night. The log of actions is never touched."""

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from machines.services.repeats import calls_prune
from machines.services.works import servers_prune, works_prune
from models import EasyAutoMLLogger

TASK_DAYS, LOG_DAYS = 30, 90


class Command(BaseCommand):
    help = f"Delete ended sessions, tasks finished {TASK_DAYS} days ago, errors noted {LOG_DAYS} days ago, old works."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        call_command("clearsessions")
        ended = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key"))
        over = {
            "sessions": ended,
            "tasks": DBTaskResult.objects.finished().filter(finished_at__lt=now - timedelta(days=TASK_DAYS)),
            "log entries": EasyAutoMLLogger.objects.filter(timestamp__lt=now - timedelta(days=LOG_DAYS)),
        }
        for name, rows in over.items():
            self.stdout.write(f"{rows.count()} {name} deleted")
            rows.delete()
        self.stdout.write(f"{calls_prune()} answered calls deleted")
        self.stdout.write(f"{works_prune()} works deleted")
        servers_prune()
