"""Trading's pages: what they show, who may open them, and how many queries they take."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import RequestFactory
from django.utils import timezone

from crm.models import AccessEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.made_up import made_up
from tests.trading.sandbox_server import Sandbox
from trading.accounts.views.accounts import trading_tab
from trading.models import (
    BalanceOperation,
    EquityPoint,
    PlatformIssue,
    Position,
    SyncCursor,
    TradingAccount,
    TradingServer,
)
from trading.sync import deals

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast: Cast) -> TradingAccount:
    """An account with a life: deals, a position, equity points, an operation. No platform behind it."""
    server = make_server()
    account = make_account(
        cast.client,
        server,
        login="700123",
        account_type=make_type(cast.brand, server),
        balance=Decimal("1234.56"),
        equity=Decimal("1200.00"),
        equity_base=Decimal("1200.00"),
        floating=Decimal("-34.56"),
        margin=Decimal("100"),
        margin_level=Decimal("1200"),
        synced_at=timezone.now(),
    )
    fill(account)
    return account


def fill(account: TradingAccount, first: int = 1, count: int = 30) -> None:
    now = timezone.now()
    deals.take_in(
        account.server,
        [
            made_up(number, login=account.login, profit=Decimal("-1.50"), entry=number % 2, executed_at=now)
            for number in range(first, first + count)
        ],
    )
    Position.objects.create(
        server=account.server,
        ticket=first,
        account=account,
        symbol="XAUUSD",
        action=1,
        lots=Decimal("0.25"),
        contract_size=100,
        price_open=Decimal("2350.10"),
        price_current=Decimal("2351.00"),
        profit=Decimal("-21.00"),
        swap=0,
        opened_at=now,
        server_msc=0,
        synced_at=now,
    )
    for days in range(5):
        EquityPoint.objects.create(
            account=account, at=now - timezone.timedelta(days=days), balance=1000, equity=900 + days
        )
    BalanceOperation.objects.create(
        account=account,
        server=account.server,
        kind="deposit",
        amount=500,
        currency="EUR",
        reference=f"D:X{first}",
        idempotency_key=f"k{first}",
        state="confirmed",
        ticket=first,
        sent_at=now,
        settled_at=now,
    )


def fetched_by(page: str) -> str:
    """Where an account page gets its second part."""
    return re.search(r'hx-get="(/trading/accounts/\d+/results/\?look=[^"]+)"', page)[1]  # type: ignore[index]


def test_the_account_page_shows_what_the_account_is_worth(cast: Cast, account: TradingAccount, browse) -> None:
    page = browse(cast.agent).get(f"/trading/accounts/{account.pk}/")
    text = page.content.decode()
    assert page.status_code == 200
    for shown in ("700123", "1,234.56", "1,200.00", "XAUUSD", "real\\standard-EUR"):
        assert shown in text
    rest = browse(cast.agent).get(fetched_by(text)).content.decode()
    for shown in ("D:X", "Days with trades", "EURUSD", "Drawdown"):
        assert shown in rest
    look = AccessEvent.objects.get(client_id=cast.client.pk, target=f"trading.account:{account.pk}")
    assert (look.user_id, look.in_book) == (cast.agent.pk, True)


def test_what_the_page_fetches_is_its_look_and_what_is_fetched_alone_is_noted(
    cast: Cast, account: TradingAccount, browse
) -> None:
    looks = AccessEvent.objects.filter(client_id=cast.client.pk, target=f"trading.account:{account.pk}")
    page = browse(cast.agent).get(f"/trading/accounts/{account.pk}/").content.decode()
    address = fetched_by(page)
    assert browse(cast.agent).get(address).status_code == 200
    assert looks.count() == 1
    browse(cast.finance).get(address)  # somebody else's mark
    browse(cast.agent).get(f"/trading/accounts/{account.pk}/results/")
    assert list(looks.order_by("pk").values_list("user_id", flat=True)) == [
        cast.agent.pk,
        cast.finance.pk,
        cast.agent.pk,
    ]


def test_the_deals_of_an_account_are_a_table_of_its_own(cast: Cast, account: TradingAccount, browse) -> None:
    fill(account, first=1000, count=60)
    page = browse(cast.agent).get(f"/trading/accounts/{account.pk}/deals/", headers={"HX-Request": "true"})
    assert page.content.decode().count("EURUSD") == 50
    assert "cursor=" in page.content.decode()


@pytest.mark.parametrize("path", ["", "results/", "deals/"])
def test_an_account_out_of_reach_does_not_exist(cast: Cast, account: TradingAccount, browse, path: str) -> None:
    assert browse(cast.other_agent).get(f"/trading/accounts/{account.pk}/{path}").status_code == 404
    assert browse(cast.client_user).get(f"/trading/accounts/{account.pk}/{path}").status_code in (302, 404)
    assert browse(None).get(f"/trading/accounts/{account.pk}/{path}").status_code == 302


def test_lists_show_only_what_one_reaches(cast: Cast, account: TradingAccount, browse) -> None:
    theirs = make_account(cast.other_client, account.server, login="700999")
    fill(theirs, first=5000, count=3)
    for path in ("/trading/accounts/", "/trading/deals/"):
        mine = browse(cast.agent).get(path).content.decode()
        assert "700123" in mine and "700999" not in mine
        everything = browse(cast.finance).get(path).content.decode()
        assert "700123" in everything and "700999" in everything


def test_accounts_are_found_by_login_and_by_name(cast: Cast, account: TradingAccount, browse) -> None:
    browser = browse(cast.finance)
    assert "700123" in browser.get("/trading/accounts/?q=700123").content.decode()
    assert "700123" in browser.get("/trading/accounts/?q=weber").content.decode()
    assert "700123" not in browser.get("/trading/accounts/?q=nobody").content.decode()
    assert "700123" in browser.get("/trading/deals/?symbol=eurusd").content.decode()


def test_pages_take_the_same_queries_however_much_there_is(
    cast: Cast, account: TradingAccount, browse, django_assert_max_num_queries
) -> None:
    pins = {
        f"/trading/accounts/{account.pk}/": 20,
        f"/trading/accounts/{account.pk}/results/": 12,
        "/trading/accounts/": 14,
        "/trading/deals/": 15,
        "/trading/health/": 18,
        "/trading/exposure/": 12,
    }
    browser = browse(cast.finance)
    for path in pins:
        browser.get(path)  # the first visit fills caches
    for path, pin in pins.items():
        with django_assert_max_num_queries(pin):
            assert browser.get(path).status_code == 200, path
    for number in range(8):
        fill(make_account(cast.client, account.server, login=f"71{number:04}"), first=10_000 * (number + 1), count=20)
    for path, pin in pins.items():
        with django_assert_max_num_queries(pin):
            browser.get(path)


def tab(user, client, query: str = "") -> str:
    request = RequestFactory().get(f"/clients/{client.pk}/?tab=trading{query}")
    request.user = user
    return trading_tab(request, client).content.decode()


def test_the_clients_tab_shows_accounts_positions_and_deals(
    cast: Cast, account: TradingAccount, django_assert_max_num_queries
) -> None:
    tab(cast.agent, cast.client)
    with django_assert_max_num_queries(12):
        text = tab(cast.agent, cast.client)
    for shown in ("700123", "XAUUSD", "1,200.00", "D:X"):
        assert shown in text
    assert "No trading account yet" in tab(cast.agent, cast.other_client)


def test_staff_open_an_account_through_the_page(cast: Cast, account: TradingAccount, browse) -> None:
    cast.client.kyc_level = 1
    cast.client.save(update_fields=["kyc_level"])
    browser = browse(cast.support)
    page = browser.get(f"/trading/open/{cast.client.pk}/")
    assert page.status_code == 200
    type_id = account.account_type_id
    answer = browser.post(
        f"/trading/open/{cast.client.pk}/", {"account_type": type_id, "leverage": 10, "key": "page:1"}
    )
    assert answer.status_code == 302
    again = browser.post(f"/trading/open/{cast.client.pk}/", {"account_type": type_id, "leverage": 10, "key": "page:1"})
    assert again.status_code == 302
    assert TradingAccount.objects.get(request_key="page:1").leverage == 10
    wrong = browser.post(f"/trading/open/{cast.client.pk}/", {"account_type": 99999})
    assert wrong.status_code == 422
    assert browse(cast.agent).get(f"/trading/open/{cast.client.pk}/").status_code == 403


def test_an_unverified_client_is_told_why_nothing_can_be_opened(cast: Cast, account: TradingAccount, browse) -> None:
    page = browse(cast.support).get(f"/trading/open/{cast.client.pk}/").content.decode()
    assert "verified first" in page


def test_a_new_password_is_shown_once(cast: Cast, server: TradingServer, sandbox: Sandbox, browse) -> None:
    account = make_account(cast.client, server, login=sandbox.new_account())
    answer = browse(cast.support).post(f"/trading/accounts/{account.pk}/password/")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Shown only once" in answer.content.decode()


def test_leverage_is_changed_from_the_page(cast: Cast, server: TradingServer, sandbox: Sandbox, browse) -> None:
    account = make_account(cast.client, server, login=sandbox.new_account(), account_type=make_type(cast.brand, server))
    browse(cast.support).post(f"/trading/accounts/{account.pk}/leverage/", {"leverage": 10})
    account.refresh_from_db()
    assert account.leverage == 10
    path = f"/trading/accounts/{account.pk}/leverage/"
    assert "1:10" in browse(cast.support).get(path).content.decode()
    refused = browse(cast.support).post(path, {"leverage": 333})
    assert refused.status_code == 422 and "333 is not one of the available choices" in refused.content.decode()
    account.refresh_from_db()
    assert account.leverage == 10


# -- platform health --------------------------------------------------------------------------------------------------


def test_the_health_page_shows_lag_trouble_and_questions(cast: Cast, account: TradingAccount, browse) -> None:
    SyncCursor.objects.update_or_create(
        server=account.server,
        kind="deals",
        defaults={
            "read_at": timezone.now(),
            "lag_ms": 740,
            "failures": 3,
            "error": "can't reach it",
            "error_at": timezone.now(),
        },
    )
    issue = PlatformIssue.objects.create(
        server=account.server, kind="unmapped_symbol", subject="WEIRD.x", last_at=timezone.now()
    )
    browser = browse(cast.finance)
    text = browser.get("/trading/health/").content.decode()
    for shown in ("740 ms", "can&#x27;t reach it", "WEIRD.x", "Problem"):
        assert shown in text
    browser.post(f"/trading/issues/{issue.pk}/close/", {"resolution": ""})
    issue.refresh_from_db()
    assert issue.closed_at is None
    browser.post(f"/trading/issues/{issue.pk}/close/", {"resolution": "Alias added"})
    issue.refresh_from_db()
    assert (issue.closed_by, issue.resolution) == (cast.finance, "Alias added")
    assert browse(cast.agent).get("/trading/health/").status_code == 403


def test_an_unknown_operation_waits_while_its_platform_is_away(cast: Cast, account: TradingAccount, browse) -> None:
    operation = BalanceOperation.objects.create(
        account=account,
        server=account.server,
        kind="deposit",
        amount=100,
        currency="EUR",
        reference="D:UNKNOWN",
        idempotency_key="u1",
        state="unknown",
        sent_at=timezone.now(),
        checks=8,
    )
    browser = browse(cast.finance)
    assert "D:UNKNOWN" in browser.get("/trading/health/").content.decode()
    path = f"/trading/operations/{operation.pk}/"
    assert browser.post(path, {"ticket": "", "reason": ""}).status_code == 422
    away = browser.post(path, {"ticket": "888", "reason": "found it"})
    assert away.status_code == 422 and "reached right now, so nothing was decided" in away.content.decode()
    operation.refresh_from_db()
    assert (operation.state, operation.ticket) == ("unknown", None)
    assert browse(cast.agent).get(path).status_code == 403


def test_exposure_adds_up_long_and_short(cast: Cast, account: TradingAccount, browse) -> None:
    Position.objects.create(
        server=account.server,
        ticket=77,
        account=account,
        symbol="XAUUSD",
        action=0,
        lots=Decimal("1.00"),
        contract_size=100,
        price_open=1,
        price_current=1,
        profit=10,
        swap=0,
        opened_at=timezone.now(),
        server_msc=0,
        synced_at=timezone.now(),
    )
    text = browse(cast.finance).get("/trading/exposure/").content.decode()
    assert "XAUUSD" in text and "0.75" in text


def test_health_without_a_server_leads_whoever_may_to_connecting_one(cast: Cast, browse) -> None:
    page = browse(cast.administrator).get("/trading/health/").content.decode()
    assert "No trading server connected" in page and 'href="/trading/servers/new/"' in page
    page = browse(cast.auditor).get("/trading/health/").content.decode()
    assert "No trading server connected" in page and "/trading/servers/new/" not in page


def test_a_deal_of_money_shows_an_amount_and_nothing_of_trading(cast: Cast, account: TradingAccount, browse) -> None:
    deal = made_up(
        4711, login=account.login, action=2, symbol="", lots=Decimal(0), profit=Decimal("250.00"), position_id=0
    )
    deals.take_in(account.server, [deal])
    page = browse(cast.support).get(f"/trading/deals/{account.server_id}/4711/").content.decode()
    assert "Amount" in page and "250.00" in page
    assert "Contract size" not in page and "<dt>Lots</dt>" not in page and "<dt>Price</dt>" not in page


def test_who_only_looks_at_platforms_closes_no_question(cast: Cast, account: TradingAccount, browse) -> None:
    issue = PlatformIssue.objects.create(
        server=account.server, kind="unmapped_symbol", subject="WEIRD.y", last_at=timezone.now()
    )
    browser = browse(cast.auditor)
    page = browser.get("/trading/health/").content.decode()
    assert "WEIRD.y" in page and f"/issues/{issue.pk}/close/" not in page
    assert browser.post(f"/trading/issues/{issue.pk}/close/", {"resolution": "Mine"}).status_code == 403
    issue.refresh_from_db()
    assert issue.closed_at is None
