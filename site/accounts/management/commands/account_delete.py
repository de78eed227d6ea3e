"""For somebody who asks to be deleted and cannot sign in any more, after you have made sure who asks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.account import AccountKeptError, account_delete, deletion_of
from machines.engine.errors import DataError
from machines.services.texts import sentence
from models import User


class Command(BaseCommand):
    help = "Delete an account as its owner could: with its machines, files and keys. Shared machines stay with their teams."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address they sign in with")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody signs in with {email}.")
        try:
            account_delete(user=user)
        except AccountKeptError as error:
            raise CommandError(why_kept(user)) from error
        except DataError as error:
            raise CommandError(sentence(error.notice)) from error
        self.stdout.write("The account is deleted.")


def why_kept(user: User) -> str:
    found = deletion_of(user)
    if found.is_last_admin:
        return "This is the only administrator of the site. Name another first."
    teams = ", ".join(f"“{team.name}”" for team in found.blocking)
    return f"They own teams with other people: {teams}. Pass these on or delete them first."
