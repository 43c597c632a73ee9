"""What a broker does not let our manager do is offered nowhere, refused in words, and left to a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from crm.errors import DomainError, NotAllowed
from tests.cast import Cast
from tests.trading.factories import make_account, make_server, make_type
from trading import queries
from trading.accounts import balance_operations, opening, requests
from trading.accounts import changes as accounts
from trading.choices import Ability, IssueKind, OperationKind, RequestKind
from trading.models import PlatformIssue, TradingAccount, TradingServer
from trading.platforms import base, capabilities, pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited(db: None) -> TradingServer:
    """A server whose manager may only read. Nothing listens there: no test here may get as far as asking it."""
    return make_server(name="Read only", withheld=[one.value for one in Ability])


@pytest.fixture
def account(cast: Cast, limited: TradingServer) -> TradingAccount:
    return make_account(cast.client, limited, account_type=make_type(cast.brand, limited, kyc_level=0))


def test_a_full_manager_can_do_everything_and_a_limited_one_what_is_left(limited: TradingServer) -> None:
    assert capabilities.lacking(make_server()) == []
    limited.withheld = ["set_passwords", "book_bonus"]
    assert capabilities.lacking(limited) == [Ability.SET_PASSWORDS, Ability.BOOK_BONUS]
    assert capabilities.can(limited, Ability.MOVE_MONEY)
    assert (
        "Read only doesn't support this from Keelson: set passwords"
        in capabilities.can(limited, Ability.SET_PASSWORDS).reason
    )


def test_a_platform_without_a_look_up_by_reference_moves_no_money(monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server()
    blind = base.Capabilities(finds_by_reference=False, sets_passwords=False)
    monkeypatch.setitem(base.KINDS, server.kind, replace(pool.kind_of(server.kind), capabilities=blind))
    assert Ability.SET_PASSWORDS in capabilities.lacking(server)
    assert not any(capabilities.can(server, ability) for ability in capabilities.FOR_OPERATION.values())


def test_verbs_refuse_in_words_before_anything_is_written(cast: Cast, account: TradingAccount) -> None:
    staff = cast.administrator
    with pytest.raises(NotAllowed, match="deposits and withdrawals"):
        balance_operations.reserve_operation(
            account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal(5), idempotency_key="k", actor=None
        )
    with pytest.raises(NotAllowed, match="corrections"):
        balance_operations.reserve_operation(
            account_id=account.pk, kind=OperationKind.CORRECTION, amount=Decimal(5), idempotency_key="k", actor=None
        )
    with pytest.raises(NotAllowed, match="change the leverage"):
        accounts.change_leverage(account_id=account.pk, leverage=20, actor=staff)
    with pytest.raises(NotAllowed, match="set passwords"):
        accounts.reset_password(account_id=account.pk, actor=cast.client.user)
    with pytest.raises(NotAllowed, match="open accounts"):
        opening.request_account(
            client_id=cast.client.pk, account_type_id=account.account_type_id or 0, request_key="new", actor=None
        )
    assert not account.operations.exists() and TradingAccount.objects.count() == 1
    (offer,) = queries.offers_for(staff, cast.client)
    assert not offer.decision


def test_a_client_is_not_offered_what_can_not_be_done(cast: Cast, account: TradingAccount, browse) -> None:
    user = cast.client.user
    assert user is not None
    with pytest.raises(DomainError, match="change the leverage"):
        requests.ask(account_id=account.pk, kind=RequestKind.LEVERAGE, leverage=20, actor=user)
    page = browse(user).get(f"/portal/accounts/{account.pk}/").content.decode()
    assert "Not available here" in page and "transfer money to and from" in page and "bonus" not in page
    assert 'data-dialog="password"' not in page and 'data-dialog="ask-' not in page and "/portal/transfer/?" not in page
    assert account.login not in browse(user).get("/portal/transfer/").content.decode()


def test_staff_see_what_only_the_platform_itself_can_do(cast: Cast, account: TradingAccount, browse) -> None:
    page = browse(cast.administrator).get(f"/trading/accounts/{account.pk}/").content.decode()
    assert "Available only on the platform" in page and "disable and enable trading" in page
    assert 'data-dialog="leverage"' not in page and "New password" not in page


def test_trading_that_can_not_be_stopped_from_here_is_a_question_for_a_person(account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    assert accounts.apply_right_to_trade(account.pk) is False
    issue = PlatformIssue.objects.get(kind=IssueKind.BY_HAND)
    assert (issue.subject, issue.details["trading"]) == (account.login, False)
    assert accounts.due_rights() == []


def test_the_server_page_takes_what_the_broker_withholds(cast: Cast, limited: TradingServer, browse) -> None:
    values = {
        "name": "Read only",
        "kind": "mt5",
        "host": "127.0.0.1",
        "port": 1,
        "manager_login": "1000",
        "transport": "rest",
        "crypt_method": "AES256OFB",
        "balance_command": "TRADE_BALANCE",
        "path_prefix": "/gate/api",
        "time_zone": "EET",
        "group_mask": "*",
        "first_login": 900001,
        "last_login": 900999,
        "is_enabled": "on",
        "withheld": ["set_passwords", "book_bonus"],
        "password": "Sandbox-1000!",  # another address asks for it again
    }
    browser = browse(cast.administrator)
    assert browser.post(f"/trading/servers/{limited.pk}/", values).status_code == 302
    limited.refresh_from_db()
    assert (limited.withheld, limited.path_prefix) == (["set_passwords", "book_bonus"], "/gate/api")
    page = browser.get(f"/trading/servers/{limited.pk}/").content.decode()
    assert "Blocked for this manager" in page and page.count("checked") >= 2
    answer = browser.post(f"/trading/servers/{limited.pk}/", {**values, "path_prefix": "no slash"})
    assert answer.status_code == 422
