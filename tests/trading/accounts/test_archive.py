"""Closing an account and opening it again by staff; and new passwords that a person looks at first."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_server import Sandbox
from trading.accounts import archive, request_rules, requests
from trading.accounts import changes as accounts
from trading.choices import HeldBecause, RequestKind
from trading.models import AccountRequest, AccountType, TradingAccount, TradingServer
from trading.platforms.base import Purpose, Right
from trading.platforms.pool import platform_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    return make_type(cast.brand, server)


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    return make_account(
        cast.client,
        standard.server,
        login=sandbox.new_account(),
        account_type=standard,
        opened_at=timezone.now() - timezone.timedelta(days=30),
    )


def allowed_there(account: TradingAccount) -> frozenset[Right]:
    data = platform_for(account.server, Purpose.READS).read_account(account.login)
    assert data is not None
    return data.allowed


def test_staff_close_an_empty_account_and_open_it_again(cast: Cast, account: TradingAccount) -> None:
    closed = archive.archive_account(account_id=account.pk, actor=cast.support, reason="Dormant for a year")
    assert closed.state == "archived" and closed.archived_at and closed.allowed == sorted(allowed_there(account))
    assert not allowed_there(account) & {Right.SIGN_IN, Right.TRADE}
    with pytest.raises(WrongState):
        archive.archive_account(account_id=account.pk, actor=cast.support, reason="Again")
    back = archive.restore_account(account_id=account.pk, actor=cast.desk_head, reason="Called us")
    assert (back.state, back.archived_at) == ("open", None)
    assert {Right.SIGN_IN, Right.TRADE} <= allowed_there(account)
    assert list(
        AuditEvent.objects.filter(client_id=cast.client.pk).order_by("pk").values_list("action", flat=True)
    ) == ["trading.account_archived", "trading.account_restored"]


def test_a_restricted_client_may_not_trade_when_the_account_is_open_again(cast: Cast, account: TradingAccount) -> None:
    archive.archive_account(account_id=account.pk, actor=cast.support, reason="Dormant")
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    archive.restore_account(account_id=account.pk, actor=cast.support, reason="Asked for statements")
    assert Right.SIGN_IN in allowed_there(account) and Right.TRADE not in allowed_there(account)


def test_money_a_missing_reason_and_a_missing_right_stand_against_closing(cast: Cast, account: TradingAccount) -> None:
    with pytest.raises(NotAllowed):
        archive.archive_account(account_id=account.pk, actor=cast.agent, reason="x")
    with pytest.raises(DomainError, match="Enter a reason"):
        archive.archive_account(account_id=account.pk, actor=cast.support, reason=" ")
    TradingAccount.objects.filter(pk=account.pk).update(balance=Decimal("0.01"))
    with pytest.raises(DomainError, match="money or credit"):
        archive.archive_account(account_id=account.pk, actor=cast.support, reason="Dormant")
    assert Right.SIGN_IN in allowed_there(account)


def ask(cast: Cast, account: TradingAccount) -> AccountRequest:
    return requests.ask(account_id=account.pk, kind=RequestKind.PASSWORD, actor=cast.client_user)


def test_a_password_is_set_at_once_where_nothing_stands_against_it(cast: Cast, account: TradingAccount) -> None:
    assert request_rules.against_password(account) == []
    assert accounts.reset_password(account_id=account.pk, actor=cast.client_user, password="Abcdef9!x") == "Abcdef9!x"


def test_after_a_new_mailbox_a_person_looks_and_the_client_sets_it_once(cast: Cast, account: TradingAccount) -> None:
    cast.client.email = "new@example.com"
    cast.client.save()
    account.refresh_from_db()
    assert request_rules.against_password(account) == [HeldBecause.CONTACT]
    with pytest.raises(DomainError, match="Request a new password first: The e-mail address or phone"):
        accounts.reset_password(account_id=account.pk, actor=cast.client_user)
    request = ask(cast, account)
    assert (request.state, request.held_because) == ("waiting", ["contact"])
    requests.grant(request_id=request.pk, actor=cast.support, note="Called back")
    accounts.reset_password(account_id=account.pk, actor=cast.client_user, password="Abcdef9!x")
    request.refresh_from_db()
    assert request.used_at is not None
    with pytest.raises(DomainError, match="Request a new password first"):
        accounts.reset_password(account_id=account.pk, actor=cast.client_user, password="Abcdef9!y")
    with pytest.raises(WrongState, match="changed since"):
        requests.undo(request_id=request.pk, actor=cast.support)


def test_a_type_may_want_a_person_for_every_password_but_the_first(
    cast: Cast, account: TradingAccount, standard: AccountType
) -> None:
    standard.asks_for_passwords = True
    standard.save()
    account.refresh_from_db()
    assert request_rules.against_password(account) == [HeldBecause.TYPE_ASKS]
    request = ask(cast, account)
    requests.grant(request_id=request.pk, actor=cast.support)
    assert requests.undo(request_id=request.pk, actor=cast.support).state == "undone"
    assert request_rules.password_permission(account) is None
    account.opened_at = timezone.now()
    account.save()
    assert request_rules.against_password(account) == []
    assert accounts.reset_password(account_id=account.pk, actor=cast.client_user)


def test_staff_set_passwords_without_a_wish(cast: Cast, account: TradingAccount, standard: AccountType) -> None:
    standard.asks_for_passwords = True
    standard.save()
    assert accounts.reset_password(account_id=account.pk, actor=cast.support)


def test_the_account_page_closes_and_reopens_with_a_reason_and_lists_requests(
    cast: Cast, account: TradingAccount, browse
) -> None:
    requests.ask(account_id=account.pk, kind=RequestKind.LEVERAGE, actor=cast.client_user, leverage=10, reason="Calmer")
    browser = browse(cast.support)
    page = browser.get(f"/trading/accounts/{account.pk}/").content.decode()
    dialog = f"/trading/accounts/{account.pk}/archive/"
    assert f'hx-get="{dialog}"' in page
    assert "Close account" in browser.get(dialog).content.decode()
    assert browser.post(dialog, {"reason": ""}).status_code == 422
    asked = browser.get(f"/trading/accounts/{account.pk}/results/").content.decode()
    assert "1:30 → 1:10" in asked and "/trading/requests/" in asked
    browser.post(f"/trading/accounts/{account.pk}/archive/", {"reason": "Dormant"})
    account.refresh_from_db()
    assert account.state == "archived"
    assert (
        f"/trading/accounts/{account.pk}/restore/" in browser.get(f"/trading/accounts/{account.pk}/").content.decode()
    )
    again = browser.post(dialog, {"reason": "Dormant"})
    assert again.status_code == 422 and "Not possible: this trading account is" in again.content.decode()
    assert "Reopen account" in browser.get(f"/trading/accounts/{account.pk}/restore/").content.decode()
    browser.post(f"/trading/accounts/{account.pk}/restore/", {"reason": "Called"})
    account.refresh_from_db()
    assert account.state == "open"
    assert dialog not in browse(cast.agent).get(f"/trading/accounts/{account.pk}/").content.decode()
    assert browse(cast.agent).get(dialog).status_code == 403


@pytest.mark.parametrize("dialog", ["leverage", "archive", "restore", "attach"])
def test_a_dialog_opened_as_a_page_of_its_own_leads_back_to_the_account(
    cast: Cast, account: TradingAccount, browse, dialog: str
) -> None:
    browser, path = browse(cast.support), f"/trading/accounts/{account.pk}/"
    link = f'<a class="btn" href="{path}">Back</a>'
    assert link in browser.get(f"{path}{dialog}/").content.decode()
    wrong = browser.post(f"{path}{dialog}/", {})
    assert wrong.status_code == 422 and link in wrong.content.decode()
    in_the_page = {"HX-Request": "true", "HX-Request-Type": "partial"}
    assert "Back</a>" not in browser.get(f"{path}{dialog}/", headers=in_the_page).content.decode()


def test_what_stands_against_closing_is_said_before_anybody_writes_a_reason(
    cast: Cast, account: TradingAccount, browse
) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(balance=10)
    page = browse(cast.support).get(f"/trading/accounts/{account.pk}/archive/").content.decode()
    assert str(HeldBecause.MONEY.label) in page and 'name="reason"' not in page and "btn-danger" not in page


def test_an_agent_can_not_close_an_account(cast: Cast, account: TradingAccount, browse) -> None:
    assert browse(cast.agent).post(f"/trading/accounts/{account.pk}/archive/", {"reason": "x"}).status_code == 403


def test_the_room_asks_for_a_password_where_a_person_looks_first(
    cast: Cast, account: TradingAccount, standard: AccountType, browse
) -> None:
    browser, path = browse(cast.client_user), f"/portal/accounts/{account.pk}/"
    before = browser.get(path).content.decode()
    assert 'data-dialog="password"' in before and "ask-password" not in before
    standard.asks_for_passwords = True
    standard.save()
    assert "ask-password" in (page := browser.get(path).content.decode()) and 'data-dialog="password"' not in page
    browser.post(f"{path}ask/password/", {"reason": "Forgot it"})
    request = AccountRequest.objects.get(kind="password")
    requests.grant(request_id=request.pk, actor=cast.support)
    assert 'data-dialog="password"' in browser.get(path).content.decode()
