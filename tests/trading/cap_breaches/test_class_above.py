"""Accounts that get more on a class of instruments than they may: listed with the rule, asked about once; what can't be told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.errors import NotAllowed
from crm.models import FxRate, Notification
from tests.cast import Cast
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_server, make_type, tell_margins
from tests.trading.sandbox_server import Sandbox
from trading.cap_breaches import breaches
from trading.choices import MarginFormula
from trading.core import issues
from trading.leverage import account_groups, caps
from trading.leverage import margins as class_margins
from trading.models import (
    AccountType,
    LeverageCap,
    PlatformGroup,
    PlatformIssue,
    SymbolInfo,
    TradingAccount,
    TradingServer,
)
from trading.platforms.base import MarginRule
from trading.sync import symbols
from trading.sync.settings import sync_groups

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast) -> AccountType:
    return make_type(cast.brand, make_server(), leverages=[10, 20, 30], default_leverage=30)


@pytest.fixture
def account(cast: Cast, standard: AccountType) -> TradingAccount:
    """A retail client's in Germany, opened with 1:30."""
    return make_account(cast.client, standard.server, account_type=standard)


def found(cast: Cast, **more: Any) -> list[tuple[str, int, str, str, int | None]]:
    account_groups.refresh()
    return [
        (one.sort, one.cap.leverage, one.most, one.symbol, one.fitting)
        for one in breaches.classes_above(cast.mlro, **more)
    ]


def given(standard: AccountType, sort: str) -> class_margins.GroupLeverage:
    place = (standard.server_id, standard.group)
    return class_margins.of_groups([place])[place][sort]


# Who is listed


def test_an_account_opened_before_is_listed_with_class_symbol_rule_and_what_helps(
    cast: Cast, standard: AccountType, account: TradingAccount
) -> None:
    tell_margins(standard, {"EURUSD": "1", "AUDUSD": "1.5", "XAUUSD": "1", "BTCUSD": "1"})
    assert found(cast) == [("crypto", 2, "1:30", "BTCUSD", None), ("gold", 20, "1:30", "XAUUSD", 20)]
    gold = breaches.classes_above(cast.mlro)[1]
    assert gold.account == account and gold.cap.reason == "ESMA: 1:20 for retail clients in Germany since Aug 1, 2018"
    assert gold.cap.line.source and breaches.count_above(cast.mlro) == 1, "one account, whatever it has too much of"
    tell_margins(standard, {"EURUSD": "1", "AUDUSD": "1.5", "XAUUSD": "1.5", "BTCUSD": "15"})
    assert found(cast) == [] and breaches.count_above(cast.mlro) == 0


def test_the_list_and_the_rule_for_one_client_agree(cast: Cast, standard: AccountType, account: TradingAccount) -> None:
    tell_margins(standard, {"EURUSD": "1", "AUDUSD": "1", "XAUUSD": "1.2", "BTCUSD": "3"})
    for country, category, jurisdiction, leverage in (
        ("DE", "retail", "SC", 30),
        ("GB", "retail", "SC", 5),
        ("GB", "retail", "CY", 200),
        ("US", "retail", "AU", 50),
        ("ZA", "retail", "SC", 500),
        ("ZA", "retail", "UK", 30),
        ("JP", "retail", "SC", 26),
        ("DE", "professional", "SC", 400),
    ):
        categorise(cast.client, category)
        cast.client.country = country
        cast.client.save(update_fields=["country"])
        cast.brand.jurisdiction = jurisdiction
        cast.brand.save(update_fields=["jurisdiction"])
        TradingAccount.objects.filter(pk=account.pk).update(leverage=leverage)
        client = TradingAccount.objects.select_related("client__brand").get(pk=account.pk).client
        limits = caps.limits_for(client).by_class
        wrong = sorted(
            (sort, cap.leverage, cap.reason)
            for sort, cap in limits.items()
            if sort in ("fx_major", "fx_minor", "gold", "crypto")
            and (not cap.leverage or not given(standard, sort).fits(leverage, cap.leverage))
        )
        account_groups.refresh()
        listed = [(one.sort, one.cap.leverage, one.cap.reason) for one in breaches.classes_above(cast.mlro)]
        assert listed == wrong, (country, category, jurisdiction)


def test_demo_closed_vanished_and_foreign_accounts_are_not_meant(cast: Cast, standard: AccountType) -> None:
    tell_margins(standard, {"XAUUSD": "1"})
    server = standard.server
    make_account(cast.client, server, is_demo=True)
    make_account(cast.client, server, state="archived")
    make_account(cast.client, server, missing_since=timezone.now(), missing_because="gone")
    make_account(cast.client, server, group="real\\pro-EUR")
    assert found(cast) == []
    make_account(cast.client, server)
    assert len(found(cast)) == 1
    cast.client.book = cast.other_book
    cast.client.save(update_fields=["book"])
    assert breaches.classes_above(cast.mlro) and breaches.count_above(cast.other_agent) == 0, "counted before"
    account_groups.refresh()
    with pytest.raises(NotAllowed):
        breaches.classes_above(cast.agent)
    assert breaches.count_above(cast.agent) == 0 and breaches.count_above(cast.other_agent) == 1


def test_a_line_that_begins_later_finds_its_accounts_before(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    tell_margins(standard, {"EURUSD": "1"})
    day = timezone.now().date() + dt.timedelta(days=30)
    before = LeverageCap.objects.get(authority="ESMA", category="retail", instrument_class="fx_major")
    answer = browse(cast.mlro).post(
        "/trading/leverage-caps/",
        {
            "authority": "ESMA",
            "countries": ", ".join(before.countries),
            "category": "retail",
            "instrument_class": "fx_major",
            "leverage": 25,
            "valid_from": day.isoformat(),
            "source": "Test",
        },
    )
    assert answer.status_code == 302 and answer["Location"].endswith(f"above/?on={day.isoformat()}")
    assert found(cast) == [] and found(cast, on=day) == [("fx_major", 25, "1:30", "EURUSD", 20)]
    page = browse(cast.mlro).get(f"/trading/leverage-caps/above/?on={day.isoformat()}").content.decode()
    assert account.login in page and "1:25 for retail clients" in page


def test_the_page_says_what_a_person_can_do_in_so_many_queries_however_many_accounts(
    cast: Cast, standard: AccountType, account: TradingAccount, browse, django_assert_max_num_queries
) -> None:
    tell_margins(standard, {"XAUUSD": "1", "BTCUSD": "1"})
    for _n in range(30):
        make_account(cast.client, standard.server, account_type=standard)
    account_groups.refresh()
    browser = browse(cast.mlro)
    assert "31 accounts exceed an instrument class cap" in browser.get("/trading/leverage-caps/").content.decode()
    with django_assert_max_num_queries(24):
        page = browser.get("/trading/leverage-caps/above/").content.decode()
    assert (
        "Leverage of 1:20, or another group" in page and "Another group, or different margins on the platform" in page
    )
    assert "ESMA" in page and page.count("XAUUSD") == 62, "each with the margin that it needs"
    assert browse(cast.agent).get("/trading/leverage-caps/above/").status_code == 403


# Questions about the platform


def test_a_question_is_opened_once_and_closes_by_itself(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    tell_margins(standard, {"XAUUSD": "1"})
    make_account(cast.client, standard.server, account_type=standard)
    assert (breaches.watch(), breaches.watch()) == (1, 1)
    [issue] = PlatformIssue.objects.filter(kind="class_cap")
    assert (issue.times, issue.subject, issue.details["groups"]) == (2, "gold", ["real\\standard-EUR"])
    assert Notification.objects.filter(user=cast.administrator, kind="trading.issue").count() == 1
    page = browse(cast.administrator).get("/trading/health/").content.decode()
    assert "Gold: 1:30 on XAUUSD, allowed: 1:20" in page and "/trading/leverage-caps/above/" in page
    tell_margins(standard, {"XAUUSD": "1.5"})
    assert breaches.watch() == 0
    issue.refresh_from_db()
    assert issue.closed_at and issue.closed_by is None and "within their caps again" in issue.resolution


def test_what_a_person_closed_is_asked_again_only_when_it_became_another(
    cast: Cast, standard: AccountType, account: TradingAccount
) -> None:
    tell_margins(standard, {"XAUUSD": "1"})
    breaches.watch()
    issue = PlatformIssue.objects.get(kind="class_cap")
    issues.close_issue(issue_id=issue.pk, actor=cast.administrator, resolution="Accounts move on Monday")
    breaches.watch()
    assert not PlatformIssue.objects.filter(kind="class_cap", closed_at__isnull=True).exists()
    tell_margins(standard, {"XAUUSD": "0.5"})
    breaches.watch()
    assert PlatformIssue.objects.get(closed_at__isnull=True).details["most"] == "1:60"
    tell_margins(standard, {"XAUUSD": "0.25"})
    breaches.watch()
    [now] = PlatformIssue.objects.filter(kind="class_cap", closed_at__isnull=True)
    assert (now.details["cap"], now.details["most"], now.details["symbol"]) == (20, "1:120", "XAUUSD")


# Fixed margins, and what can't be compared


def rated(currency: str, rate: str) -> None:
    FxRate.objects.update_or_create(on=timezone.now().date(), currency=currency, defaults={"rate": Decimal(rate)})


def test_a_fixed_margin_counts_as_what_it_is_of_a_lots_worth(cast: Cast, standard: AccountType) -> None:
    worth = {"lot_value": Decimal(100_000), "lot_currency": "EUR", "currency_margin": "EUR"}
    amount = {"margin_fixed": Decimal(5000), **worth}
    tell_margins(standard, {"EURUSD": "1"}, of_symbols={**amount, "margin_by_leverage": False})
    assert given(standard, "fx_major").at(30) == (Decimal(20), "EURUSD"), "the account's leverage has no part in it"
    tell_margins(standard, {"EURUSD": "1.5"}, of_symbols={**amount, "margin_by_leverage": True})
    assert given(standard, "fx_major").at(30)[0] == 30 / (Decimal("0.05") * Decimal("1.5"))
    rated("USD", "1.25")
    tell_margins(
        standard, {"EURUSD": "1"}, of_symbols={**amount, "margin_by_leverage": False, "currency_margin": "USD"}
    )
    assert given(standard, "fx_major").at(30)[0] == 25, "5,000 dollars are 4,000 euros of 100,000"
    # A future has no other margin; a group has one of its own, or none.
    future = {**amount, "margin_formula": MarginFormula.AMOUNT, "margin_by_leverage": False}
    tell_margins(standard, {"EURUSD": "1"}, (MarginRule("Forex*", fixed=Decimal(2000)),), of_symbols=future)
    assert given(standard, "fx_major").at(30)[0] == 50
    tell_margins(standard, {"EURUSD": "1"}, (MarginRule("Forex*", fixed=Decimal(0)),), of_symbols=future)
    assert given(standard, "fx_major").unclear == (("worth", "EURUSD"),), "no amount: nothing says the margin"
    plain = {**amount, "margin_by_leverage": False}
    tell_margins(standard, {"EURUSD": "0.1"}, (MarginRule("Forex*", fixed=Decimal(0)),), of_symbols=plain)
    assert given(standard, "fx_major").at(30)[0] == 10, "the formula again"


def test_a_fixed_margin_above_a_cap_is_listed_and_named_with_the_type(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    fixed = {
        "margin_fixed": Decimal(100),
        "lot_value": Decimal(18_000),
        "lot_currency": "USD",
        "currency_margin": "USD",
        "margin_formula": MarginFormula.AMOUNT,
        "margin_by_leverage": False,
    }
    tell_margins(standard, {"DE40": "1"}, of_symbols=fixed)
    assert found(cast) == [("index_major", 20, "1:180", "DE40", None)]
    page = browse(cast.administrator).get(f"/trading/types/{standard.pk}/").content.decode()
    assert "1:180" in page and "Above cap" in page


def test_what_can_not_be_compared_is_said_and_takes_no_leverage_away(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    browser, path = browse(cast.administrator), f"/trading/types/{standard.pk}/"
    for of_symbols, of_group, words in (
        ({"margin_fixed": Decimal(50), "lot_value": None}, {}, "value of a lot is unknown"),
        (
            {"margin_fixed": Decimal(50), "lot_value": Decimal(1), "lot_currency": "XXX"},
            {},
            "value of a lot is unknown",
        ),
        ({"margin_formula": MarginFormula.OTHER, "margin_rate": None}, {}, "with its own formula"),
        ({}, {"uses_discounts": True}, "margin is based on discounts"),
        ({}, {"margin_profile": "Dynamic 500"}, "profile “Dynamic 500”"),
    ):
        tell_margins(standard, {"XAUUSD": "1.5"}, of_symbols=of_symbols, **of_group)
        assert found(cast) == [] and caps.ladder_for(cast.client, standard).steps == [10, 20, 30], words
        for page in (browser.get(path), browser.get("/trading/leverage-caps/above/")):
            text = page.content.decode()
            assert "Not comparable" in text and words in text, words
    tell_margins(standard, {"XAUUSD": "1.5"})
    assert "Not comparable" not in browser.get("/trading/leverage-caps/above/").content.decode()


def test_a_server_that_tells_no_margins_is_said_to_tell_none(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    account_groups.refresh()
    [one] = breaches.not_comparable(cast.mlro)
    assert (one.server, one.group, one.accounts) == (standard.server, "", 1) and "been read yet" in one.words
    page = browse(cast.mlro).get("/trading/leverage-caps/above/").content.decode()
    assert "No account exceeds an instrument class cap" in page and "instrument classes can&#x27;t be checked" in page


def test_where_nothing_may_be_offered_what_can_not_be_compared_is_above_all_the_same(
    cast: Cast, standard: AccountType, account: TradingAccount
) -> None:
    cast.client.country = "GB"
    cast.client.save(update_fields=["country"])
    tell_margins(standard, {"BTCUSD": "1"}, uses_discounts=True)
    assert found(cast) == [("crypto", 0, "", "BTCUSD", None)]


# Over the wire


def test_fixed_margins_prices_and_profiles_are_read_from_the_server(
    cast: Cast, server: TradingServer, sandbox: Sandbox
) -> None:
    try:
        sandbox.post("margins", symbol="XAUUSD", initial="10000")
        sandbox.post("margins", symbol="EURUSD", initial="5000")
        sandbox.post("margins", group="real\\pro-EUR", profile="Dynamic 500")
        sync_groups(server)
        symbols.sync_symbols(server)
        group = PlatformGroup.objects.get(server=server, name="real\\pro-EUR")
        assert (group.margin_profile, group.uses_discounts) == ("Dynamic 500", False)
        gold = SymbolInfo.objects.get(server=server, name="XAUUSD")
        [tick] = sandbox_price(sandbox, "XAUUSD")
        assert gold.margin_fixed == 10000 and gold.lot_currency == "USD"
        assert gold.lot_value is not None and abs(gold.lot_value / 100 - tick) < tick / 50
        euro = SymbolInfo.objects.get(server=server, name="EURUSD")
        assert (euro.margin_fixed, euro.lot_value, euro.lot_currency) == (5000, 100_000, "EUR")
        margins = class_margins.of_groups([(server.pk, "real\\standard-EUR")])[server.pk, "real\\standard-EUR"]
        share = margins["gold"].rate
        assert share is not None and abs(share - gold.margin_rate * 10000 / gold.lot_value) < Decimal("0.0001")
    finally:
        sandbox.post("margins", symbol="XAUUSD", initial="0")
        sandbox.post("margins", symbol="EURUSD", initial="0")
        sandbox.post("margins", group="real\\pro-EUR", profile="")


def sandbox_price(sandbox: Sandbox, name: str) -> list[Decimal]:
    with sandbox.client() as client:
        return [Decimal(row["Ask"]) for row in client.read("TICK_LAST", {"SYMBOL": name}).rows()]
