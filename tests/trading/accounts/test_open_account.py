"""Opening trading accounts: after verification, by staff, by the client; once, whatever happens on the way."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from clients.models import Client, Message, TimelineEntry
from crm import events
from crm.errors import DomainError, NotAllowed
from crm.events import ClientVerified, TradingAccountOpened, publish
from crm.models import AuditEvent, Notification, OutboxEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_server import Sandbox
from trading.accounts import changes as accounts
from trading.accounts import opening
from trading.choices import AccountState
from trading.models import AccountType, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for
from trading.subscribers import welcome_with_the_login

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer, sandbox: Sandbox) -> AccountType:
    """A type on the sandbox server, with a login range that no other test has used."""
    taken = sandbox.state()["users"]
    first = 700_001 + 1000 * taken
    server.first_login = server.next_login = first
    server.last_login = first + 999
    server.save()
    return make_type(cast.brand, server)


def verify(client: Client, level: int = 1) -> None:
    Client.objects.get(pk=client.pk)
    client.kyc_level = level
    client.save(update_fields=["kyc_level"])


def request(cast: Cast, account_type: AccountType, key: str = "wish:1", **fields: object) -> TradingAccount:
    return opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key=key, **{"actor": None, **fields}
    )


def on_server(sandbox: Sandbox) -> list[dict[str, str]]:
    with sandbox.client() as client:
        rows = client.read("USER_GET_BATCH", {"GROUP": "*"}).rows()
    return [row for row in rows if row["Comment"].startswith("keelson-")]


def make_due(account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(next_try_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_verified_client_gets_the_brands_default_account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    verify(cast.client)
    publish(ClientVerified(client_id=cast.client.pk, brand_id=cast.brand.pk, level=1))
    events.drain()
    account = TradingAccount.objects.get(client=cast.client)
    assert account.state == AccountState.REQUESTED
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    account.refresh_from_db()
    user = next(row for row in on_server(sandbox) if row["Login"] == account.login)
    assert (user["Group"], user["Leverage"], user["Name"]) == ("real\\standard-EUR", "30", "Clara Weber")
    assert int(account.login) == standard.server.first_login
    event = OutboxEvent.objects.get(name="trading.account_opened")
    assert (event.payload["login"], event.client_id) == (account.login, cast.client.pk)
    entry = TimelineEntry.objects.get(client=cast.client, dedupe_key=f"trading.account_opened:{account.pk}")
    assert entry.is_visible_to_client


def test_one_worker_at_a_time_opens_an_account(cast: Cast, standard: AccountType) -> None:
    verify(cast.client)
    account = request(cast, standard)
    assert opening._claim(account.pk) is not None
    assert opening._claim(account.pk) is None, "its turn comes again after the lease"
    make_due(account)
    again = opening._claim(account.pk)
    assert again is not None and again.attempts == 2


def test_the_client_is_sent_the_login_once_in_their_language(cast: Cast, standard: AccountType) -> None:
    verify(cast.client)
    Client.objects.filter(pk=cast.client.pk).update(language="de")
    account = request(cast, standard)
    opening.open_on_platform(account.pk)
    events.drain()
    welcome_with_the_login(
        TradingAccountOpened(
            client_id=cast.client.pk, brand_id=cast.brand.pk, account_id=account.pk, platform="MetaTrader 5", login="1"
        )
    )
    letter = Message.objects.get(client=cast.client)
    assert letter.subject == "Ihr MetaTrader 5-Konto ist eröffnet"
    account.refresh_from_db()
    assert account.login in letter.body and str(account.server) in letter.body


def test_a_second_verification_opens_no_second_account(cast: Cast, standard: AccountType) -> None:
    verify(cast.client, 2)
    for level in (1, 2):
        publish(ClientVerified(client_id=cast.client.pk, brand_id=cast.brand.pk, level=level))
    events.drain()
    assert TradingAccount.objects.filter(client=cast.client).count() == 1


def test_the_password_is_kept_nowhere(cast: Cast, standard: AccountType, monkeypatch: pytest.MonkeyPatch) -> None:
    verify(cast.client)
    monkeypatch.setattr(opening, "new_password", lambda: "Sichtbar-123!")
    account = request(cast, standard)
    opening.open_on_platform(account.pk)
    account.refresh_from_db()
    assert account.state == AccountState.OPEN
    from django.core.serializers import serialize

    for rows in (TradingAccount.objects.all(), OutboxEvent.objects.all(), TimelineEntry.objects.all()):
        assert "Sichtbar" not in serialize("json", rows)
    for event in AuditEvent.objects.all():
        assert b"Sichtbar" not in bytes(event.body)


@pytest.mark.parametrize("kind", ["drop_after", "never_after", "garbage"])
def test_a_lost_answer_finds_the_account_that_was_made(
    cast: Cast, standard: AccountType, sandbox: Sandbox, kind: str
) -> None:
    verify(cast.client)
    before = len(on_server(sandbox))
    account = request(cast, standard)
    sandbox.fault(kind, "USER_ADD")
    assert opening.open_on_platform(account.pk) == AccountState.UNKNOWN
    assert opening.open_on_platform(account.pk) == AccountState.UNKNOWN  # not before its time
    make_due(account)
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    assert len(on_server(sandbox)) == before + 1


def test_a_login_that_belongs_to_somebody_else_is_skipped(
    cast: Cast, standard: AccountType, sandbox: Sandbox, server: TradingServer
) -> None:
    verify(cast.client)
    sandbox.new_account(LOGIN=server.first_login)
    account = request(cast, standard)
    assert opening.open_on_platform(account.pk) == AccountState.REQUESTED
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    account.refresh_from_db()
    assert account.login == str(server.first_login + 1)


def test_a_server_that_is_away_is_tried_again(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    verify(cast.client)
    server = standard.server
    server.port = 1
    server.save()
    account = request(cast, standard)
    assert opening.open_on_platform(account.pk) == AccountState.REQUESTED
    assert opening.due_accounts() == []
    server.port = sandbox.port
    server.save()
    make_due(account)
    assert opening.due_accounts() == [account.pk]
    assert opening.open_on_platform(account.pk) == AccountState.OPEN


def test_a_group_that_does_not_exist_fails_and_people_are_told(cast: Cast, standard: AccountType) -> None:
    verify(cast.client)
    standard.group = "nowhere"
    standard.save()
    account = request(cast, standard)
    assert opening.open_on_platform(account.pk) == AccountState.FAILED
    account.refresh_from_db()
    assert "group does not exist" in account.error
    assert Notification.objects.filter(user=cast.support, kind="trading.account_failed").exists()
    opening.retry_account(account_id=account.pk, actor=cast.support)
    account.refresh_from_db()
    assert account.state == AccountState.REQUESTED


def test_who_may_ask_for_an_account(cast: Cast, standard: AccountType) -> None:
    for actor in (None, cast.client_user, cast.support):  # not verified yet
        with pytest.raises(NotAllowed, match="verified"):
            request(cast, standard, actor=actor)
    verify(cast.client)
    for actor in (cast.agent, cast.other_client_user, cast.finance):
        with pytest.raises(NotAllowed):
            request(cast, standard, actor=actor)
    assert not TradingAccount.objects.exists()
    assert request(cast, standard, actor=cast.client_user).request_key == "wish:1"
    assert request(cast, standard, actor=cast.support, key="wish:2").leverage == 30


def test_a_restricted_client_gets_none(cast: Cast, standard: AccountType) -> None:
    verify(cast.client)
    cast.client.restrictions = ["no_trading"]
    cast.client.save(update_fields=["restrictions"])
    with pytest.raises(NotAllowed, match="restricted"):
        request(cast, standard)


def test_the_same_wish_twice_is_one_account_and_an_odd_leverage_none(cast: Cast, standard: AccountType) -> None:
    verify(cast.client)
    assert request(cast, standard).pk == request(cast, standard).pk
    with pytest.raises(DomainError, match="1:400"):
        request(cast, standard, key="wish:2", leverage=400)


def test_an_account_type_of_another_brand_is_not_offered(
    cast: Cast, standard: AccountType, server: TradingServer
) -> None:
    verify(cast.client)
    other = make_type(cast.other_brand, server)
    with pytest.raises(NotAllowed, match="isn't offered"):
        request(cast, other)


# -- later changes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, standard.server, login=sandbox.new_account(), account_type=standard)


def test_leverage_changes_on_the_platform_first(cast: Cast, account: TradingAccount, sandbox: Sandbox) -> None:
    accounts.change_leverage(account_id=account.pk, leverage=10, actor=cast.support)
    account.refresh_from_db()
    with sandbox.client() as client:
        assert client.read("USER_GET", {"LOGIN": account.login}).row()["Leverage"] == "10"
    assert account.leverage == 10
    for actor in (cast.agent, cast.client_user):
        with pytest.raises(NotAllowed):
            accounts.change_leverage(account_id=account.pk, leverage=20, actor=actor)
    with pytest.raises(DomainError):
        accounts.change_leverage(account_id=account.pk, leverage=500, actor=cast.support)


def test_a_platform_that_refuses_changes_nothing_here(cast: Cast, account: TradingAccount, sandbox: Sandbox) -> None:
    sandbox.fault("retcode", "USER_UPDATE", value=8)
    with pytest.raises(DomainError, match="rejected"):
        accounts.change_leverage(account_id=account.pk, leverage=10, actor=cast.support)
    account.refresh_from_db()
    assert account.leverage == 30


def test_a_client_sets_their_own_trading_password(cast: Cast, account: TradingAccount) -> None:
    shown = accounts.reset_password(account_id=account.pk, actor=cast.client_user)
    platform = platform_for(account.server, Purpose.MONEY)
    assert platform.check_password(account.login, shown)
    chosen = accounts.reset_password(account_id=account.pk, actor=cast.client_user, password="Meins-2026!")
    assert chosen == "Meins-2026!"
    assert platform.check_password(account.login, "Meins-2026!")
    assert not platform.check_password(account.login, shown)
    with pytest.raises(DomainError, match="8 to 16"):
        accounts.reset_password(account_id=account.pk, actor=cast.client_user, password="kurz")
    for actor in (cast.other_client_user, cast.agent):
        with pytest.raises(NotAllowed):
            accounts.reset_password(account_id=account.pk, actor=actor)


def test_made_up_passwords_meet_the_platforms_rules() -> None:
    from trading.core.passwords import is_acceptable

    passwords = {opening.new_password() for _number in range(200)}
    assert len(passwords) == 200
    assert all(is_acceptable(password) for password in passwords)


# -- the right to trade -----------------------------------------------------------------------------------------------


def restrict(client: Client, *kinds: str) -> None:
    client.restrictions = list(kinds)
    client.save(update_fields=["restrictions"])


def rights(sandbox: Sandbox, login: str) -> int:
    with sandbox.client() as client:
        return int(client.read("USER_GET", {"LOGIN": login}).row()["Rights"])


def test_a_restriction_stops_trading_on_the_platform_and_its_end_allows_it(
    cast: Cast, account: TradingAccount, sandbox: Sandbox
) -> None:
    before = rights(sandbox, account.login)
    restrict(cast.client, "no_trading")
    assert accounts.follow_restrictions(client_id=cast.client.pk) == [account.pk]
    assert accounts.follow_restrictions(client_id=cast.client.pk) == []  # told once
    assert accounts.due_rights() == [account.pk]
    assert accounts.apply_right_to_trade(account.pk)
    assert rights(sandbox, account.login) == before | 0x4  # the broker's other bits are left alone
    assert accounts.due_rights() == []
    restrict(cast.client, "no_deposit")
    accounts.follow_restrictions(client_id=cast.client.pk)
    accounts.apply_right_to_trade(account.pk)
    assert rights(sandbox, account.login) == before


def test_a_platform_that_is_away_is_told_of_the_restriction_later(
    cast: Cast, account: TradingAccount, sandbox: Sandbox
) -> None:
    restrict(cast.client, "frozen")
    accounts.follow_restrictions(client_id=cast.client.pk)
    sandbox.fault("drop_before", "USER_UPDATE")
    assert not accounts.apply_right_to_trade(account.pk)
    make_due(account)
    assert accounts.due_rights() == [account.pk]
    assert accounts.apply_right_to_trade(account.pk)
    assert rights(sandbox, account.login) & 0x4


def test_compliance_events_reach_the_platform(cast: Cast, account: TradingAccount) -> None:
    from compliance.restrictions import place_restriction

    place_restriction(client_id=cast.client.pk, kind="frozen", reason="Court order", actor=cast.mlro)
    events.drain()
    account.refresh_from_db()
    assert not account.trading_wanted
