"""What a client's real accounts are worth together: exact sums, the day's result without its flows, the curve carried forward."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.trading.factories import make_account, make_server
from tests.wallet.conftest import load_rates
from trading.accounts.portfolio import portfolio_of
from trading.choices import DealAction
from trading.models import Deal, EquityPoint
from trading.queries import accounts_of

pytestmark = pytest.mark.django_db


def midnight() -> dt.datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def point(account, days_before_today: float, equity: int) -> None:
    at = midnight() - dt.timedelta(days=days_before_today, hours=3)
    EquityPoint.objects.create(account=account, at=at, balance=equity, equity=equity)


def flow(account, ticket: int, amount: int, action: DealAction, at: dt.datetime | None = None) -> None:
    numbers = dict.fromkeys(
        "lots closed_lots contract_size price price_position commission swap fee position_id order_id".split(), 0
    )
    Deal.every.create(
        executed_at=at or midnight() + dt.timedelta(seconds=1),
        server=account.server,
        account=account,
        login=account.login,
        ticket=ticket,
        server_msc=0,
        action=action,
        entry=0,
        profit=amount,
        raw={},
        synced_at=timezone.now(),
        **numbers,
    )


@pytest.fixture
def opened_long_ago():
    return timezone.now() - dt.timedelta(days=200)


@pytest.fixture
def server(db):
    return make_server()


def read(cast, **how):
    return portfolio_of(cast.client, accounts_of(cast.client_user, cast.client.pk), **how)


def test_the_days_result_leaves_out_what_was_paid_in_and_out(cast, server, opened_long_ago):
    account = make_account(cast.client, server, equity=1_650, opened_at=opened_long_ago)
    point(account, 0, 1_000)
    flow(account, 1, 500, DealAction.BALANCE)
    flow(account, 2, 100, DealAction.CREDIT)
    flow(account, 3, -50, DealAction.BONUS)
    flow(account, 4, 80, DealAction.BUY)  # a result, not a flow
    flow(account, 5, 9_000, DealAction.BALANCE, at=midnight() - dt.timedelta(seconds=1))  # yesterday's
    portfolio = read(cast)
    assert portfolio.equity == 1_650 and portfolio.result == 100
    assert portfolio.result_percent == Decimal(100) / 1_550 * 100


def test_demo_accounts_count_nowhere(cast, server, opened_long_ago):
    demo = make_account(cast.client, server, equity=90_000, is_demo=True, opened_at=opened_long_ago)
    point(demo, 0, 90_000)
    portfolio = read(cast)
    assert portfolio.sums == () and portfolio.curve == () and portfolio.result is None


def test_currencies_are_summed_apart_and_converted_together(cast, server, opened_long_ago):
    load_rates()
    make_account(cast.client, server, equity=1_000, opened_at=opened_long_ago)
    make_account(cast.client, server, equity=500, currency="USD", opened_at=opened_long_ago)
    make_account(cast.client, server, equity=7, currency="XXX", opened_at=opened_long_ago)
    portfolio = read(cast)
    assert [(money.currency, money.amount) for money in portfolio.sums] == [("EUR", 1_000), ("USD", 500), ("XXX", 7)]
    assert portfolio.is_converted and not portfolio.is_complete
    assert 1_300 < portfolio.equity < 1_600


def test_the_curve_carries_a_day_without_a_point_forward_and_ends_now(cast, server, opened_long_ago):
    account = make_account(cast.client, server, equity=1_300, opened_at=opened_long_ago)
    gone = make_account(
        cast.client,
        server,
        state="archived",
        opened_at=opened_long_ago,
        archived_at=midnight() - dt.timedelta(days=1, hours=1),
    )
    point(account, 100, 900)  # long before the first day shown
    point(account, 2, 1_100)
    point(gone, 100, 50)
    portfolio = read(cast, days=30)
    assert len(portfolio.curve) == len(portfolio.days) == 31
    assert portfolio.days[-1] == timezone.localtime().date()
    assert portfolio.curve[0] == 950 and portfolio.curve[-1] == 1_300
    assert portfolio.curve[-4:] == (1_150, 1_100, 1_100, 1_300)
    assert len(read(cast, days=90).curve) == 91


def test_an_account_of_today_starts_at_nothing_and_an_unfollowed_one_has_no_result(cast, server, opened_long_ago):
    new = make_account(cast.client, server, equity=210, opened_at=midnight())
    flow(new, 1, 200, DealAction.BALANCE)
    make_account(cast.client, server, equity=5_000, opened_at=opened_long_ago)
    assert read(cast).result == 10


def test_the_queries_do_not_grow_with_the_accounts(cast, server, opened_long_ago, django_assert_max_num_queries):
    load_rates()
    for number in range(12):
        account = make_account(cast.client, server, equity=100, currency="USD", opened_at=opened_long_ago)
        point(account, number, 100)
    owned = accounts_of(cast.client_user, cast.client.pk)
    with django_assert_max_num_queries(3):
        assert portfolio_of(cast.client, owned, days=90).has_curve
