"""A lock by name that several processes and servers respect."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PAUSE_SECONDS = 0.1


class LockBusy(Exception):
    """Somebody else holds the lock. The text is for people."""


class LockManager(models.Manager["MachineTableLockWrite"]):
    @contextmanager
    def hold(self, table_name: str, *, wait_seconds: float = 20, stale_seconds: float = 600) -> Iterator[str]:
        """Hold the lock inside the block; yield the holder's token.

        Waits up to `wait_seconds`, then raises LockBusy. A lock older than `stale_seconds` belonged to a process
        that died, and is taken over. Enter outside of transactions: others see the lock only when it is committed.
        """
        holder = secrets.token_hex(16)
        deadline = time.monotonic() + wait_seconds
        while not self._take(table_name, holder, stale_seconds):
            if time.monotonic() >= deadline:
                raise LockBusy(_("Something else is changing this right now. Try again in a minute."))
            time.sleep(PAUSE_SECONDS)
        try:
            yield holder
        finally:
            self.filter(table_name=table_name, holder=holder).delete()

    def _take(self, table_name: str, holder: str, stale_seconds: float) -> bool:
        return self._insert(table_name, holder) or self._take_over(table_name, holder, stale_seconds)

    def _insert(self, table_name: str, holder: str) -> bool:
        try:
            with transaction.atomic():
                self.create(table_name=table_name, holder=holder)
        except IntegrityError:
            return False
        return True

    def _take_over(self, table_name: str, holder: str, stale_seconds: float) -> bool:
        now = timezone.now()
        stale = self.filter(table_name=table_name, locked_at__lt=now - timedelta(seconds=stale_seconds))
        return stale.update(holder=holder, locked_at=now) == 1


class MachineTableLockWrite(models.Model):
    table_name = models.CharField(_("what is locked"), max_length=255, unique=True)
    locked_at = models.DateTimeField(_("locked at"), default=timezone.now)
    holder = models.CharField(_("holder"), max_length=32, blank=True, default="")

    objects = LockManager()

    class Meta:
        verbose_name = _("lock")
        verbose_name_plural = _("locks")

    def __str__(self) -> str:
        return self.table_name
