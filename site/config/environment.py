"""Small strict readers of environment variables: a wrong value stops the start with one sentence."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    """Return the variable, or the content of the file that `NAME_FILE` points to, or the default."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    """Return True or False; anything that is neither stops the start."""
    value = text(name, str(default)).lower()
    if value in {"true", "1", "yes", "on"}:
        return True
    if value in {"false", "0", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is “{value}”. Write True or False.")


def integer(name: str, default: int, *, at_least: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write a whole number of {at_least} or more.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write one of: {', '.join(allowed)}.")
    return value


def words(name: str, default: str) -> list[str]:
    """Return the comma-separated parts, without the empty ones."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def site_url(name: str, default: str) -> str:
    value = text(name, default).rstrip("/")
    address = urlsplit(value)
    if address.scheme not in {"http", "https"} or not address.hostname or address.path or address.query:
        raise ImproperlyConfigured(f"{name} is “{value}”. Write an address such as https://answers.example.org.")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    example = "sqlite:///var/db.sqlite3 or postgres://user:password@host/name"
    return _parsed(name, default, environ.Env.db_url_config, {"sqlite", "postgres", "postgresql"}, example)


def email(name: str, default: str) -> dict[str, Any]:
    example = "consolemail:// or smtp+tls://user:password@host:587"
    return _parsed(name, default, environ.Env.email_url_config, set(environ.Env.EMAIL_SCHEMES), example)


def cache(name: str, default: str) -> dict[str, Any]:
    example = "locmemcache:// or redis://host:6379/1"
    return _parsed(name, default, environ.Env.cache_url_config, set(environ.Env.CACHE_SCHEMES), example)


def _parsed(name: str, default: str, parse: Callable[[str], Any], schemes: set[str], example: str) -> dict[str, Any]:
    # The value itself stays out of the message: it may hold a password.
    value = text(name, default)
    if value.partition("://")[0] not in schemes:
        raise ImproperlyConfigured(f"{name} names no known kind of address. Write for example {example}.")
    try:
        config: dict[str, Any] = parse(value)
    except Exception as error:
        raise ImproperlyConfigured(f"{name} cannot be understood. Write for example {example}.") from error
    return config


def secret(name: str, keep_in: Path) -> str:
    """Return the secret from the environment, or one made at the first start and kept in a file only its owner can read."""
    given = text(name, "")
    if given and len(given) < 50:
        raise ImproperlyConfigured(f"{name} is shorter than 50 characters. Make a longer one, or leave it out.")
    return given or _kept(keep_in)


def _kept(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(60))
        with suppress(FileExistsError):  # of two that start at once the first one's counts, and never half a file
            os.link(new, path)
        new.unlink()
    return path.read_text(encoding="ascii")
