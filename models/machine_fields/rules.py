"""What Machine.save() checks, whoever writes the row."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db.models import JSONField
from django.utils.translation import gettext_lazy as _

from .training import LOSSES, OPTIMIZERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.utils.functional import _StrPromise

    from ..machine import Machine

COLUMN_TYPES = ("FLOAT", "LABEL", "DATE", "TIME", "DATETIME", "LANGUAGE", "JSON", "IGNORE")
TYPE_FIELDS = ("dfr_columns_type_user_df", "mdc_columns_data_type")


def check(machine: "Machine", names: "Collection[str]") -> None:
    """Raise ValidationError for what is wrong in these fields; ValueError for a reserved name."""
    for name in names:
        rule = _RULES.get(name)
        if rule:
            rule(machine, name)
        elif isinstance(machine._meta.get_field(name), JSONField):
            _check_shape(machine, name)


def _refuse(name: str, sentence: "str | _StrPromise", **params: object) -> None:
    raise ValidationError({name: ValidationError(sentence, params=params)})


def _check_name(machine: "Machine", name: str) -> None:
    value = machine.machine_name
    if not value or not value.strip():
        _refuse(name, _("Give the machine a name."))
    if value.startswith("__") and value.endswith("__") and not machine.machine_owner_user.is_superuser:
        raise ValueError(f"The name {value!r} is reserved: names that start and end with __ belong to the system.")


def _check_level(machine: "Machine", name: str) -> None:
    if machine.machine_level not in range(1, 6):
        _refuse(name, _("The level is %(level)s. Use 1 to 5."), level=machine.machine_level)


def _check_shape(machine: "Machine", name: str) -> None:
    value = getattr(machine, name)
    field = machine._meta.get_field(name)
    assert isinstance(field, JSONField)
    wanted = type(field.get_default())
    if value is None and field.null:
        return
    if not isinstance(value, wanted):
        _refuse(name, _("This must be a JSON %(wanted)s."), wanted="object" if wanted is dict else "list")


def _check_types(machine: "Machine", name: str) -> None:
    _check_shape(machine, name)
    for column, type_ in getattr(machine, name).items():
        if type_ not in COLUMN_TYPES:
            _refuse(name, _("“%(column)s” has the unknown type “%(type)s”."), column=column, type=type_)


def _check_loss(machine: "Machine", name: str) -> None:
    if machine.parameter_nn_loss not in {"", *dict(LOSSES)}:
        _refuse(name, _("“%(loss)s” is no loss we know."), loss=machine.parameter_nn_loss)


def _check_optimizer(machine: "Machine", name: str) -> None:
    if machine.parameter_nn_optimizer not in {None, "", *dict(OPTIMIZERS)}:
        _refuse(name, _("“%(optimizer)s” is no optimizer we know."), optimizer=machine.parameter_nn_optimizer)


_RULES = {
    "machine_name": _check_name,
    "machine_level": _check_level,
    "parameter_nn_loss": _check_loss,
    "parameter_nn_optimizer": _check_optimizer,
    **dict.fromkeys(TYPE_FIELDS, _check_types),
}
