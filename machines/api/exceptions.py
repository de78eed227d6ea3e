"""Refusals that HTTP has a number for and the REST framework has no class."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException


class Refused(APIException):
    """Understood, but not possible."""

    status_code = 422
    default_code = "refused"

    def __init__(self, detail: str, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.fields = dict(fields or {})


class Malformed(Refused):
    """Fields that cannot be read."""

    status_code = 400
    default_code = "malformed"


class ModelFailed(Refused):
    """An uploaded model gave no usable answer."""

    default_code = "model_failed"


class NotReady(APIException):
    status_code = 409
    default_code = "not_ready"
    default_detail = gettext_lazy("This machine has not been trained yet.")


class Conflict(APIException):
    """What is asked for does not go with what is the case now."""

    status_code = 409
    default_code = "conflict"


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = gettext_lazy("This is too large.")


class Busy(APIException):
    """All that could answer is taken. `wait`: seconds after which to try again."""

    status_code = 503
    default_code = "busy"
    default_detail = gettext_lazy("This model is answering others just now. Try again in a moment.")
    wait = 1
