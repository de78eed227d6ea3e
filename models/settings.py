"""Minimal settings to use the models without the site: DJANGO_SETTINGS_MODULE=models.settings."""

import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

# Nothing outlives the process that needs this key: there are no sessions here.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(60)
SITE_URL = os.environ.get("SITE_URL", "http://localhost:8000").rstrip("/")
STORAGE_ROOT = Path(os.environ.get("STORAGE_ROOT") or BASE_DIR / "var" / "storage")

INSTALLED_APPS = ["models", "django.contrib.auth", "django.contrib.contenttypes"]
AUTH_USER_MODEL = "models.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

MODEL_DECIMAL_FIELD_DEFAULT_MAX_DIGITS = 20
MODEL_DECIMAL_FIELD_DEFAULT_DECIMAL_PLACES = 8

# The database of the site, so that a script sees the same rows.
_DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'var' / 'db.sqlite3'}"
DATABASES = {"default": environ.Env.db_url_config(_DATABASE_URL)}
