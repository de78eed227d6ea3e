"""How often a key may ask: so many calls in each minute of the clock."""

import time
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import count_up
from models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView

SECONDS = 60
CALLS = {"predict": 600, "other": 120}  # by the view's `throttle_scope`


def seconds_left() -> int:
    return SECONDS - int(time.time()) % SECONDS


class KeyThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiKey):
            return True  # it is refused before it costs anything
        scope = getattr(view, "throttle_scope", "other")
        return count_up(f"api:{scope}:{request.auth.pk}", SECONDS) <= CALLS[scope]

    def wait(self) -> float:
        return seconds_left()
