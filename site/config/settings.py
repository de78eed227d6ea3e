"""The settings of the site. Every value comes from the environment (see .env.example) through config.environment."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import plotly
from csp.constants import NONE, SELF
from django.contrib.messages import constants as message_levels
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"
environ.Env.read_env(BASE_DIR / ".env")

# The site
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", keep_in=VAR_DIR / "secret_key")
SITE_URL = env.site_url("SITE_URL", "http://localhost:8000")
IS_HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{urlsplit(SITE_URL).hostname}")
STORAGE_ROOT = Path(env.text("STORAGE_ROOT", str(VAR_DIR / "storage")))
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "models",
    "accounts",
    "machines",
    "dashboards",
    "marketplace",
    "consulting",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "config.apps.StaticFiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "bootstrap",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.CookielessMiddleware",
    "api.errors.JsonErrorsMiddleware",
    "config.middleware.MethodsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.limits.BodyLimitMiddleware",
    "config.origin.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.NoStoreMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.sessions.SessionEndMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.formats.FormatsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["template_partials.templatetags.partials", "config.templatetags.formats"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.workspace",
                "dashboards.context_processors.own_work",
            ],
            "libraries": {"config.templatetags.formats": "config.templatetags.formats"},
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
MESSAGE_TAGS = {message_levels.ERROR: "danger"}

# Data
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets readers go on while one writes; IMMEDIATE takes the write lock before the first read of a transaction,
    # without which two read-modify-write transactions fail with "database is locked" (measured: 253 of 603).
    DATABASES["default"]["CONN_MAX_AGE"] = None  # opening it costs a millisecond, an open one nothing
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
CACHES = {"default": env.cache("CACHE_URL", "locmemcache://")}
MODEL_DECIMAL_FIELD_DEFAULT_MAX_DIGITS = 20
MODEL_DECIMAL_FIELD_DEFAULT_DECIMAL_PLACES = 8

# Uploads go to a temporary file in the storage, never to memory.
UPLOAD_LIMIT_BYTES = env.integer("UPLOAD_LIMIT_MB", 200, at_least=1) * 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000  # a prediction form of 5,000 columns, twice over
FILE_UPLOAD_HANDLERS = ["config.uploads.StorageUploadHandler"]

# Uploaded models
MODEL_ROW_BYTES = 200_000  # a file up to this size lies in its database row, a larger one in the storage (measured)
MODEL_UPLOAD_LIMIT_BYTES = env.integer("MODEL_UPLOAD_LIMIT_MB", 200, at_least=1) * 1_000_000
CHECK_SECONDS = env.integer("CHECK_SECONDS", 120, at_least=10)
CHECK_MEMORY_MB = env.integer("CHECK_MEMORY_MB", 3072, at_least=512)

DEMO = env.boolean("DEMO", not IS_HTTPS)  # its password is public
WEB_WORKERS = env.integer("WEB_WORKERS", 1, at_least=1)

# Long work: one interface, run by the embedded worker
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "cpu", "gpu"]}}
WORKERS = env.integer("WORKERS", 2, at_least=1)
WORK_MEMORY_MB = env.integer("WORK_MEMORY_MB", 4096, at_least=512)
TRAINING_MEMORY_MB = env.integer("TRAINING_MEMORY_MB", 2048, at_least=1024)
WORK_LEASE_SECONDS = env.integer("WORK_LEASE_SECONDS", 20, at_least=1)
WORK_DAYS = env.integer("WORK_DAYS", 90, at_least=1)
WORK_FILE_DAYS = env.integer("WORK_FILE_DAYS", 7, at_least=1)
READ_MEMORY_MB = env.integer("READ_MEMORY_MB", 1024, at_least=256)
READ_SECONDS = env.integer("READ_SECONDS", 120, at_least=5)

# People
AUTH_USER_MODEL = "models.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.people.SignInForm",
    "signup": "accounts.forms.people.SignUpForm",
    "change_password": "accounts.forms.people.PasswordChangeForm",
    "set_password": "accounts.forms.people.PasswordSetForm",
    "reset_password": "accounts.forms.people.PasswordResetForm",
    "reset_password_from_key": "accounts.forms.people.PasswordFromKeyForm",
    "reauthenticate": "accounts.forms.people.ConfirmItIsYouForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_CHANGE_EMAIL = True  # one address each: confirming a new one replaces the old one
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.choice("EMAIL_VERIFICATION", "optional", ("none", "optional", "mandatory"))
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # other sessions end, this one stays
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds for which a password that was typed once more counts
ACCOUNT_EMAIL_NOTIFICATIONS = True
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "EasyAutoML"
# Else somebody could lock the owner of an address out of an account made with it.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "none"
MFA_FORMS = {
    "authenticate": "accounts.forms.security.CodeForm",
    "reauthenticate": "accounts.forms.security.CodeAgainForm",
    "activate_totp": "accounts.forms.security.FirstCodeForm",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
vars().update(env.email("EMAIL_URL", "consolemail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", f"EasyAutoML <noreply@{urlsplit(SITE_URL).hostname}>")

# REST: keys only, JSON only
PREDICTIONS_PER_MINUTE = env.integer("PREDICTIONS_PER_MINUTE", 600, at_least=1)  # of one key
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.formats.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.formats.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.formats.OneFormat",
    "DEFAULT_PAGINATION_CLASS": "api.formats.Pages",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.errors.answer",
}

# Languages and time: UTC inside, the person's own format outside (config.formats)
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "site" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Files for the browser
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", Path(plotly.__file__).parent / "package_data")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": STORAGE_ROOT}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Security
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("BEHIND_PROXY", False) else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0  # whose address a limit of attempts counts
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
SESSION_IDLE_DAYS = env.integer("SESSION_IDLE_DAYS", 14, at_least=1)
SESSION_DAYS = env.integer("SESSION_DAYS", 30, at_least=1)
SESSION_COOKIE_AGE = SESSION_DAYS * 24 * 3600  # accounts.sessions ends a session sooner, and says why
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.LineFormatter",
            "fmt": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "filters": {"disk_full": {"()": "config.logs.DiskFullInOneLine"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "database": {"class": "models.database_handler.DatabaseHandler", "level": "ERROR"},
    },
    "root": {
        "handlers": ["console", "database"],
        "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["disk_full"]},
        "django_tasks_db": {"level": "WARNING"},  # it greets at every look at the queue
        "django.security.DisallowedHost": {"handlers": ["console"], "propagate": False},
    },
}
