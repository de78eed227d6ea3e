"""Remove from the storage what no row refers to: for a job that runs every night."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from machines.services.sweeping import StrangeStorageError, storage_sweep

HOURS = 24


class Command(BaseCommand):
    help = "Remove files from the storage that no row refers to: what crashes left behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            default=HOURS,
            metavar="HOURS",
            help=f"unchanged for so long; {HOURS} if not given",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, older_than: int, dry_run: bool, **options: Any) -> None:
        if older_than < 1:
            raise CommandError("--older-than must be 1 or more: an upload under way has no row yet.")
        try:
            swept = storage_sweep(older_than=timedelta(hours=older_than), is_dry_run=dry_run)
        except StrangeStorageError as error:
            raise CommandError(f"Nothing was removed: {error}. Does this database belong to this storage?") from error
        self.stdout.write(f"Files {'to remove' if dry_run else 'removed'}: {swept.files} ({swept.bytes / 1e6:.1f} MB)")
