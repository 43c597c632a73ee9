"""Production: every secret and host is given by the environment; start-up fails when one is missing."""

from crm.settings.base import *  # noqa: F403
from crm.settings.base import DEMO, env

SECRET_KEY = env("SECRET_KEY")
FIELD_KEY = env("KEELSON_FIELD_KEY")
ALLOWED_HOSTS = env.list("KEELSON_HOSTS")
BASE_URL = env("KEELSON_BASE_URL")
DEBUG = False
SECURE_SSL_REDIRECT = env.bool("KEELSON_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# A peer on a private network that passes on others' addresses is a proxy: it has to be counted.
REFUSE_UNCOUNTED_PROXIES = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = env.list("KEELSON_ORIGINS", default=[BASE_URL])
PSP_SANDBOX_CERTIFICATES = env.bool("KEELSON_PSP_SANDBOX_CERTIFICATES", default=False)
ECB = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
FX_FEEDS = env.list("KEELSON_FX_FEEDS", default=[]) or (["sandbox:"] if DEMO else [ECB])
OUTGOING_PRIVATE = env.list("KEELSON_OUTGOING_PRIVATE", default=[])
