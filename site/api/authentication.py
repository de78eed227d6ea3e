"""Whose request this is: `Authorization: Bearer <key>` and nothing else. Session cookies do not count here."""

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from api.throttling import seconds_left
from config.limits import count_up
from config.origin import ip_of
from models import ApiKey, User

SCHEME = b"bearer"
MOST_FAILURES = 20  # a minute and address


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the key, and `request.user` to whoever made it."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME:
            return None
        ip = ip_of(request._request)
        key = _key_of(words[1:])
        if key is None:
            raise _refusal(ip)
        key.note_use(ip)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="EasyAutoML"'


def _key_of(words: list[bytes]) -> ApiKey | None:
    if len(words) != 1 or not words[0].isascii():
        return None
    return ApiKey.objects.usable().by_secret(words[0].decode()).select_related("user").first()


def _refusal(ip: str | None) -> AuthenticationFailed | Throttled:
    """One sentence for every reason: who has no key learns nothing about keys. A good key is never held up."""
    if count_up(f"api-refused:{ip}", 60) > MOST_FAILURES:
        return Throttled(wait=seconds_left())
    return AuthenticationFailed(_("This API key does not work. It may be mistyped, revoked or expired."))
