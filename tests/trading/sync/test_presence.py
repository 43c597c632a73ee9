"""Accounts that vanish from the platform and come back, and what dealers change there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.models import TimelineEntry
from crm.errors import NotAllowed
from crm.models import AuditEvent, Notification, OutboxEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_server import Sandbox
from trading.accounts import balance_operations, change_texts
from trading.accounts import changes as accounts
from trading.choices import MissingBecause
from trading.leverage import caps
from trading.models import AccountChange, AccountType, SyncCursor, TradingAccount, TradingServer
from trading.platforms.base import Purpose, Right
from trading.platforms.pool import platform_for
from trading.sync import money, presence, profiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    return make_type(cast.brand, server, leverages=[10, 20, 30])


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    found = make_account(cast.client, standard.server, login=sandbox.new_account(), account_type=standard)
    profiles.sync_profiles(standard.server)
    return found


def events(name: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(name=name))


def actions(account: TradingAccount) -> list[str]:
    return list(AuditEvent.objects.filter(client_id=account.client_id).order_by("pk").values_list("action", flat=True))


def dealer(account: TradingAccount, **values: object) -> None:
    platform = platform_for(account.server, Purpose.MONEY)
    platform.client.write("USER_UPDATE", {"LOGIN": account.login, **values})  # type: ignore[attr-defined]


def test_an_account_that_is_not_on_the_platform_offers_nothing_that_is_done_there(
    cast: Cast, account: TradingAccount, browse
) -> None:
    path = f"/trading/accounts/{account.pk}/"
    assert (
        f"{path}leverage/" in (page := browse(cast.support).get(path).content.decode()) and f"{path}password/" in page
    )
    TradingAccount.objects.filter(pk=account.pk).update(missing_since=timezone.now(), missing_because="gone")
    page = browse(cast.support).get(path).content.decode()
    assert not any(f"{path}{done}/" in page for done in ("leverage", "password", "archive"))


def test_an_archived_account_is_marked_told_and_comes_back(
    cast: Cast, account: TradingAccount, sandbox: Sandbox
) -> None:
    money.sync_money(account.server)
    sandbox.post("archive", login=int(account.login))
    for _again in range(2):
        money.sync_money(account.server)
    account.refresh_from_db()
    assert account.missing_since is not None and (account.state, account.missing_because) == ("open", "archived")
    assert (
        len(events("trading.account_missing")) == 1
        and events("trading.account_missing")[0].payload["because"] == "archived"
    )
    assert Notification.objects.filter(user=cast.agent, title__contains="archive").count() == 1
    assert TimelineEntry.objects.filter(client=cast.client, title__contains="archive").count() == 1
    sandbox.post("restore", login=int(account.login))
    money.sync_money(account.server)
    account.refresh_from_db()
    assert (account.missing_since, account.missing_because) == (None, "")
    assert len(events("trading.account_returned")) == 1
    assert Notification.objects.filter(user=cast.agent, title__contains="back on the platform").count() == 1
    assert [name for name in actions(account) if "missing" in name or "returned" in name] == [
        "trading.account_missing",
        "trading.account_returned",
    ]


def test_a_login_that_nobody_knows_is_gone_not_archived(cast: Cast, server: TradingServer) -> None:
    ghost = make_account(cast.client, server, login="111222333")
    money.sync_money(server)
    ghost.refresh_from_db()
    assert ghost.missing_because == "gone"


def test_no_money_goes_to_an_account_that_is_not_there(cast: Cast, account: TradingAccount) -> None:
    presence.mark_missing(account_id=account.pk, because=MissingBecause.GONE)
    with pytest.raises(NotAllowed, match="has archived this account"):
        balance_operations.reserve_operation(
            account_id=account.pk, kind="deposit", amount=Decimal(10), idempotency_key="k", actor=cast.client_user
        )


def test_a_batch_that_leaves_out_a_login_says_nothing_yet(account: TradingAccount) -> None:
    assert presence.look_for(account.server, {account.login}) == 0
    account.refresh_from_db()
    assert account.missing_since is None


def test_the_database_wants_a_reason_with_the_day(account: TradingAccount) -> None:
    with pytest.raises(IntegrityError, match="missing_account_says_why"), transaction.atomic():
        TradingAccount.objects.filter(pk=account.pk).update(missing_since=timezone.now())


def test_what_a_dealer_changed_is_read_back_kept_and_said(cast: Cast, account: TradingAccount) -> None:
    pro = make_type(cast.brand, account.server, name="Pro", group="real\\pro-EUR", is_default=False)
    account.refresh_from_db()
    assert account.allowed == sorted(right.value for right in Right) and not AccountChange.objects.exists()
    dealer(account, LEVERAGE=200, GROUP="real\\pro-EUR", RIGHTS=0x1E3 | 0x4)
    assert profiles.sync_profiles(account.server) == 1
    assert profiles.sync_profiles(account.server) == 0
    account.refresh_from_db()
    assert (account.leverage, account.group, account.account_type) == (200, "real\\pro-EUR", pro)
    change = AccountChange.objects.get(account=account)
    assert change.before == {"group": "real\\standard-EUR", "leverage": 30, "allowed": sorted(r.value for r in Right)}
    assert [str(words) for words in change_texts.words_of(change.before, change.after)] == [
        "Group real\\standard-EUR → real\\pro-EUR",
        "Leverage 1:30 → 1:200",
        "Trading disabled",
    ]
    assert "trading.changed_at_platform" in actions(account)
    assert events("trading.account_changed")[0].payload["fields"] == ["group", "leverage", "allowed"]


def test_our_own_change_is_no_dealers(cast: Cast, account: TradingAccount) -> None:
    accounts.change_leverage(account_id=account.pk, leverage=10, actor=cast.support)
    TradingAccount.objects.filter(pk=account.pk).update(leverage=30)  # as if it were not kept yet
    assert profiles.sync_profiles(account.server) == 0
    TradingAccount.objects.filter(pk=account.pk).update(told_at=timezone.now() - dt.timedelta(minutes=5))
    assert profiles.sync_profiles(account.server) == 1


def test_a_dealer_does_not_lift_a_restriction(cast: Cast, account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    assert accounts.apply_right_to_trade(account.pk)
    TradingAccount.objects.filter(pk=account.pk).update(told_at=None)
    dealer(account, RIGHTS=0x1E3)
    assert profiles.sync_profiles(account.server) == 1
    assert accounts.due_rights() == [account.pk]
    assert accounts.apply_right_to_trade(account.pk)
    data = platform_for(account.server, Purpose.READS).read_account(account.login)
    assert data is not None and Right.TRADE not in data.allowed


def test_long_lists_are_read_in_rounds(
    cast: Cast, account: TradingAccount, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_account(cast.client, account.server, login=sandbox.new_account(), account_type=account.account_type)
    monkeypatch.setattr(profiles, "RUN_ACCOUNTS_MAX", 1)
    dealer(account, LEVERAGE=20)
    dealer(second, LEVERAGE=20)
    assert [profiles.sync_profiles(account.server) for _run in range(4)] == [1, 1, 0, 0]
    assert SyncCursor.objects.get(server=account.server, kind="profiles").failures == 0
    assert caps.ladder_of(TradingAccount.objects.get(pk=second.pk)) is not None


def test_pages_show_who_is_missing_and_what_dealers_changed(cast: Cast, account: TradingAccount, browse) -> None:
    browser = browse(cast.support)
    dealer(account, LEVERAGE=200)
    profiles.sync_profiles(account.server)
    page = browser.get(f"/trading/accounts/{account.pk}/results/").content.decode()
    assert "Changes on the platform" in page and "Leverage 1:30 → 1:200" in page
    presence.mark_missing(account_id=account.pk, because=MissingBecause.ARCHIVED)
    page = browser.get(f"/trading/accounts/{account.pk}/").content.decode()
    assert "hasn't listed this account since" in page and "Archived on platform" in page
    assert account.login in browser.get("/trading/accounts/?missing=archived").content.decode()
    assert account.login not in browser.get("/trading/accounts/?missing=gone").content.decode()
    assert account.login not in browser.get("/trading/accounts/?taken_over=true").content.decode()
    assert (
        "Account archived by the trading platform"
        in browse(cast.client_user).get(f"/portal/accounts/{account.pk}/").content.decode()
    )
