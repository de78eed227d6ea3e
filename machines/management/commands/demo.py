"""Make the demo account and its trained machine."""

from typing import Any

from django.core.management.base import BaseCommand

from machines.services.demo import DEMO_EMAIL, DEMO_PASSWORD, demo_make


class Command(BaseCommand):
    help = "Make the demo account with a trained diabetes machine, if there is none."

    def handle(self, *args: Any, **options: Any) -> None:
        made = demo_make(say=self.stdout.write)
        self.stdout.write(f"{DEMO_EMAIL} / {DEMO_PASSWORD}" if made else "The demo account exists already.")
