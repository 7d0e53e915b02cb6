"""Settings of Alliance, read from the environment. docs/operations.md explains every variable."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from alliance import environment, logs
from alliance.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent
environment.load_secret_files()

# --- what kind of start this is -------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)  # demo data, a mailbox in the browser, plain http on the loopback address
DEMO_MAILBOX_DIR = env.str("DEMO_MAILBOX_DIR", default="")

SECRET_KEY = environment.required(
    "SECRET_KEY", "it signs sessions and personal links; make one of 50 random characters."
)
FIELD_ENCRYPTION_KEYS = [
    key.strip()
    for key in environment.required(
        "FIELD_ENCRYPTION_KEYS",
        "comma-separated Fernet keys that encrypt names, addresses and meeting links; the first one encrypts.",
    ).split(",")
]
for _number, _key in enumerate(FIELD_ENCRYPTION_KEYS, start=1):
    if not environment.is_fernet_key(_key):
        raise ImproperlyConfigured(f"FIELD_ENCRYPTION_KEYS: number {_number} is not 32 bytes as url-safe base64.")
SITE_URL = environment.required(
    "SITE_URL", "the public address of this site, such as https://alliance.example.org."
).rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured("SITE_URL must look like https://alliance.example.org.")
SITE_DOMAIN = _site.hostname
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[SITE_DOMAIN])
IS_SECURE = _site.scheme == "https"
if DEMO and SITE_DOMAIN not in {"127.0.0.1", "::1", "localhost"}:
    raise ImproperlyConfigured("DEMO shows every mail to everybody: it needs a SITE_URL on 127.0.0.1.")

# Where "Exit this page" leads: somewhere everybody may have been.
EXIT_URL = env.str("EXIT_URL", default="https://www.weather.com")

# --- the house ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "alliance.apps.AllianceConfig",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "accounts.apps.AccountsConfig",
    "events.apps.EventsConfig",
    "speakers.apps.SpeakersConfig",
    "video.apps.VideoConfig",
    "registration.apps.RegistrationConfig",
    "outbox.apps.OutboxConfig",
    "alliance.apps.HouseAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.forms",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "alliance.middleware.RequestLog",
    "alliance.middleware.ContentSecurityPolicy",
    "alliance.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "alliance.health.Probes",
    "alliance.api.cors.PublicReads",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "alliance.middleware.DatabaseTrouble",
    "events.releases.middleware.PublishedProgramme",
    "events.page_cache.PageCache",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "alliance.middleware.KnownLength",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SecondFactor",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "alliance.middleware.FormsOnly",
]

ROOT_URLCONF = "alliance.urls"
WSGI_APPLICATION = "alliance.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.HouseBackend"]  # permissions and roles

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "alliance.context.site",
            ],
            "builtins": ["django.templatetags.i18n", "alliance.templatetags.alliance"],
        },
    },
]

# Widgets of our own have templates beside the others; django.forms brings Django's.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- PostgreSQL and Redis -------------------------------------------------------------------------------------------

environment.address(
    "DATABASE_URL", "postgres postgresql", "the PostgreSQL database, such as postgres://user:password@host/name."
)
DATABASES: dict[str, Any] = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    # A frozen lock or a forgotten transaction must end in an answer, not in a pile of waiting requests.
    "options": "-c lock_timeout=3000 -c statement_timeout=20000 -c idle_in_transaction_session_timeout=10000",
    "connect_timeout": 5,
}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=300)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["ATOMIC_REQUESTS"] = False

REDIS_URL = environment.address(
    "REDIS_URL", "redis rediss unix", "the Redis (or Valkey) server, such as redis://host:6379/0."
)
_REDIS_TIMEOUT = 0.3  # seconds; a frozen Redis must not hold a web request

CACHES = {
    # Only for things whose loss is harmless. Sessions and every rule live in PostgreSQL.
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "serializer": "alliance.caching.JsonValues",
            "socket_timeout": _REDIS_TIMEOUT,
            "socket_connect_timeout": _REDIS_TIMEOUT,
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- Celery: the hands of the outbox --------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "retry_on_timeout": False,
    "health_check_interval": 10,
    "visibility_timeout": 300,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Concerns late acknowledgement, which we do not use; unset it costs a warning at each loss of connection.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_TIME_LIMIT = 240
# A message to more people than this leaves only when a second organiser has released it.
ANNOUNCEMENT_RELEASE_ABOVE = env.int("ANNOUNCEMENT_RELEASE_ABOVE", default=200)
try:  # by way out or domain of an address, such as "mail=600 gmail.com=60 zoom=60"; no limit where none is named
    OUTBOX_PER_MINUTE = {
        name.lower(): int(number)
        for name, _equals, number in (one.partition("=") for one in env.str("OUTBOX_PER_MINUTE", default="").split())
    }
except ValueError:
    raise ImproperlyConfigured("OUTBOX_PER_MINUTE is written like this: mail=600 gmail.com=60") from None
OUTBOX_KEEP_DAYS = env.int("OUTBOX_KEEP_DAYS", default=180)  # messages that were sent; the audit trail stays
AUDIT_KEEP_DAYS = env.int("AUDIT_KEEP_DAYS", default=1826)  # the audit trail and the history of the admin
# Where servers that get webhooks may listen.
WEBHOOK_PORTS = [int(port) for port in env.list("WEBHOOK_PORTS", default=["443"])]
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", default=60)  # a killed worker's messages are sent after that


def _every(seconds: int, task: str) -> dict[str, Any]:
    """A task by the clock. One that waits as long as its period is dropped: the next one does the same work."""
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "empty-the-outbox": _every(5, "outbox.tasks.drain"),
    "remind-people": _every(60, "registration.tasks.queue_reminders"),
    "sum-up-for-focal-points": _every(900, "registration.tasks.queue_digests"),
    "read-mails-that-came-back": _every(60, "outbox.tasks.read_bounces"),
    "end-consents": _every(600, "registration.tasks.expire_consents"),
    "erase-what-is-due": _every(3600, "registration.tasks.erase_what_is_due"),
    "forget-what-the-house-keeps-no-longer": _every(3600, "registration.tasks.forget_of_house"),
    "keep-places-and-lists-right": _every(60, "registration.tasks.promote_into_free_places"),
    "pass-on-offers-nobody-took": _every(60, "registration.tasks.expire_offers"),
    "give-reserved-places-back": _every(60, "registration.tasks.release_due_reserves"),
    "give-everybody-their-join-link": _every(60, "registration.tasks.queue_missing_join_links"),
    "forget-answers-and-uploads": _every(600, "registration.tasks.forget_answers"),
    "forget-addresses": _every(60, "registration.tasks.forget_addresses"),
    "order-meetings-as-published": _every(60, "video.tasks.order_what_changed"),
    "forget-what-platforms-told": _every(3600, "video.tasks.forget_events"),
    "end-rehearsals": _every(60, "registration.tasks.end_rehearsals"),
    "enter-people-on-platforms": _every(60, "registration.tasks.queue_missing_registrants"),
    "forget-old-form-tokens": _every(3600, "registration.tasks.forget_old_idempotency_keys"),
    "remind-the-invited": _every(600, "registration.tasks.remind_invited"),
    "forget-webhook-deliveries": _every(3600, "registration.tasks.forget_webhook_deliveries"),
    "look-after-invited-speakers": _every(600, "speakers.tasks.look_after_invitations"),
    "forget-files-of-long-work": _every(600, "events.tasks.forget_jobs"),
    "forget-who-was-invited": _every(3600, "registration.tasks.forget_old_invitations"),
}

# --- mail -----------------------------------------------------------------------------------------------------------

environment.address(
    "EMAIL_URL", " ".join(env.EMAIL_SCHEMES), "the mail server, such as smtp+tls://user:password@host:587."
)
EMAIL_CONFIG = env.email_url("EMAIL_URL")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20  # seconds for one conversation with the mail server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Conference office <no-reply@{SITE_DOMAIN}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="")  # the envelope sender, with "+..." put before its "@"
BOUNCE_MAILBOX = env.str("BOUNCE_MAILBOX", default="")  # where reports end: maildir:///path, imaps://...
if BOUNCE_ADDRESS and not 2 < BOUNCE_ADDRESS.find("@") + 1 <= 17:
    raise ImproperlyConfigured("BOUNCE_ADDRESS is an address with 2 to 16 characters before its “@”.")

# --- video platforms ------------------------------------------------------------------------------------------------

# Credentials stand in variables of each host account (video.adapters.credentials). The domain of the addresses that we
# make up for people whose own the platforms must not learn; nobody needs to receive mail there.
VIDEO_RELAY_DOMAIN = env.str("VIDEO_RELAY_DOMAIN", default="") or f"guests.{SITE_DOMAIN}"

# --- people who sign in ---------------------------------------------------------------------------------------------

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 2 * 3600  # seconds that the link of a mail is good for
# Whoever may open the admin or looks after a side event needs a second factor; nobody does while developing.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not (DEBUG or DEMO))

# django-allauth: the steps of signing in. Accounts are made in the admin; the library makes and manages none.
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # as long as SESSION_COOKIE_AGE
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # accounts.attempts counts, in PostgreSQL
ACCOUNT_FORMS = {
    "login": "accounts.sign_in_forms.SignInForm",
    "reauthenticate": "accounts.sign_in_forms.PasswordAgainForm",
}
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are entered by administrators
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.sign_in_forms.CodeForm",
    "reauthenticate": "accounts.sign_in_forms.CodeAgainForm",
    "activate_totp": "accounts.sign_in_forms.FirstCodeForm",
    "authenticate_webauthn": "accounts.sign_in_forms.PasskeyForm",
    "add_webauthn": "accounts.sign_in_forms.NewPasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that a telephone's clock may be off
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10

# OpenID Connect: existing users only, found by the address that the provider has verified.
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="")
OIDC_NAME = env.str("OIDC_NAME", default="OpenID Connect")
SOCIALACCOUNT_ADAPTER = "accounts.adapters.OpenIdAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form of ours may not lead to another site (form-action of the policy)
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "house",
                "name": OIDC_NAME,
                "client_id": environment.required("OIDC_CLIENT_ID", "the provider gave it to us."),
                "secret": environment.required("OIDC_CLIENT_SECRET", "the provider gave it to us."),
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ],
    }

# --- languages and time ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("fr", _("French")),
    ("de", _("German")),
    ("it", _("Italian")),
    ("es", _("Spanish")),
    ("ru", _("Russian")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["alliance.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str("STATICFILES_BACKEND", default="whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}
MEDIA_ROOT = BASE_DIR / "var" / "media"
WHITENOISE_MANIFEST_STRICT = True

# --- browser safety -------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_SSL_REDIRECT = IS_SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)  # the proxy tells how it was asked, and by whom
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if IS_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE else "csrf"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "alliance.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_500_000  # bytes of a form without files
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = ["alliance.uploads.InMemory"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # a session with its segments and speakers in six languages has about a thousand
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    # Every view says itself who may use it; one that forgets is closed.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["alliance.api.filters.QueryParameters"],
    "DEFAULT_SCHEMA_CLASS": "alliance.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "alliance.api.paging.Pages",
    "EXCEPTION_HANDLER": "alliance.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Alliance API",
    "DESCRIPTION": (
        "The public programme of our conferences, and with a token the members of a delegation, or who registered for "
        "a side event. Begin with the guide above. Times are ISO 8601 with the offset of the venue; null means not "
        "known. Texts come with every language they exist in. Unknown or malformed parameters are refused with a "
        "problem document (RFC 9457). Send If-None-Match with the last ETag to learn cheaply that nothing changed."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "alliance.api.schema.fields_may_be_left_out",
        "alliance.api.schema.rows_are_linked",
        "alliance.api.router.resources_in_order",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ConferenceKind": "events.models.ConferenceKind",
        "ConferenceState": "events.api.conferences.PUBLIC_CONFERENCE_STATES",
        "SessionKind": "events.models.SessionKind",
        "SessionState": "events.api.sessions.PUBLIC_SESSION_STATES",
        "SegmentKind": "events.models.SegmentKind",
        "SectionKind": "events.models.SectionKind",
        "ResultKind": "events.models.TakeawayKind",
        "MaterialKind": "events.models.MaterialKind",
        "OrganisationKind": "events.models.OrganisationKind",
        "CountryStatus": "events.models.CountryStatus",
        "ContributionStatus": "speakers.api.SHOWN_STATUSES",
        "Format": "events.models.Format",
        "AttendanceMode": "registration.models.AttendanceMode",
        "Category": "registration.models.Category",
        "DelegationCapacity": "registration.models.DelegationCapacity",
        "Place": "registration.api.member_places.Place",
        "RegistrationStatus": "registration.models.RegistrationStatus",
        "Verification": "registration.models.Verification",
        "ApprovalMode": "registration.models.ApprovalMode",
        "WaitingMode": "registration.models.WaitingMode",
        "RegistrationMode": "events.models.RegistrationMode",
        "ConvenorRelation": "events.models.ConvenorRelation",
        "DatePrecision": "events.models.DatePrecision",
        "CountryMeaning": "speakers.models.CountryMeaning",
        "Delivery": "speakers.models.Delivery",
        "Role": "speakers.models.Role",
        "Language": "alliance.api.fields.LANGUAGES",
    },
}

# --- health ---------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # without one, /metrics answers private addresses only

# --- logs -----------------------------------------------------------------------------------------------------------

LOGGING = logs.configuration(as_json=env.str("LOG_FORMAT", default="json") == "json")
