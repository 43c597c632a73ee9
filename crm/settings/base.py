"""Settings shared by every way of running Keelson. Values come from the environment; see docs/operations.md."""

import gc
from pathlib import Path

import environ

from crm.project import logs
from crm.web import hosts
from launcher import devdb

# While everything is imported nothing is garbage, and Python would look for it a hundred times: a quarter of a process's start.
# Afterwards as `crm.project.memory.freeze_gc` has it, which long-lived processes call.
gc.set_threshold(20_000, 20, 5)

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.FileAwareEnv()

VAR_DIR = Path(env("KEELSON_VAR", default=str(BASE_DIR / "var")))
DATABASE_URL = env("DATABASE_URL", default="") or devdb.database_url(VAR_DIR)
REDIS_IS_EMBEDDED = not env("REDIS_URL", default="")
REDIS_URL = env("REDIS_URL", default="") or devdb.redis_url(VAR_DIR)

SECRET_KEY = env("SECRET_KEY", default="") or devdb.secret(VAR_DIR, "secret_key")
# 32 bytes in hex: wraps each client's own key; losing it makes documents and personal data unreadable.
FIELD_KEY = env("KEELSON_FIELD_KEY", default="") or devdb.secret(VAR_DIR, "field_key")
# Field keys from before, until `manage.py rotate_field_key --check` finds nothing under them.
FIELD_KEYS_OLD = env.list("KEELSON_FIELD_KEYS_OLD", default=[])
# 32 bytes in hex: signs seals. Unset, the signing key is derived from the field key and changes with it.
SEAL_KEY = env("KEELSON_SEAL_KEY", default="")
# Public verification keys (hex) of seal keys from before: what they signed stays proven.
SEAL_KEYS_OLD = env.list("KEELSON_SEAL_KEYS_OLD", default=[])
DEBUG = False
# A demo shows logins on the sign-in page; `check --deploy` refuses it.
DEMO = env.bool("KEELSON_DEMO", default=False)
# Documents of Utopia (UTO, ICAO's state for specimens) count as real ones.
KYC_ACCEPTS_SPECIMENS = DEMO
ALLOWED_HOSTS = env.list("KEELSON_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
BASE_URL = env("KEELSON_BASE_URL", default="http://localhost:8000")
# Where the browser listens for live updates; a reverse proxy may put it under BASE_URL.
LIVE_URL = env("KEELSON_LIVE_URL", default="http://localhost:8001")

KEELSON_APPS = [
    "crm",
    "clients",
    "leads",
    "kyc",
    "compliance",
    "support",
    "trading",
    "wallet",
    "ib",
    "prop",
    "monitoring",
    "risk",
    "portal",
    "reports",
]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "crm.project.static_files.StaticFiles",
    "django.contrib.humanize",
    "django.forms",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_cotton.apps.SimpleAppConfig",
    "django_filters",
    "django_htmx",
    "django_rq",
    "guardian",
    "pgtrigger",
    "simple_history",
    *KEELSON_APPS,
]
MIDDLEWARE = [
    "crm.pages.health.HealthProbeMiddleware",
    "crm.web.middleware.CountedProxiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm.security.compression.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "crm.project.logs.RequestLogMiddleware",
    "crm.web.middleware.KindSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm.web.uploads.BodyLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "crm.web.middleware.NoStoreMiddleware",
    "crm.web.middleware.RequestContextMiddleware",
    "crm.web.middleware.SessionGuardMiddleware",
    "crm.web.middleware.UploadRedirectMiddleware",
    "crm.web.middleware.AudienceMiddleware",
    "crm.web.middleware.StaffSecondFactorMiddleware",
    "crm.web.middleware.DomainErrorMiddleware",
    "crm.web.unusual_input.UnusualInputMiddleware",
    "crm.api.middleware.ApiMiddleware",
]
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
ASGI_APPLICATION = "crm.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "crm.web.context.page_furniture",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "django.templatetags.static",
                "django_cotton.templatetags.cotton",
                "crm.templatetags.keelson",
                "crm.templatetags.constant",
            ],
        },
    }
]
TEMPLATES[0]["OPTIONS"]["loaders"] = [  # type: ignore[index]
    (
        "django.template.loaders.cached.Loader",
        [
            "django_cotton.cotton_loader.Loader",
            "django.template.loaders.filesystem.Loader",
            "django.template.loaders.app_directories.Loader",
        ],
    )
]

# Labels, controls, hints and errors of every form look the same.
FORM_RENDERER = "crm.ui.forms.KeelsonRenderer"

DATABASES = {"default": env.db_url_config(DATABASE_URL)}
database_options = DATABASES["default"].pop("OPTIONS", {})
DATABASES["default"].update(
    {
        # libpq's spelling of a Unix socket is `?host=/directory`; tools that Django starts look for HOST.
        "HOST": database_options.pop("host", DATABASES["default"]["HOST"]),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": env.int("KEELSON_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": env("KEELSON_PROCESS", default="keelson"), **database_options},
    }
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A Redis that hangs must not hang the pages: whoever waits longer goes on without it.
REDIS_PATIENCE = {"socket_connect_timeout": 1, "socket_timeout": 2}
CACHES = {
    "default": {"BACKEND": "crm.project.cache.PatientRedisCache", "LOCATION": REDIS_URL, "OPTIONS": REDIS_PATIENCE}
}

AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["crm.accounts.backends.SignInBackend", "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
# Staff sign in with their e-mail, which is their user name; a client's user name is `brand/e-mail`.
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "crm.accounts.adapters.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = False  # a session ends with the browser, and after the idle time below
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    # Wrong passwords and codes, see crm.accounts.attempts: thirty a minute lock an address, five a login on one known device or
    # from one address. A login's unknown devices together have a ceiling; known ones go on.
    "login_failed": "30/m/ip",
    "failed_known_device": "5/5m/key,40/d/key",
    "failed_address": "5/5m/key,40/d/key",
    "failed_new_devices": "20/10m/key,100/d/key",
    "failed_unnoticed": "8/d/key",
    "reauthenticate": "10/m/user",
    # Per login and address; and to one mailbox from all addresses together.
    "reset_password": "20/m/ip,3/10m/key",
    "links_to_login": "10/h/key",
    "reset_password_from_key": "30/m/ip",
    "signup": "20/m/ip",
    "upload_code": "30/m/ip",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_PREVENT_ENUMERATION = True
MFA_ADAPTER = "crm.accounts.adapters.MFAAdapter"
MFA_FORMS = {
    "authenticate": "crm.accounts.forms.SecondFactorForm",
    "reauthenticate": "crm.accounts.forms.ConfirmSecondFactorForm",
}
MFA_TOTP_TOLERANCE = 1  # half a minute of clock drift either way; a code still works once only
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = env.bool("KEELSON_INSECURE_ORIGIN", default=False)
MFA_TOTP_ISSUER = "Keelson"
# How long a session may lie idle; a brand's policies `staff_idle_seconds` and `portal_idle_seconds` go before these.
STAFF_IDLE_SECONDS = env.int("KEELSON_STAFF_IDLE_SECONDS", default=3600)
PORTAL_IDLE_SECONDS = env.int("KEELSON_PORTAL_IDLE_SECONDS", default=1800)
# Proxies in front that append to X-Forwarded-For; 0: the peer is the caller.
TRUSTED_PROXIES = env.int("KEELSON_TRUSTED_PROXIES", default=0)
REFUSE_UNCOUNTED_PROXIES = False
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = env.int("KEELSON_SESSION_SECONDS", default=8 * 3600)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = env.list("KEELSON_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'", *hosts.names_of(LIVE_URL)],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'", *env.list("KEELSON_FORM_ACTIONS", default=[])],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}

# The company's own language: of the audit log's reasons, and of whoever chose none.
LANGUAGE_CODE = env("KEELSON_LANGUAGE", default="en-gb")
LANGUAGES = [("en-gb", "English (UK)"), ("en-us", "English (US)"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "crm.project.bundles.BundleFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STATIC_ROOT = Path(env("KEELSON_STATIC_ROOT", default=str(VAR_DIR / "staticfiles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Client documents and job results: outside the web root, encrypted, served only through a view that checks and logs.
PRIVATE_DIR = Path(env("KEELSON_PRIVATE_DIR", default=str(VAR_DIR / "private")))
MEDIA_ROOT = PRIVATE_DIR / "media"
# Who was erased, signed, outside the database: an older backup of it brings their keys back (`manage.py replay_erasures`).
ERASURE_REGISTER = Path(env("KEELSON_ERASURE_REGISTER", default=str(PRIVATE_DIR / "erasures.jsonl")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 * 1024 * 1024
UPLOAD_MAX_BYTES = env.int("KEELSON_UPLOAD_MAX_BYTES", default=15 * 1024 * 1024)
# So many files of strangers are opened at once for pages, and as many for jobs: each in a child of up to 768 MB.
PARSING_SLOTS = env.int("KEELSON_PARSING_SLOTS", default=2)
# Clients' files are scanned by clamd before they are opened: unix:/run/clamav/clamd.ctl or tcp://host:3310. Empty: not scanned.
CLAMD = env("KEELSON_CLAMD", default="")
# The country of an address: a file of the kind MaxMind DB. The one that comes with us ages.
GEOIP_FILE = Path(env("KEELSON_GEOIP_FILE", default="") or BASE_DIR / "crm" / "geo" / "dbip-country-lite.mmdb")
# The country of a card by its first digits, where the PSP doesn't say it: a CSV file. None comes with us.
CARD_BIN_FILE = env("KEELSON_CARD_BIN_FILE", default="")

EMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR_DIR / "mail"
# Files are for trying out; `check --deploy` asks for a decision.
EMAIL_IS_CHOSEN = any(env(name, default="") for name in ("EMAIL_URL", "EMAIL_BACKEND", "EMAIL_SERVICE"))
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="") if env("EMAIL_URL", default="") else {}
if EMAIL_CONFIG:
    vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
# A mail service over its own API, for all e-mails: brevo, mailgun, mandrill, postmark, or another that django-anymail knows.
EMAIL_SERVICE = env("EMAIL_SERVICE", default="")
if EMAIL_SERVICE:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_SERVICE}.EmailBackend"
    ANYMAIL = {
        f"{EMAIL_SERVICE.upper()}_{'SERVER_TOKEN' if EMAIL_SERVICE == 'postmark' else 'API_KEY'}": env(
            "EMAIL_SERVICE_KEY"
        ),
        "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    }
    if env("EMAIL_SERVICE_URL", default=""):
        ANYMAIL[f"{EMAIL_SERVICE.upper()}_API_URL"] = env("EMAIL_SERVICE_URL")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Keelson <no-reply@keelson.example>")

# Celery's spelling of a Redis on a Unix socket differs from redis-py's.
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("unix://"):
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "crm.tasks.deliver_events": {"queue": "events"},
    "kyc.tasks.check_document": {"queue": "slow"},
    "kyc.tasks.take_in_file": {"queue": "slow"},
    "crm.tasks.sweep_orphans": {"queue": "slow"},
    "wallet.tasks.fetch_report": {"queue": "slow"},
    "ib.tasks.run_commissions": {"queue": "slow"},
    "ib.tasks.review_ranks": {"queue": "slow"},
    "trading.tasks.read_history": {"queue": "slow"},
    "ib.tasks.settle_due_periods": {"queue": "slow"},
    "monitoring.tasks.close_days": {"queue": "slow"},
    "monitoring.tasks.score_open_days": {"queue": "slow"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A web request must not hang on a Redis that is restarting: the sweeper delivers what the wake-up could not.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "visibility_timeout": 3600,
}
CELERY_TASK_PUBLISH_RETRY = False
# The workers log as everything else does.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A waiting worker sets a longer time-out by itself.
patience = "&".join(f"{name}={seconds}" for name, seconds in REDIS_PATIENCE.items())
RQ_QUEUES = {"default": {"URL": f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}{patience}", "DEFAULT_TIMEOUT": 1800}}

RQ = {"WORKER_CLASS": "crm.project.warm_worker.WarmWorker"}

SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",
    "django_rq.W001",
    # The user model's manager is Django's own; allauth looks users up by user name only.
]
# One JSON line per request with its id, user and address; the terminal of a developer or a demo stays readable.
LOG_LEVEL = env("KEELSON_LOG_LEVEL", default="INFO")
LOGGING = {
    **logs.configure(LOG_LEVEL, as_json=env("KEELSON_LOG_FORMAT", default="json") == "json"),
    "loggers": {
        "django.request": {"level": "ERROR"},
        # Adapters redact their own lines; HTTP clients would log tokens in query strings.
        "httpx": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}

# How long a trading platform may take to answer. A change whose answer is late is looked up, never sent again.
TRADING_READ_SECONDS = env.float("KEELSON_TRADING_READ_SECONDS", default=20.0)
TRADING_WRITE_SECONDS = env.float("KEELSON_TRADING_WRITE_SECONDS", default=15.0)
# Commands per second, commands at once after a pause, seconds a command waits for its turn: per server and purpose.
TRADING_RATES = {
    "money": (20, 40, 5.0),
    "reads": (50, 100, 10.0),
    "backfill": (10, 50, 60.0),
    "samples": (50, 100, 1.0),
}

# The outside world. The default install talks to the sandbox servers that the supervisor starts.
SANDBOX_MT5 = env("SANDBOX_MT5", default="127.0.0.1:8443")
# What the demo leaves for the sandbox servers to read when they start (the supervisor names the same folder to them).
SANDBOX_IMPORTS = VAR_DIR / "sandbox"
SANDBOX_MT5_REST = env("SANDBOX_MT5_REST", default="127.0.0.1:8446")
# The certificate that the sandbox makes for itself. Believed for rows of trading servers whose host is "sandbox", no others.
SANDBOX_MT5_CERTIFICATE = env("SANDBOX_MT5_CERTIFICATE", default=str(VAR_DIR / "sandbox" / "mt5.sqlite.crt"))
# The same of the sandbox cTrader server, which keeps its state beside the other's.
SANDBOX_CTRADER_CERTIFICATE = env(
    "SANDBOX_CTRADER_CERTIFICATE", default=str(Path(SANDBOX_MT5_CERTIFICATE).with_name("ctrader.sqlite.crt"))
)
# Where the sandbox servers of the other platforms listen, by what listens.
SANDBOX_PLATFORMS = {
    "mt4": env("SANDBOX_MT4", default="127.0.0.1:8450"),
    "ctrader": env("SANDBOX_CTRADER", default="127.0.0.1:8452"),
    "ctrader_manager": env("SANDBOX_CTRADER_MANAGER", default="127.0.0.1:8453"),
    "matchtrader": env("SANDBOX_MATCHTRADER", default="127.0.0.1:8455"),
    "matchtrader_grpc": env("SANDBOX_MATCHTRADER_GRPC", default="127.0.0.1:8456"),
    "sirix": env("SANDBOX_SIRIX", default="127.0.0.1:8458"),
}
SANDBOX_KYC_URL = env("SANDBOX_KYC_URL", default="http://127.0.0.1:8460")
SANDBOX_SCREENING_URL = env("SANDBOX_SCREENING_URL", default="http://127.0.0.1:8461")
SANDBOX_PHONE_URL = env("SANDBOX_PHONE_URL", default="http://127.0.0.1:8462")
# Takes the webhooks of the demo.
SANDBOX_RECEIVER_URL = env("SANDBOX_RECEIVER_URL", default="http://127.0.0.1:8465")
SANDBOX_MAIL_URL = env("SANDBOX_MAIL_URL", default="imap://127.0.0.1:8463")
SANDBOX_MAIL_API_URL = env("SANDBOX_MAIL_API_URL", default="http://127.0.0.1:8466")
SANDBOX_PSP_URL = env("SANDBOX_PSP_URL", default="http://127.0.0.1:8444")
# Are certificates believed that a sandbox PSP made for itself? Only for a PSP whose API address is that sandbox's.
PSP_SANDBOX_CERTIFICATES = env.bool("KEELSON_PSP_SANDBOX_CERTIFICATES", default=DEMO)

# Where rates come from, in order: addresses or files of the ECB's form; `sandbox:` is the sandbox's feed.
FX_FEEDS = env.list("KEELSON_FX_FEEDS", default=["sandbox:"])
# Where files of watchlists are put for scheduled checks by another program; without it lists are checked at addresses only.
WATCHLIST_FOLDER = env("KEELSON_WATCHLIST_FOLDER", default="")
# Hosts, addresses or networks inside our own that people may point PSPs and trading servers at; `*` is everything.
OUTGOING_PRIVATE = env.list("KEELSON_OUTGOING_PRIVATE", default=["*"])
