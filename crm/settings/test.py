"""Tests run on a real PostgreSQL and Redis (their own, under var/test); only password hashing is made cheap.

Each test process leases a slot (its own database, Redis number and private directory), so that runs side by side never
meet. REDIS_URL may name a server of one's own: the slot is added to its number, and a number that holds anything of
somebody else's is refused (`tests.database.claim_redis`). A process that a test starts finds DATABASE_URL, REDIS_URL and
KEELSON_TEST_SLOT in its environment and joins the test's slot.
"""

import os
from pathlib import Path

from launcher import devdb

TEST_VAR = Path(__file__).resolve().parent.parent.parent / "var" / "test"
os.environ.setdefault("KEELSON_VAR", str(TEST_VAR))
os.environ.setdefault("KEELSON_LOG_LEVEL", "WARNING")
os.environ.setdefault("SECRET_KEY", "test-secret-key-that-is-long-enough-to-pass-the-check-0123456789")
os.environ.setdefault("KEELSON_FIELD_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
TEST_SLOT = int(os.environ.get("KEELSON_TEST_SLOT") or devdb.lease_slot(Path(os.environ["KEELSON_VAR"])))
given_redis = os.environ.get("REDIS_URL", "")
joins_a_test = bool(given_redis and os.environ.get("KEELSON_TEST_SLOT"))
if not joins_a_test:
    base_redis = given_redis or devdb.redis_url(Path(os.environ["KEELSON_VAR"]))
    os.environ["REDIS_URL"] = devdb.numbered_redis_url(base_redis, TEST_SLOT)

from crm.settings.base import *  # noqa: E402, F403
from crm.settings.base import DATABASES, STORAGES, VAR_DIR  # noqa: E402

REDIS_OF_ALL_TESTS = given_redis  # before a number was added; empty: the embedded server
if not joins_a_test:  # pytest-xdist's workers inherit the environment and lease slots of their own
    os.environ["REDIS_URL"] = given_redis
    if not given_redis:
        del os.environ["REDIS_URL"]

DATABASES["default"]["TEST"] = {"NAME": f"test_keelson_{TEST_SLOT}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
PRIVATE_DIR = VAR_DIR / f"private-{TEST_SLOT}"
MEDIA_ROOT = PRIVATE_DIR / "media"
ERASURE_REGISTER = PRIVATE_DIR / "erasures.jsonl"
SANDBOX_IMPORTS = PRIVATE_DIR / "sandbox"  # two demos at once would tell each other's servers a wrong story
ALLOWED_HOSTS = ["*"]
LANGUAGE_CODE = "en-us"  # what tests expect of dates and numbers where they say no language
# Static files straight from their folders: tests collect nothing.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
PSP_SANDBOX_CERTIFICATES = True
FX_FEEDS = []
KYC_ACCEPTS_SPECIMENS = True
