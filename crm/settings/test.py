"""Tests run on a real PostgreSQL and Redis; only password hashing is made cheap."""

import os

os.environ.setdefault("SECRET_KEY", "test-secret-key-that-is-long-enough-to-pass-the-check-0123456789")
os.environ.setdefault("KEELSON_FIELD_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")

from crm.settings.base import *  # noqa: E402, F403
from crm.settings.base import STORAGES, VAR_DIR  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
PRIVATE_DIR = VAR_DIR / "test-private"
MEDIA_ROOT = PRIVATE_DIR / "media"
ALLOWED_HOSTS = ["*"]
