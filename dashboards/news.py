"""News of a person's own work, wherever they are: how much of it is going on, and what has ended since they last looked.

Looking changes nothing: a page shows what has not been told, and what the browser has shown comes back as a POST, which
notes it as told. News that are lost on their way are so told by the next page; nothing is told twice.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from config.shortcuts import is_partial
from dashboards.work_lines import address_of
from machines.work_words import end_of
from models import User, Work
from models.work import WorkKind, WorkQuerySet, WorkState

MOST_SHOWN = 3  # at once; the others follow, or are seen on the page of works
MOST_COUNTED = 100
LONGEST_NUMBER = 18  # digits that every database takes


@dataclass(frozen=True)
class Item:
    """What has ended: a work, and earlier ones of which the same would be said."""

    work: Work
    works: tuple[int, ...]

    @property
    def sentence(self) -> str:
        return end_of(self.work, str(getattr(self.work, "name", "")))

    @property
    def is_bad(self) -> bool:
        return self.work.state is not WorkState.FINISHED

    @property
    def url(self) -> str:
        return address_of(self.work)


@dataclass(frozen=True)
class News:
    """What is told to one person on one page. `works` are theirs, going on or not told."""

    works: list[Work]
    place: str  # the path of the page that they look at
    known: frozenset[int] = frozenset()  # what stands on that page already

    @classmethod
    def of(cls, request: HttpRequest, known: Iterable[int] = ()) -> "News":
        """Read the news of whoever asks; nothing for those who are not signed in.

        Mostly there is none, and one small query says so; who may still see what is asked only where there is some.
        """
        user = request.user
        works = list(_untold(user)[:MOST_COUNTED]) if isinstance(user, User) and _new(user).exists() else []
        return cls(works, _place(request), frozenset(known))

    @cached_property
    def active(self) -> int:
        return sum(work.is_active for work in self.works)

    @property
    def count(self) -> str:
        return f"{MOST_COUNTED - 1}+" if self.active >= MOST_COUNTED else str(self.active)

    @cached_property
    def here(self) -> list[Item]:
        """What the page that is looked at says itself."""
        return _items(work for work in self._ended if _tells(self.place, work))

    @cached_property
    def shown(self) -> list[Item]:
        """What this page has to say beside its own."""
        return _items(work for work in self._ended if not _tells(self.place, work))[:MOST_SHOWN]

    @cached_property
    def _ended(self) -> list[Work]:
        return [work for work in self.works if not work.is_active and work.pk not in self.known]


def _items(works: Iterable[Work]) -> list[Item]:
    """Say once what has happened to a machine several times; the newest work is the one to look at."""
    alike: dict[object, list[Work]] = defaultdict(list)
    for work in works:
        key = work.pk if work.kind is WorkKind.SOLVING else work.machine_id  # each file has answers of its own
        alike[work.kind, key, work.state].append(work)
    return [Item(group[0], tuple(work.pk for work in group)) for group in alike.values()]


def tell(*, user: User, works: Iterable[int]) -> int:
    """Note that a person has been told how these works of theirs ended; return how many that were."""
    mine = Work.objects.asked_by(user).ended().filter(pk__in=list(works), told_at__isnull=True)
    return mine.update(told_at=timezone.now())


def numbers(texts: Iterable[str]) -> list[int]:
    """Return those of the texts that are the numbers of works, MOST_COUNTED at most."""
    good = [text for text in texts if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER]
    return [int(text) for text in good[:MOST_COUNTED]]


def _new(user: User) -> WorkQuerySet:
    return Work.objects.asked_by(user).filter(told_at__isnull=True)


def _untold(user: User) -> "QuerySet[Any]":
    works = _new(user) & Work.objects.visible_to(user)
    name = Coalesce(F("machine__machine_name"), F("machine_name"))
    return works.defer("curve", "parameters", "result").annotate(name=name)


def _place(request: HttpRequest) -> str:
    """Return the path of the page that the person has before them."""
    if not is_partial(request):
        return request.path
    htmx = getattr(request, "htmx", None)
    return str(htmx.current_url_abs_path or "").partition("?")[0] if htmx else ""


def _tells(place: str, work: Work) -> bool:
    """Return whether that page shows the end of this work itself."""
    if place == reverse("dashboards:work"):
        return True
    is_training = work.kind is WorkKind.TRAINING and work.machine_id is not None
    own = reverse("machines:training", args=[work.machine_id]) if is_training else address_of(work)
    return bool(own) and place == own
