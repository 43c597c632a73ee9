"""Signing in as staff in a real browser: set-up, codes, passkeys from Chromium's virtual authenticator."""

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect

from crm.models import User
from tests.browser.people import enter, login, virtual_key
from tests.cast import PASSWORD
from tests.crm.factors import code


def type_password(page, user):
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_staff_set_up_an_authenticator_app_save_their_codes_and_get_to_work(page, cast):
    type_password(page, cast.agent)
    page.wait_for_url("**/accounts/security/set-up/")
    page.get_by_role("link", name=re.compile("Authenticator app")).click()
    secret = page.locator("[data-secret]").inner_text()
    expect(page.locator("img.k-qr")).to_be_visible()
    page.locator("input[name=code]").fill(code(secret))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    onwards = page.locator("[data-codes-continue]")
    expect(onwards).to_have_class(re.compile("disabled"))
    page.get_by_label("I have saved my recovery codes").check()
    onwards.click()
    page.wait_for_url("**/home/")


def test_password_and_code_open_the_house_and_sign_out_closes_it(page, cast):
    login(page, cast.finance)
    page.wait_for_url("**/home/")
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").last.click()
    page.wait_for_url("**/accounts/login/")
    page.goto("/home/")
    page.wait_for_url("**/accounts/login/?next=/home/")


def test_a_passkey_is_added_signs_in_alone_and_serves_as_second_factor(page, cast):
    virtual_key(page)
    type_password(page, cast.agent)
    page.get_by_role("link", name=re.compile("Passkey or security key")).click()
    page.get_by_label("Name", exact=True).fill("Office laptop")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    stored = Authenticator.objects.get(user=cast.agent, type="webauthn")
    assert stored.wrap().name == "Office laptop" and stored.wrap().is_passwordless

    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/home/")

    page.context.clear_cookies()
    type_password(page, cast.agent)
    page.wait_for_url("**/accounts/2fa/authenticate/")
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.wait_for_url("**/home/")

    # The only factor can't be removed; the page says why.
    page.goto("/accounts/security/")
    page.get_by_role("row", name=re.compile("Office laptop")).get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("This is your only second factor")).to_be_visible()


def test_a_passkey_of_nobody_says_so_and_signs_nobody_in(page, cast):
    session, key = virtual_key(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-message]")).to_contain_text("Nothing was confirmed", timeout=30_000)


def test_a_sensitive_page_asks_once_more_and_goes_on(page, cast):
    login(page, cast.agent)
    # As if the sign-in had been long ago.
    from django.contrib.sessions.models import Session

    for row in Session.objects.all():
        data = row.get_decoded()
        for record in data.get("account_authentication_methods", []):
            record["at"] -= 3600
        row.session_data = Session.objects.encode(data)
        row.save()
    from django.core.cache import cache

    cache.clear()
    page.goto("/accounts/2fa/recovery-codes/generate/")
    page.wait_for_url("**/accounts/reauthenticate/**")
    page.get_by_label("Password").fill("wrong one")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Incorrect password")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Generate new recovery codes?")).to_be_visible()


def test_another_session_is_ended_from_the_list(page, open_page, cast):
    login(page, cast.agent)
    other = open_page()
    enter(other, cast.agent)
    other.goto("/home/")
    page.goto("/accounts/security/")
    rows = page.locator("table:has(th:text('Device')) tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="End session", exact=True).click()
    expect(page.get_by_text("Session ended")).to_be_visible()
    other.goto("/home/")
    other.wait_for_url("**/accounts/login/**")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_fits_a_phone(phone, cast, theme):
    phone.emulate_media(color_scheme=theme)
    phone.goto("/accounts/login/")
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert User.objects.filter(pk=cast.agent.pk).exists()
