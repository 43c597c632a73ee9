"""What a client gets with a newly opened account: the password once, the platform's programs, the next step."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client as Browser

from crm.errors import DomainError
from crm.models import AuditEvent
from portal.platforms import first_steps
from tests.cast import PASSWORD, Cast, signed_in
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.sandbox_server import Sandbox
from trading.accounts import opening
from trading.models import AccountType, TradingAccount, TradingServer
from trading.platforms import download_options, downloads
from trading.platforms.base import Purpose
from trading.platforms.pool import kind_of, platform_for
from trading.servers import verbs as servers

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer, sandbox: Sandbox) -> AccountType:
    first = 760_001 + 100 * sandbox.state()["users"]
    server.first_login, server.next_login, server.last_login = first, first, first + 99
    server.save()
    cast.client.kyc_level = 1
    cast.client.save(update_fields=["kyc_level"])
    return make_type(cast.brand, server)


def opened(cast: Cast, account_type: AccountType) -> TradingAccount:
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="first", actor=cast.client_user
    )
    opening.open_on_platform(account.pk)
    account.refresh_from_db()
    return account


def confirmed_browser(cast: Cast) -> Browser:
    browser = signed_in(cast.client_user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def test_a_new_accounts_password_is_shown_once(cast: Cast, standard: AccountType) -> None:
    account, browser = opened(cast, standard), confirmed_browser(cast)
    address = f"/portal/accounts/{account.pk}/"
    assert "Show password" in browser.get(address).content.decode()
    answer = browser.post(f"{address}password/")
    page = answer.content.decode()
    shown = re.search(r'id="new-password">([^<]+)<', page)
    assert shown is not None
    password = html.unescape(shown[1])
    assert platform_for(account.server, Purpose.MONEY).check_password(account.login, password)
    assert 'data-copy-from="new-password"' in page and account.login in page
    assert "no-store" in answer["Cache-Control"]
    account.refresh_from_db()
    assert account.password_set_at is not None
    again = browser.get(address).content.decode()
    assert "Show password" not in again and html.escape(password) not in again and "Set new password" in again
    audited = AuditEvent.objects.get(action="trading.password_changed", target_id=str(account.pk))
    assert audited.actor == cast.client_user and password.encode() not in bytes(audited.body)


def test_a_new_account_leads_to_programs_and_transfer(cast: Cast, standard: AccountType) -> None:
    account = opened(cast, standard)
    page = signed_in(cast.client_user).get(f"/portal/accounts/{account.pk}/").content.decode()
    for address in download_options.DEFAULTS["mt5"].values():
        assert f'href="{html.escape(address)}"' in page
    assert f'href="/portal/wallet/transfer/?account={account.pk}"' in page


def test_the_brokers_own_download_address_replaces_the_vendors(
    cast: Cast, standard: AccountType, server: TradingServer
) -> None:
    options = {"download_windows": "https://files.broker.example/mt5setup.exe", "download_web": "-"}
    servers.change_server(server_id=server.pk, actor=cast.administrator, password="", options=options)
    server.refresh_from_db()
    found = {download.label: download.address for download in downloads.of_server(server)}
    assert found["Windows"] == "https://files.broker.example/mt5setup.exe" and "Web terminal" not in found
    assert found["Android"] == download_options.DEFAULTS["mt5"]["android"]
    for address in ("http://files.broker.example/a.exe", "javascript:alert(1)", 'https://a.example/"onclick='):
        with pytest.raises(DomainError, match="Windows"):
            servers.change_server(
                server_id=server.pk, actor=cast.administrator, password="", options={"download_windows": address}
            )


@pytest.mark.parametrize("kind", ["mt5", "mt4", "ctrader", "matchtrader", "sirix"])
def test_every_platform_has_download_settings(kind: str) -> None:
    assert {f"download_{device}" for device in download_options.LABELS} <= {
        option.name for option in kind_of(kind).options
    }


def test_no_first_password_replaces_one_in_use(cast: Cast) -> None:
    """Match-Trader has one password per person, a linked cTrader account signs in by the cTrader ID."""
    match = make_server(name="Match", kind="matchtrader")
    first = make_account(cast.client, match)
    assert first_steps(first, may_set_password=True).shows_password
    second = make_account(cast.client, match)
    assert not first_steps(second, may_set_password=True).shows_password
    linked = make_account(cast.client, make_server(name="cTrader", kind="ctrader"))
    assert not first_steps(linked, may_set_password=True).shows_password


def test_what_the_platform_does_not_let_us_set_is_not_offered(cast: Cast) -> None:
    account = make_account(cast.client, make_server(name="Sirix", kind="sirix"))
    page = signed_in(cast.client_user).get(f"/portal/accounts/{account.pk}/").content.decode()
    assert "Show password" not in page and "e-mail from the platform" in page
