"""A challenge is bought once, for exactly its price, and its account begins with exactly its balance."""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm import events
from crm.errors import DomainError, IdempotencyConflict, NotAllowed
from crm.models import AuditEvent
from prop.challenges.buying import buy_challenge
from prop.challenges.coupons import create_coupon
from prop.choices import ChallengeState, StageState
from prop.models import Challenge, Coupon, PhaseAccount, ProgrammeSize, ProgrammeVersion
from prop.programmes.drafts import retire_version
from tests.cast import PASSWORD, Cast, signed_in
from tests.prop.factories import make_version
from tests.racing import race
from tests.trading.sandbox_server import Sandbox
from tests.wallet.factories import fund
from trading.accounts.balance_operations import send_operation
from trading.accounts.opening import open_on_platform
from trading.choices import AccountState, OperationState
from trading.models import AccountType, BalanceOperation, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for
from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.ledger.verification import verify

pytestmark = pytest.mark.django_db


def size_of(version: ProgrammeVersion, balance: int = 10_000) -> ProgrammeSize:
    return version.sizes.get(balance=balance)


def buy(cast: Cast, size: ProgrammeSize, key: str = "click", coupon: str = "") -> Challenge:
    return buy_challenge(
        client_id=cast.client.pk, size_id=size.pk, coupon=coupon, request_key=key, actor=cast.client.user
    )


def balances(cast: Cast) -> tuple[int, int]:
    income = posting.house(AccountKind.CHALLENGE_FEES, brand_id=cast.brand.pk, currency="EUR")
    return posting.balance(posting.wallet_of(cast.client, "EUR")), posting.balance(income)


def coupon(cast: Cast, *, uses: int = 1) -> Coupon:
    return create_coupon(
        brand=cast.brand,
        code="spring",
        percent=Decimal("12.5"),
        uses_max=uses,
        valid_until=timezone.now() + dt.timedelta(days=1),
        actor=cast.administrator,
    )


def test_the_fee_leaves_the_wallet_once(cast: Cast) -> None:
    fund(cast.client, 20_000)
    size = size_of(make_version(cast))
    bought = buy(cast, size)
    assert buy(cast, size) == bought
    assert balances(cast) == (10_100, 9_900)
    assert (bought.state, bought.price, bought.balance) == (ChallengeState.ACTIVE, Decimal(99), Decimal(10_000))
    account = bought.accounts.get()
    assert (account.state, account.account.state, account.account.is_demo) == (
        StageState.OPENING,
        AccountState.REQUESTED,
        True,
    )
    with pytest.raises(IdempotencyConflict):
        buy(cast, size_of(bought.version, 25_000))


def test_nothing_is_bought_without_the_money(cast: Cast) -> None:
    fund(cast.client, 9_899)
    size = size_of(make_version(cast))
    with pytest.raises(posting.InsufficientFunds):
        buy(cast, size)
    assert (Challenge.objects.count(), TradingAccount.objects.filter(client=cast.client).count()) == (0, 0)
    assert balances(cast) == (9_899, 0)


def test_a_coupon_counts_as_often_as_it_says(cast: Cast) -> None:
    fund(cast.client, 50_000)
    size, spring = size_of(make_version(cast)), coupon(cast)
    bought = buy(cast, size, coupon="Spring")
    assert (bought.price, bought.discount) == (Decimal("86.62"), Decimal("12.38"))  # 12.375 is rounded half to even
    assert balances(cast) == (50_000 - 8_662, 8_662)
    with pytest.raises(DomainError, match="coupon"):
        buy(cast, size, key="second", coupon="spring")
    spring.refresh_from_db()
    assert (spring.uses, Challenge.objects.count()) == (1, 1)


def test_only_the_client_buys_and_only_what_is_on_sale(cast: Cast) -> None:
    fund(cast.client, 50_000)
    version = make_version(cast)
    size = size_of(version)
    for other in (cast.other_client.user, cast.administrator):
        with pytest.raises(NotAllowed):
            buy_challenge(client_id=cast.client.pk, size_id=size.pk, request_key="x", actor=other)
    retire_version(version_id=version.pk, actor=cast.administrator)
    with pytest.raises(DomainError, match="no longer on sale"):
        buy(cast, size)
    assert balances(cast) == (50_000, 0)


def opened(cast: Cast, server: TradingServer, sandbox: Sandbox, code: str = "two-step") -> PhaseAccount:
    """A bought challenge whose account the platform has opened."""
    first = 700_001 + 1000 * sandbox.state()["users"]
    server.first_login, server.next_login, server.last_login = first, first, first + 999
    server.save()
    fund(cast.client, 20_000)
    row = buy(cast, size_of(make_version(cast, code, server=server))).accounts.get()
    assert open_on_platform(row.account_id) == AccountState.OPEN
    row.account.refresh_from_db()
    return row


@pytest.mark.parametrize(("code", "state"), [("two-step", ChallengeState.ACTIVE), ("instant", ChallengeState.FUNDED)])
def test_a_phase_runs_once_its_balance_is_on_the_platform(
    cast: Cast, server: TradingServer, sandbox: Sandbox, code: str, state: ChallengeState
) -> None:
    row = opened(cast, server, sandbox, code)
    events.drain()
    operation = BalanceOperation.objects.get(account_id=row.account_id)
    assert (operation.amount, operation.currency) == (Decimal(10_000), "EUR")
    assert send_operation(operation.pk) == OperationState.CONFIRMED
    events.drain()
    row.refresh_from_db()
    operation.refresh_from_db()
    assert (row.state, row.started_at) == (StageState.RUNNING, operation.settled_at)
    assert Challenge.objects.get().state == state


def test_the_password_of_a_challenges_account_is_shown_once(
    cast: Cast, server: TradingServer, sandbox: Sandbox
) -> None:
    """Made on the platform at that moment, on one answer, and kept nowhere: neither a page nor a second click shows it again."""
    row = opened(cast, server, sandbox)
    browser, address = signed_in(cast.client.user), f"/portal/accounts/{row.account_id}/"
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert f'href="{address}"' in browser.get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    assert "Show password" in browser.get(address).content.decode()
    answer = browser.post(f"{address}password/")
    shown = re.search(r'id="new-password">([^<]+)<', answer.content.decode())
    assert shown is not None and "no-store" in answer["Cache-Control"]
    password = html.unescape(shown[1])
    assert platform_for(server, Purpose.MONEY).check_password(row.account.login, password)
    pages = [
        browser.get(f"/portal/challenges/{row.challenge_id}/"),
        browser.get(address),
        browser.get(f"{address}password/"),
    ]
    assert pages[-1].status_code == 405 and "Show password" not in pages[1].content.decode()
    assert all(html.escape(password) not in page.content.decode() for page in pages)
    assert html.escape(password) not in browser.post(f"{address}password/").content.decode()
    sealed = [bytes(event.body) for event in AuditEvent.objects.filter(target_id=str(row.account_id))]
    assert sealed and not any(password.encode() in body for body in sealed)
    row.account.refresh_from_db()
    assert row.account.password_set_at is not None and password not in repr(vars(row.account))


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_time_buy_once(cast: Cast) -> None:
    fund(cast.client, 50_000)
    size = size_of(make_version(cast))
    clicks = race(lambda: buy(cast, size), lambda: buy(cast, size))
    assert clicks.has_waited
    assert clicks.first == clicks.second == Challenge.objects.get()
    assert balances(cast) == (50_000 - 9_900, 9_900)
    assert verify().holds


@pytest.mark.parametrize("changed", [{"kind": "standard", "is_demo": False}, {"currency": "USD"}])
def test_a_type_that_was_changed_since_opens_no_account(cast: Cast, changed: dict[str, Any]) -> None:
    """It became real: nobody paid in the balance. Or it has another currency: no rate of exchange moves a target or limit."""
    fund(cast.client, 20_000)
    version = make_version(cast)
    before = balances(cast)
    AccountType.objects.filter(pk=version.account_type_id).update(**changed)
    with pytest.raises(DomainError, match="isn't offered"):
        buy(cast, size_of(version))
    assert balances(cast) == before
    assert not Challenge.objects.exists() and not TradingAccount.objects.filter(client=cast.client).exists()
