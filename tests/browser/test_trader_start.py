"""A client's first steps in a browser: what comes before a deposit, and the password of a new account, once."""

import re

from playwright.sync_api import expect

from crm.conditions import always
from tests.browser.people import enter
from tests.cast import PASSWORD
from tests.trading.accounts.test_first_steps import opened, standard
from tests.trading.conftest import sandbox, server, shared_sandbox
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from wallet.deposits.unverified import C721, write_rule

__all__ = ["sandbox", "server", "shared_sandbox", "standard"]


def test_before_verification_the_next_step_replaces_the_deposit(page, cast):
    load_rates()
    make_psp(cast.brand, "northpay").methods.update(condition=always())
    write_rule(brand=cast.brand, actor=cast.mlro, **C721)
    enter(page, cast.client_user)
    page.goto("/portal/wallet/deposit/")
    amount = page.locator("input[name=amount]")
    assert amount.count() == 0 or amount.is_disabled()
    page.locator("main").get_by_role("link", name=re.compile("Get verified")).click()
    page.wait_for_url(re.compile("/portal/(profile/details|documents)/"))


def test_a_new_accounts_password_is_copied_and_gone(page, cast, standard):
    account = opened(cast, standard)
    enter(page, cast.client_user)
    page.goto(f"/portal/accounts/{account.pk}/")
    page.get_by_role("button", name="Show password").click()
    page.wait_for_url("**/reauthenticate/**")
    page.locator("main input[name=password]").fill(PASSWORD)
    page.locator("main form button.btn-primary").first.click()
    secret = page.locator("#new-password").inner_text()
    page.get_by_role("button", name="Copy password").click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    page.get_by_role("link", name="I've saved it").click()
    expect(page.get_by_text("Password set on")).to_be_visible()
    assert secret not in page.content()
