"""For somebody who has lost the phone and the recovery codes, after you have made sure who asks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.security import second_factor_off
from models import User


class Command(BaseCommand):
    help = "Turn off a person's second factor, so that their password is enough again. They get an e-mail about it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address they sign in with")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody signs in with {email}.")
        is_done = second_factor_off(user=user)
        self.stdout.write("It is off." if is_done else "It was not on.")
