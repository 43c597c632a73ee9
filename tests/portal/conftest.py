"""A client with a wallet, a trading account and somebody else's beside it."""

from dataclasses import dataclass

import pytest

from clients.models import Client
from crm.models import User
from tests.cast import Browser, Cast, signed_in
from tests.trading.factories import make_account, make_server, make_type
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, make_psp
from trading.models import AccountType, TradingAccount
from wallet.models import Psp


@dataclass
class Room:
    """`client` is Clara, verified, with EUR 500 and an MT5 account; `other` is Óscar with his own."""

    cast: Cast
    client: Client
    user: User
    browser: Browser
    psp: Psp
    bank: Psp
    account_type: AccountType
    account: TradingAccount
    other: Client
    other_account: TradingAccount


def verify(client: Client, level: int = 1) -> Client:
    """As if the documents had been approved."""
    client.kyc_level = level
    client.stage = "verified"
    client.save()
    return client


@pytest.fixture
def room(cast) -> Room:
    load_rates()
    client, other = verify(cast.client), verify(cast.other_client)
    server = make_server()
    account_type = make_type(cast.brand, server)
    account = make_account(client, server, account_type=account_type, equity=1000, balance=1000)
    other_account = make_account(other, server, account_type=account_type)
    psp, bank = make_psp(cast.brand, "northpay"), make_psp(cast.brand, "rhinebank", kind="bank", pays_out=True)
    fund(client, 50_000)
    fund(other, 70_000)
    assert client.user is not None
    return Room(
        cast, client, client.user, signed_in(client.user), psp, bank, account_type, account, other, other_account
    )
