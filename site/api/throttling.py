"""How often a key may ask: so many calls in each minute of the clock."""

import time
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import count_up
from models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView

SECONDS = 60
CALLS = {"predict": settings.PREDICTIONS_PER_MINUTE, "upload": 30, "other": 120}  # by the view's `throttle_scope`
COUNTED = "api.counted"  # in a request's environment: this call was counted on the short way (api.lane)


def is_below_limit(scope: str, key_pk: int) -> bool:
    """Count one more call of this key; return whether it may be answered."""
    return count_up(f"api:{scope}:{key_pk}", SECONDS) <= CALLS[scope]


def seconds_left() -> int:
    return SECONDS - int(time.time()) % SECONDS


class KeyThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiKey):
            return True  # it is refused before it costs anything
        if COUNTED in request.META:
            return True
        return is_below_limit(getattr(view, "throttle_scope", "other"), request.auth.pk)

    def wait(self) -> float:
        return seconds_left()
