"""The only settings file. Every environment variable is named where it is read; docs/configuration.md lists them."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import sentry_sdk
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from sentry_sdk.utils import BadDsn

from kpt import environment as env
from kpt.logs import redact_event
from kpt.unfold import UNFOLD  # noqa: F401 -- a setting: how the admin looks

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("DEBUG")
# The demo of `make run`: example sign-ins, an inbox in the browser, no second factor for staff.
DEMO = env.flag("DEMO")
SECRET_KEY = env.text("SECRET_KEY", "development-only" if DEBUG else None)
SITE_URL = env.url("SITE_URL", {"http", "https"}, "http://127.0.0.1:8000" if DEBUG else None)
SITE_HOST = urlsplit(SITE_URL).hostname or ""
IS_HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"{SITE_HOST},127.0.0.1,localhost" if DEBUG else SITE_HOST)
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    "modeltranslation",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "kpt.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "conference",
    "registration",
]

MIDDLEWARE = [
    "kpt.pages.keep_pages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "kpt.middleware.keep_private",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "kpt.middleware.note_seen",
    "kpt.middleware.keep_account",
    "kpt.middleware.refuse_nul",
    "kpt.middleware.language_from_path",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "kpt.blanks.keep_blanks",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",  # who writes content, see conference/versions.py
]

ROOT_URLCONF = "kpt.urls"
WSGI_APPLICATION = "kpt.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["kpt.templates.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "conference.context.site",
            ],
        },
    },
]

# ---- Database, cache, files

try:
    DATABASES = {"default": dj_database_url.parse(env.text("DATABASE_URL"), conn_max_age=60, conn_health_checks=True)}
except (ValueError, dj_database_url.ParseError) as error:
    raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.") from error
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: row locks and constraints rely on it.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# No socket file: the queue and the cache want its address written in two different ways.
REDIS_URL = env.url("REDIS_URL", {"redis", "rediss"})
CACHES = {
    "default": {
        "BACKEND": "kpt.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "kpt",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
            "IGNORE_EXCEPTIONS": True,
        },
    }
}
# The cache may be emptied at any time: sessions hold what a person typed, so they live in the database.
SESSION_ENGINE = "kpt.sessions"

STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = env.text("MEDIA_ROOT", str(BASE_DIR / "media"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ---- Languages and time

LANGUAGE_CODE = "id"
LANGUAGES = [("id", _("Indonesian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
MODELTRANSLATION_DEFAULT_LANGUAGE = "id"
MODELTRANSLATION_FALLBACK_LANGUAGES = ("id",)
USE_TZ = True
TIME_ZONE = "Asia/Makassar"  # WITA, the middle of the three zones and the organisers' own

# ---- People

AUTH_USER_MODEL = "registration.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "registration:mine"
LOGOUT_REDIRECT_URL = "conference:home"

ACCOUNT_ADAPTER = "registration.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "confirm_login_code": "registration.forms.CodeForm",
    "request_login_code": "registration.forms.SignInForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # the emailed code of each sign-in proves the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_TIMEOUT = 3 * ACCOUNT_LOGIN_BY_CODE_TIMEOUT  # the first code and two that are sent anew
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
# A school signs in from one network; nobody's mailbox is flooded with codes.
ACCOUNT_RATE_LIMITS = {"request_login_code": "100/m/ip,3/m/key,12/h/key"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
MFA_ADAPTER = "registration.accounts.FactorAdapter"
MFA_FORMS = {
    "activate_totp": "registration.factor_forms.ConnectForm",
    "authenticate": "registration.factor_forms.FactorForm",
    "reauthenticate": "registration.factor_forms.FactorAgainForm",
    "add_webauthn": "registration.factor_forms.KeyForm",
    "edit_webauthn": "registration.factor_forms.KeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
MFA_TOTP_ISSUER = "KPT"
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
PEOPLE_PER_CARER = env.number("PEOPLE_PER_CARER", 200)
SIGNUPS_PER_HOUR_PER_NETWORK = env.number("SIGNUPS_PER_HOUR_PER_NETWORK", 300)

# ---- Mail

globals().update(env.email_server("EMAIL_URL", "smtp://127.0.0.1:1025" if DEBUG else None))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Konferensi Perempuan Timur <kpt@{SITE_HOST}>")
# What the mail server allows, all workers together; 0 is no limit.
MAIL_PER_MINUTE = env.number("MAIL_PER_MINUTE", 0)
MAIL_PER_DAY = env.number("MAIL_PER_DAY", 0)
# Who tells us of mail that came back, each with its secret; for the others the address does not exist.
BOUNCE_WEBHOOKS = env.bounce_webhooks("BOUNCE_WEBHOOKS")
# The mailbox of the sender's address, where other servers send back what they can't deliver.
BOUNCE_IMAP_URL = env.imap_mailbox("BOUNCE_IMAP_URL")
# Who presents it may read the numbers of /healthz/metrics; without one the page does not exist.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
# Where the local SMTP inbox of `make run` keeps its messages; empty in production, and then its pages don't exist.
INBOX_DIR = env.text("INBOX_DIR", "") if DEMO else ""

# ---- Security

SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kpt.views.csrf_failure"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
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
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# A form of ours is at most a few kilobytes, an image in the admin at most a few megabytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# ---- Copies on phones

# Off: the service worker of every phone that comes by gives back what it kept and goes.
OFFLINE_COPIES = env.flag("OFFLINE_COPIES", True)

# ---- Zoom

ZOOM_ACCOUNT_ID = env.text("ZOOM_ACCOUNT_ID", "")
ZOOM_CLIENT_ID = env.text("ZOOM_CLIENT_ID", "")
ZOOM_CLIENT_SECRET = env.text("ZOOM_CLIENT_SECRET", "")
ZOOM_WEBHOOK_SECRET = env.text("ZOOM_WEBHOOK_SECRET", "")
ZOOM_API_URL = env.url("ZOOM_API_URL", {"http", "https"}, "https://api.zoom.us/v2")
ZOOM_OAUTH_URL = env.url("ZOOM_OAUTH_URL", {"http", "https"}, "https://zoom.us/oauth")

# ---- Webhooks to other systems

# For tests alone: they go to this machine too, and to no other of ours.
WEBHOOKS_TO_LOOPBACK = env.flag("WEBHOOKS_TO_LOOPBACK")

# ---- Queue

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "mail"
EACH_MINUTE = [
    "expire_holds",
    "mind_invitations",
    "tell_of_cancelled_webinars",
    "forget_strangers",
    "send_announcements",
    "record_changes",
    "publish_due",
    "queue_reminders",
    "watch_mail",
    "mind_files",
    "count_figures",
]
CELERY_TASK_ROUTES = {
    "registration.tasks.deliver_mail_now": {"queue": "fast"},
    "registration.tasks.make_files": {"queue": "files"},
    "registration.tasks.deliver_webhooks": {"queue": "files"},  # others' machines may let us wait
    "registration.tasks.forget_webhooks": {"queue": "files"},
    "registration.tasks.write_digests": {"queue": "fast"},
    **{f"registration.tasks.{name}": {"queue": "fast"} for name in EACH_MINUTE},
    "registration.tasks.count_figures": {"queue": "files"},  # of a million rows it takes some seconds
}
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for as long as it takes
# The row in the database is the truth: a task that can't be published is left to the sweep, at once.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "queue_order_strategy": "priority",
    "max_retries": 0,  # of a publisher's connection: a sign-up doesn't wait for a dead broker
    "socket_connect_timeout": 1,
    "socket_timeout": 3,
}
CELERY_TIMEZONE = TIME_ZONE
# A tick that no worker took before the next one is of no use any more.
CELERY_BEAT_SCHEDULE = {
    "deliver-due-mail": {
        "task": "registration.tasks.deliver_due_mail",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    **{
        name: {"task": f"registration.tasks.{name}", "schedule": 60.0, "options": {"expires": 60}}
        for name in EACH_MINUTE
    },
    "deliver-webhooks": {
        "task": "registration.tasks.deliver_webhooks",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "forget-webhooks": {"task": "registration.tasks.forget_webhooks", "schedule": crontab(minute=35)},
    "write-digests": {"task": "registration.tasks.write_digests", "schedule": crontab(minute=5)},
    "clear-sessions": {"task": "registration.tasks.clear_sessions", "schedule": crontab(minute=20)},
    "apply-retention": {"task": "registration.tasks.apply_retention", "schedule": crontab(hour=3, minute=40)},
}

if BOUNCE_IMAP_URL:
    CELERY_BEAT_SCHEDULE["read-bounces"] = {
        "task": "registration.tasks.read_bounces",
        "schedule": 600.0,
        "options": {"expires": 600},
    }

# ---- Logs: one JSON object a line on stderr, without personal data

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "kpt.logs.RedactedJsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.server": {"handlers": [], "propagate": True}},
}

if SENTRY_DSN := env.text("SENTRY_DSN", ""):
    try:
        # Without personal data, which is the default, and without what a request or a variable holds.
        sentry_sdk.init(
            dsn=SENTRY_DSN, include_local_variables=False, max_request_body_size="never", before_send=redact_event
        )
    except BadDsn as error:
        raise ImproperlyConfigured("SENTRY_DSN must be a project's address such as https://key@host/1.") from error
