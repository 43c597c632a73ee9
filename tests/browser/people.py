"""Getting people into a browser: by the sign-in form, or at once by a session cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from playwright.sync_api import BrowserContext, CDPSession, Page

from crm.models import User
from tests.cast import PASSWORD, signed_in
from tests.crm.factors import SECRET, code, give_app


def login(page: Page, user: User, *, password: str = PASSWORD, secret: str = SECRET) -> None:
    """Sign in through the pages. Staff without a second factor get an authenticator app with a known secret."""
    has_app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    if user.is_team and not has_app:
        give_app(user, secret)
        has_app = True
    page.goto("/accounts/login/" if user.is_team else f"/b/{user.brand.code}/login/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(password)
    page.locator("form[data-sign-in] button.btn-primary").click()
    if has_app:
        page.wait_for_url("**/accounts/2fa/authenticate/")
        page.locator("input[name=code]").fill(code(secret))
        page.locator("form:has(input[name=code]) button.btn-primary").click()
    page.wait_for_url(lambda url: "/login/" not in url and "/2fa/authenticate/" not in url)


def enter(page: Page, user: User) -> None:
    """Be signed in (second factor included) without the form."""
    host = urlsplit(_base_url(page.context)).hostname
    session = signed_in(user).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "domain": host or "localhost", "path": "/"}])


def _base_url(context: BrowserContext) -> str:
    return str(context._impl_obj._options["baseURL"])


def virtual_key(page: Page) -> tuple[CDPSession, str]:
    """A security key with a fingerprint reader, inside Chromium. Returns the session and the key's id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    answer = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, answer["authenticatorId"]
