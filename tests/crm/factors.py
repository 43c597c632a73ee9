"""Second factors for tests: an authenticator app whose code we can compute."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client as Browser

from tests.cast import PASSWORD

SECRET = "JBSWY3DPEHPK3PXP"


def give_app(user, secret=SECRET):
    """The user has an authenticator app with a known secret."""
    return TOTP.activate(user, secret).instance


def code(secret=SECRET, *, steps=0):
    """The six digits of now (or some half minutes away)."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def give_recovery_codes(user):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    return RecoveryCodes.activate(user).get_unused_codes()


def sign_in(user, *, password=PASSWORD, browser=None, secret=SECRET):
    """Sign in the way a person does: form, then code. Returns the browser."""
    browser = browser or Browser()
    browser.post("/accounts/login/", {"login": user.email, "password": password})
    if Authenticator.objects.filter(user=user, type="totp").exists():
        browser.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    return browser
