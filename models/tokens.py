"""Secrets in links and keys: 256 bits each, of which the database holds a SHA-256 only.

A link must be shown again to whoever made it, so its token is not random itself: it is the HMAC of a random seed under
the site's SECRET_KEY. The database alone opens nothing, and neither does the key alone.
"""

import base64
import hashlib
import secrets

from django.utils.crypto import salted_hmac


def new_seed() -> str:
    return secrets.token_urlsafe(32)


def derive(purpose: str, seed: str) -> str:
    """Return the token of a seed, 43 characters that may stand in an address. Each purpose has its own."""
    mac = salted_hmac(f"models.tokens.{purpose}", seed, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def digest(token: str) -> str:
    """Return what is stored of a token. A plain hash is enough above 112 bits (OWASP ASVS 5.0, 6.5.2)."""
    return hashlib.sha256(token.encode()).hexdigest()
