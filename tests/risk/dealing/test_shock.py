"""A price shock: what it does to floating profit, to the company by book, and whom it takes below a limit. By hand, exact."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.choices import Role
from crm.models import AccessEvent, User
from risk.dealing.models import ClientRouting
from risk.dealing.routing import propose_routing
from risk.dealing.shock import Shock, what_if
from tests.cast import make_staff
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.risk.test_dealing import hold
from trading.models import SymbolInfo

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast):
    """200,000 units long by one client at a price of 1.10, 100,000 short by another, all in EUR."""
    server = make_server()
    make_type(cast.brand, server)
    for name, base in (("DE40", "DE40"), ("FUNDEUR", "FUN")):
        SymbolInfo.objects.create(
            server=server,
            name=name,
            canonical=name,
            contract_size=100_000,
            currency_base=base,
            currency_profit="EUR",
            read_at=timezone.now(),
        )
    figures = {"currency": "EUR", "equity": 20_000, "equity_base": 20_000}
    first = make_account(cast.client, server, login="1", margin=10_000, margin_level=200, **figures)
    second = make_account(cast.other_client, server, login="2", margin=0, **figures)
    hold(first, 1, "DE40", 0, "2.00")
    hold(second, 2, "DE40", 1, "1.00")
    hold(second, 3, "UNKNOWN", 1, "1.00")
    return first, second


@pytest.fixture
def dealer(cast):
    return User.objects.get(pk=cast.finance.pk)


def test_a_fall_of_ten_percent_by_symbol_book_and_account(cast, held, dealer, django_assert_max_num_queries):
    second = make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand)
    asked = propose_routing(
        client_id=cast.client.pk, book="split", passed_percent=75, actor=cast.finance, reason="Large and skilled"
    )
    approvals.approve(ClientRouting, asked.pk, actor=second)
    before = what_if(dealer, cast.brand, Shock(Decimal(0), ("DE40",))).whole
    with django_assert_max_num_queries(6):
        found = what_if(dealer, cast.brand, Shock(Decimal(-10), ("DE40",)))
    # 200,000 × 1.10 × −10 % and +100,000 × 1.10 × 10 %; a quarter of the first is kept, all of the second.
    assert before.change == 0
    assert (found.whole.change, found.whole.net_lots, found.whole.clients) == (-11_000, 1, 2)
    assert found.whole.house == Decimal("5500") - 11_000
    assert {row.name: (row.change, row.house) for row in found.by_book} == {
        "Split between A and B": (-22_000, 5_500),
        "": (11_000, -11_000),
    }
    assert [row.name for row in found.by_symbol] == ["DE40"]
    (hit,) = found.hits
    # 20,000 − 22,000: below zero, and through the stop-out as well.
    assert (hit.login, hit.after, hit.level_after, hit.outcome) == ("1", -2_000, -20, "negative")
    counts = found.counts
    assert (counts.accounts, counts.calls, counts.stops, counts.negative) == (2, 0, 1, 1)
    assert (counts.negative_sum, counts.without_margin) == (-2_000, 1)


@pytest.mark.parametrize(("percent", "outcome"), [("-4", None), ("-5", "call"), ("-7", "stop")])
def test_levels_are_judged_where_the_move_crosses_them(cast, held, dealer, percent, outcome):
    found = what_if(dealer, cast.brand, Shock(Decimal(percent), ("DE40",)))
    assert [hit.outcome for hit in found.hits] == ([outcome] if outcome else [])


def test_a_currency_moves_what_is_quoted_in_it_the_other_way(cast, held, dealer):
    # EUR gains a quarter: what is priced in it falls to 80 %. A symbol without currencies isn't moved by it.
    found = what_if(dealer, cast.brand, Shock(Decimal(25), currency="EUR"))
    assert found.whole.change == Decimal("-22000") and found.whole.not_valued == 0
    unknown = what_if(dealer, cast.brand, Shock(Decimal(25), ("UNKNOWN",)))
    assert (unknown.whole.not_valued, unknown.whole.change) == (1, 0)


def test_the_page_is_for_those_who_see_books_and_counts_their_reach(cast, held, browse):
    browser, address = browse(cast.finance), reverse("risk_shock")
    assert "Choose a move" in browser.get(address).content.decode()
    page = browser.get(address, {"percent": "-10", "symbols": ["DE40"]}).content.decode()
    assert "Negative balance" in page and "No book" in page
    assert "not both" in browser.get(address, {"percent": "5", "symbols": ["DE40"], "currency": "EUR"}).content.decode()
    assert AccessEvent.objects.filter(user=cast.finance, target="risk.price_shock", rows=1).exists()
    assert browse(cast.desk_head).get(address).status_code == 403
