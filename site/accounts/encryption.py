"""Secrets of the second factor are stored encrypted under SECRET_KEY: the database alone makes no codes."""

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac


def encrypt(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return the secret; a random one, which no code fits, when it was stored under another SECRET_KEY."""
    try:
        return _fernet().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        return base64.b32encode(secrets.token_bytes(20)).decode()


def _fernet() -> Fernet:
    key = salted_hmac("accounts.encryption", "second factor", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
