"""Boolean columns of which one is set: the enum that names them is the only one that writes them."""

from typing import Self

from django.db import models
from django.db.models import Q


class Flags(models.TextChoices):
    """An enum whose values are the names of boolean columns. None counts as not set."""

    @classmethod
    def of(cls, row: models.Model) -> Self | None:
        """Return the member whose column is set on this row."""
        return next((member for member in cls if getattr(row, member.value)), None)

    @classmethod
    def exactly_one(cls) -> Q:
        """Return the CHECK that one column is set, and no other."""
        found = Q()
        for member in cls:
            others = Q()
            for other in cls:
                if other is not member:
                    others &= Q(**{other.value: False}) | Q(**{f"{other.value}__isnull": True})
            # Without NOT NULL an unset column would make the whole CHECK unknown, and unknown passes.
            found |= Q(**{member.value: True, f"{member.value}__isnull": False}) & others
        return found

    @property
    def columns(self) -> dict[str, bool]:
        """Return every column of the enum with its value while this member is the one that is set."""
        return {member.value: member is self for member in type(self)}

    @property
    def q(self) -> Q:
        return Q(**{self.value: True})

    @classmethod
    def any_of(cls, *members: Self) -> Q:
        found = Q()
        for member in members:
            found |= member.q
        return found

    def set_on(self, row: models.Model) -> None:
        for name, value in self.columns.items():
            setattr(row, name, value)
