"""Columns of our own: money, measures and files of a limited size."""

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

DIGITS = (
    20  # settings.MODEL_DECIMAL_FIELD_DEFAULT_MAX_DIGITS; written out, because a migration must not depend on settings
)
PLACES = 8
SMALLEST = Decimal(1).scaleb(-PLACES)
LIMIT = 10 ** (DIGITS - PLACES)
SIZES = {1: 2**8 - 1, 2: 2**16 - 1, 3: 2**24 - 1, 4: 2**32 - 1}  # MySQL's TINYBLOB, BLOB, MEDIUMBLOB, LONGBLOB

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

    Money = models.DecimalField[Decimal | float | str | Combinable, Decimal]
    Measure = models.DecimalField[Decimal | float | str | Combinable | None, Decimal | None]
    Binary = models.BinaryField[bytes | memoryview | None, bytes | memoryview | None]
else:
    Money = Measure = models.DecimalField
    Binary = models.BinaryField


def _as_djangos(deconstructed: Any) -> Any:
    """Write Django's own field into migrations: there the name `models` is Django's, so ours cannot be named."""
    name, _path, args, kwargs = deconstructed
    own = "DecimalField" if "decimal_places" in kwargs else "BinaryField"
    return name, f"django.db.models.{own}", args, kwargs


def is_expression(value: object) -> bool:
    return hasattr(value, "resolve_expression")


class MoneyField(Money):
    """An amount of USD or of tokens: Decimal whatever was assigned, never null, 0 unless told, never below 0.

    The model adds the CHECK (see `not_negative`), because a field cannot.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_digits": DIGITS, "decimal_places": PLACES, "default": Decimal(0)}
        super().__init__(*args, **defaults | {"validators": [MinValueValidator(Decimal(0))]} | kwargs)

    def deconstruct(self) -> Any:
        return _as_djangos(super().deconstruct())

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if value is None or is_expression(value):
            return value
        amount = self.to_python(value).quantize(SMALLEST)
        setattr(model_instance, self.attname, amount)
        return amount


class MeasureField(Measure):
    """A measured number that may be unknown: what is not finite or does not fit the column is stored as unknown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_digits": DIGITS, "decimal_places": PLACES, "null": True, "blank": True}
        super().__init__(*args, **defaults | kwargs)

    def deconstruct(self) -> Any:
        return _as_djangos(super().deconstruct())

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if value is None or is_expression(value):
            return value
        known = math.isfinite(value) and abs(value) < LIMIT
        measure = self.to_python(value).quantize(SMALLEST) if known else None
        setattr(model_instance, self.attname, measure)
        return measure


class SizedBinaryField(Binary):
    """Bytes up to the limit of a MySQL size class: 1 = 255 B, 2 = 64 KiB, 3 = 16 MiB, 4 = 4 GiB."""

    def __init__(self, *args: Any, size_class: int = 2, **kwargs: Any) -> None:
        if size_class not in SIZES:
            raise ValueError(f"size_class is {size_class!r}. Use 1, 2, 3 or 4.")
        kwargs.setdefault("max_length", SIZES[size_class])
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        return _as_djangos(super().deconstruct())

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Refuse what is too long also where no form has validated it."""
        value = super().pre_save(model_instance, add)
        if value is not None and self.max_length is not None and len(value) > self.max_length:
            message = _("This file is larger than %(limit)d bytes.")
            raise ValidationError({self.name: ValidationError(message, params={"limit": self.max_length})})
        return value


def not_negative(model: str, *names: str) -> list[models.BaseConstraint]:
    """Return one CHECK per column: never below zero."""
    return [
        models.CheckConstraint(condition=models.Q(**{f"{name}__gte": 0}), name=f"{model}_{name}_not_negative"[:63])
        for name in names
    ]
