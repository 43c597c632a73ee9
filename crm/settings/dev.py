"""Zero set-up: the embedded servers, or those named by DATABASE_URL and REDIS_URL. Also what the demo runs on."""

import os

os.environ.setdefault("KEELSON_LOG_LEVEL", "WARNING")
os.environ.setdefault("KEELSON_LOG_FORMAT", "plain")

from crm.settings.base import *  # noqa: F403
from crm.settings.base import BASE_URL, env
from crm.web import hosts

DEBUG = env.bool("DEBUG", default=False)
INTERNAL_IPS = ["127.0.0.1"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
CSRF_TRUSTED_ORIGINS = hosts.names_of(BASE_URL)
