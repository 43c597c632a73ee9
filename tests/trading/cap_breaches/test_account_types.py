"""Account types, and the leverage caps of regulators that come on top of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from clients.models import Client
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from tests.cast import Cast
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_server, make_type, tell_margins
from trading import queries
from trading.accounts import changes as accounts
from trading.accounts import opening
from trading.cap_breaches import account_types, group_checks
from trading.leverage import caps
from trading.models import AccountType, LeverageCap, PlatformGroup, TradingAccount
from trading.platforms.base import MarginRule

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def high(cast: Cast) -> AccountType:
    """A type that offers more than regulators in Europe allow."""
    cast.client.kyc_level = 1
    cast.client.save(update_fields=["kyc_level"])
    return make_type(cast.brand, make_server(), leverages=[10, 30, 100, 500], default_leverage=100)


def living_in(client: Client, country: str, *, jurisdiction: str = "SC", category: str = "retail") -> Client:
    categorise(client, category)
    client.country = country
    client.save(update_fields=["country"])
    client.brand.jurisdiction = jurisdiction
    client.brand.save(update_fields=["jurisdiction"])
    return client


@pytest.mark.parametrize(
    ("country", "jurisdiction", "category", "expected"),
    [
        ("DE", "SC", "retail", "ESMA: 1:30 for retail clients in Germany since Aug 1, 2018"),
        ("GB", "SC", "retail", "FCA: 1:30 for retail clients in United Kingdom since Aug 1, 2019"),
        ("AU", "SC", "retail", "ASIC: 1:30 for retail clients in Australia since Mar 29, 2021"),
        ("ZA", "CY", "retail", "ESMA: 1:30 for retail clients of a broker licensed in Cyprus since Aug 1, 2018"),
        ("ZA", "UK", "retail", "FCA: 1:30 for retail clients of a broker licensed in United Kingdom since Aug 1, 2019"),
        ("ZA", "SC", "retail", None),
        ("DE", "CY", "professional", None),
    ],
)
def test_residence_and_licence_cap_retail_clients(cast: Cast, country, jurisdiction, category, expected) -> None:
    cap = caps.cap_for(living_in(cast.client, country, jurisdiction=jurisdiction, category=category), on=TODAY)
    assert (cap.reason if cap else None) == expected


def test_a_cap_holds_from_its_first_day_to_its_last(cast: Cast) -> None:
    client = living_in(cast.client, "AU")
    assert caps.cap_for(client, on=dt.date(2021, 3, 28)) is None
    assert caps.cap_for(client, on=dt.date(2021, 3, 29)) is not None
    assert caps.cap_for(client, on=dt.date(2027, 5, 23)) is not None
    assert caps.cap_for(client, on=dt.date(2027, 5, 24)) is None
    coins = caps.lines_on(dt.date(2021, 1, 6), category="retail", countries=["GB"])
    assert [line.leverage for line in coins if line.instrument_class == "crypto"] == [0]
    before = caps.lines_on(dt.date(2021, 1, 5), category="retail", countries=["GB"])
    assert [line.leverage for line in before if line.instrument_class == "crypto"] == [2]


def test_the_classes_have_the_caps_of_the_decision() -> None:
    lines = caps.lines_on(TODAY, category="retail", countries=["DE"])
    assert {line.instrument_class: line.leverage for line in lines} == {
        "fx_major": 30,
        "fx_minor": 20,
        "gold": 20,
        "index_major": 20,
        "index_other": 10,
        "commodity": 10,
        "share": 5,
        "crypto": 2,
    }


def test_the_stricter_of_two_authorities_counts(cast: Cast) -> None:
    LeverageCap.objects.create(
        authority="FSA", countries=["SC"], instrument_class="fx_major", leverage=20, valid_from=TODAY, source="s"
    )
    cap = caps.cap_for(living_in(cast.client, "DE", jurisdiction="SC"), on=TODAY)
    assert cap is not None and (cap.line.authority, cap.leverage, cap.is_by_licence) == ("FSA", 20, True)


def test_an_account_opens_with_the_highest_leverage_within_the_cap(cast: Cast, high: AccountType) -> None:
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=high.pk, request_key="w:1", actor=cast.support
    )
    assert account.leverage == 30
    with pytest.raises(DomainError, match="ESMA: 1:30 for retail clients in Germany since Aug 1, 2018"):
        opening.request_account(
            client_id=cast.client.pk, account_type_id=high.pk, request_key="w:2", actor=cast.support, leverage=100
        )
    with pytest.raises(DomainError, match="offer leverage of 1:50"):
        opening.request_account(
            client_id=cast.client.pk, account_type_id=high.pk, request_key="w:3", actor=cast.support, leverage=50
        )


def test_without_a_cap_the_ladder_is_the_types_own(cast: Cast, high: AccountType) -> None:
    living_in(cast.client, "ZA")
    [offer] = queries.offers_for(cast.support, cast.client)
    assert (offer.ladder.steps, offer.ladder.default, offer.ladder.reason) == ([10, 30, 100, 500], 100, "")


def test_a_demo_account_has_no_cap(cast: Cast, high: AccountType) -> None:
    demo = make_type(cast.brand, high.server, name="Demo", is_demo=True, is_default=False, leverages=[100, 500])
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=demo.pk, request_key="w:4", actor=cast.support, leverage=500
    )
    assert account.leverage == 500


def test_a_change_of_leverage_stops_at_the_cap_before_the_platform_is_asked(cast: Cast, high: AccountType) -> None:
    account = make_account(cast.client, high.server, account_type=high)
    with pytest.raises(DomainError, match="ESMA"):
        accounts.change_leverage(account_id=account.pk, leverage=500, actor=cast.support)


def test_where_every_leverage_is_above_the_cap_nothing_is_offered_and_the_reason_is_said(cast: Cast, high) -> None:
    high.leverages, high.default_leverage = [100, 500], 100
    high.save()
    [offer] = queries.offers_for(cast.support, cast.client)
    assert not offer.decision and "ESMA: 1:30" in offer.decision.reason


def test_a_type_is_offered_only_in_its_countries(cast: Cast, high: AccountType) -> None:
    high.countries = ["AT"]
    high.save()
    [offer] = queries.offers_for(cast.support, cast.client)
    assert "isn't offered in Germany" in offer.decision.reason
    high.countries, high.excluded_countries = [], ["DE"]
    high.save()
    with pytest.raises(NotAllowed, match="isn't offered in Germany"):
        opening.request_account(
            client_id=cast.client.pk, account_type_id=high.pk, request_key="w:5", actor=cast.support
        )


def test_the_client_reads_the_cap_in_their_language(cast: Cast, high: AccountType, browse) -> None:
    with translation.override("de"):
        cap = caps.cap_for(cast.client)
        assert cap is not None
        assert cap.reason == "ESMA: 1:30 für Privatkunden in Deutschland seit 01.08.2018"
    page = browse(cast.client_user).get(f"/portal/accounts/open/?type={high.pk}", headers={"accept-language": "en"})
    text = page.content.decode()
    assert "1:30" in text and "1:100" not in text and "ESMA" in text


def form(high: AccountType, **more: object) -> dict[str, object]:
    return {
        "brand": high.brand_id,
        "name": "Cent",
        "kind": "cent",
        "server": high.server_id,
        "group": "real\\cent-USC",
        "currency": "usc",
        "leverages": "30, 10, 30",
        "default_leverage": 30,
        "min_deposit": "10",
        "kyc_level": 1,
        "countries": "de, at",
        "excluded_countries": "",
        "position": 3,
        "is_enabled": "on",
        **more,
    }


def test_an_administrator_adds_and_changes_a_type(cast: Cast, high: AccountType, browse) -> None:
    browser = browse(cast.administrator)
    assert browser.post("/trading/types/new/", form(high)).status_code == 302
    made = AccountType.objects.get(name="Cent")
    assert (made.currency, made.leverages, made.countries, made.is_demo) == ("USC", [10, 30], ["AT", "DE"], False)
    browser.post(f"/trading/types/{made.pk}/", form(high, name="Cent", currency="USC", is_default="on"))
    made.refresh_from_db()
    high.refresh_from_db()
    assert made.is_default and not high.is_default
    actions = AuditEvent.objects.filter(action__startswith="trading.account_type").values_list("action", flat=True)
    assert set(actions) == {"trading.account_type_added", "trading.account_type_changed"}
    assert "real\\cent-USC" in browser.get("/trading/types/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"leverages": "10, 900"}, "900"),
        ({"countries": "DE, QQ"}, "Unknown country code: QQ"),
        ({"countries": "DE", "excluded_countries": "DE"}, "included and excluded"),
        ({"name": "Standard", "currency": "EUR"}, "already has an account type with this name"),
        ({"is_default": "on", "kind": "demo"}, "be a demo type"),
    ],
)
def test_a_type_that_can_not_be_is_refused_and_what_was_typed_stays(cast: Cast, high, browse, wrong, words) -> None:
    page = browse(cast.administrator).post("/trading/types/new/", form(high, **wrong))
    assert page.status_code == 422 and words in page.content.decode() and "real\\cent-USC" in page.content.decode()
    assert AccountType.objects.count() == 1


def test_a_type_of_another_brand_is_out_of_reach(cast: Cast, high: AccountType, browse) -> None:
    theirs = make_type(cast.other_brand, high.server)
    assert browse(cast.administrator).get(f"/trading/types/{theirs.pk}/").status_code == 404
    with pytest.raises(NotAllowed):
        account_types.change_type(type_id=theirs.pk, actor=cast.administrator, name="Mine")


def test_a_new_line_ends_the_one_before_and_holds_from_its_day(cast: Cast, browse) -> None:
    line = {
        "authority": "ESMA",
        "countries": "DE",
        "category": "retail",
        "instrument_class": "fx_major",
        "leverage": 25,
        "valid_from": "2026-12-01",
        "source": "A decision to come",
    }
    assert browse(cast.administrator).post("/trading/leverage-caps/", line).status_code == 403
    browser = browse(cast.mlro)
    before = LeverageCap.objects.get(authority="ESMA", category="retail", instrument_class="fx_major")
    narrower = browser.post("/trading/leverage-caps/", line)
    assert narrower.status_code == 422 and "also applies in AT, BE" in narrower.content.decode()
    before.refresh_from_db()
    assert before.valid_until is None, "nobody lost a cap"
    line["countries"] = ", ".join(before.countries)
    assert browser.post("/trading/leverage-caps/", line).status_code == 302
    client = living_in(cast.client, "DE")
    assert [caps.cap_for(client, on=dt.date(2026, day[0], day[1])).leverage for day in ((11, 30), (12, 1))] == [30, 25]
    assert AuditEvent.objects.filter(action="trading.leverage_cap_added").exists()
    again = browser.post("/trading/leverage-caps/", line)
    assert again.status_code == 422 and "starts on the same day" in again.content.decode()
    assert "A decision to come" in browser.get("/trading/leverage-caps/").content.decode()


def test_the_setup_pages_take_the_same_queries_however_much_there_is(
    cast: Cast, high: AccountType, browse, django_assert_max_num_queries
) -> None:
    browser = browse(cast.administrator)
    pins = {"/trading/types/": 13, "/trading/leverage-caps/": 13}
    for number in range(12):
        make_type(cast.brand, high.server, name=f"T{number}", is_default=False)
    for path, pin in pins.items():
        browser.get(path)
        with django_assert_max_num_queries(pin):
            assert browser.get(path).status_code == 200
    assert TradingAccount.objects.count() == 0


def test_a_group_that_is_not_on_the_server_is_refused_with_those_that_are(cast: Cast, server, browse) -> None:
    browser, one = browse(cast.administrator), make_type(cast.brand, server)
    values = {
        "brand": cast.brand.pk,
        "name": "Standard",
        "kind": "retail",
        "server": server.pk,
        "currency": "EUR",
        "leverages": "10,30",
        "default_leverage": 30,
        "min_deposit": "0",
        "kyc_level": 1,
        "position": 0,
        "is_enabled": "on",
    }
    path = f"/trading/types/{one.pk}/"
    wrong = browser.post(path, {**values, "group": "real\\typo-EUR"})
    assert wrong.status_code == 422 and "real\\standard-EUR" in wrong.content.decode()
    assert browser.post(path, {**values, "group": "real\\pro-USD"}).status_code == 422
    assert browser.post(path, {**values, "group": "real\\pro-EUR", "asks_for_passwords": "on"}).status_code == 302
    one.refresh_from_db()
    assert (one.group, one.asks_for_passwords) == ("real\\pro-EUR", True)


def test_a_type_whose_group_went_away_is_named_in_health(cast: Cast, browse) -> None:
    server = make_server()
    one = make_type(cast.brand, server, group="real\\old-EUR")
    browser = browse(cast.administrator)
    assert "Account types to review" not in browser.get("/trading/health/").content.decode()
    PlatformGroup.objects.create(server=server, name="real\\standard-EUR", currency="EUR", read_at=timezone.now())
    page = browser.get("/trading/health/").content.decode()
    assert "Account types to review" in page and "no group real\\old-EUR" in page
    assert "Not on server" in browser.get("/trading/types/").content.decode()
    one.is_enabled = False
    one.save()
    assert "Account types to review" not in browser.get("/trading/health/").content.decode()


# Classes of instruments


def test_a_class_that_would_get_more_than_its_cap_takes_leverages_away(cast: Cast, high: AccountType) -> None:
    high.leverages, high.default_leverage = [10, 20, 30, 100], 30
    high.save()
    tell_margins(high, {"EURUSD": "1", "AUDUSD": "1.5", "XAUUSD": "1"})
    ladder = caps.ladder_for(cast.client, high)
    assert (ladder.steps, ladder.default) == ([10, 20], 20), (
        "gold 1:20 at most, and the group gives what the account has"
    )
    assert ladder.reason == (
        "ESMA: 1:20 for retail clients in Germany since Aug 1, 2018 on gold; leverage of 1:30 would allow 1:30 on XAUUSD"
    )
    with pytest.raises(DomainError, match="on gold"):
        opening.request_account(
            client_id=cast.client.pk, account_type_id=high.pk, request_key="c:1", actor=cast.support, leverage=30
        )
    [offer] = queries.offers_for(cast.support, cast.client)
    assert offer.ladder == ladder
    # The group's own rate for a folder of symbols, and what is not traded in it.
    tell_margins(
        high, {"EURUSD": "1", "AUDUSD": "1.5", "XAUUSD": "1"}, (MarginRule("*"), MarginRule("Metals*", Decimal("1.5")))
    )
    assert caps.ladder_for(cast.client, high).steps == [10, 20, 30]
    tell_margins(high, {"EURUSD": "1", "XAUUSD": "1"}, (MarginRule("Metals*", is_traded=False),))
    assert caps.ladder_for(cast.client, high).steps == [10, 20, 30]
    assert caps.ladder_for(living_in(cast.client, "ZA"), high).steps == [10, 20, 30, 100], "nobody caps them"


def test_what_no_leverage_heals_is_said_with_the_type_and_in_health(cast: Cast, high: AccountType, browse) -> None:
    tell_margins(high, {"EURUSD": "1", "BTCUSD": "15"})
    [problem] = group_checks.margin_problems(cast.administrator)
    assert problem.words == "FCA: crypto-assets may not be offered, but the group trades BTCUSD"
    high.excluded_countries = ["GB"]
    high.leverages, high.default_leverage = [10, 30], 30
    high.save()
    assert group_checks.margin_problems(cast.administrator) == []
    tell_margins(high, {"EURUSD": "1", "BTCUSD": "1"})
    assert [one.words for one in group_checks.margin_problems(cast.administrator)] == [
        "ASIC: 1:2 on crypto-assets, but the group allows 1:30 on BTCUSD"
    ]
    browser = browse(cast.administrator)
    assert "1:30 on BTCUSD" in browser.get("/trading/types/").content.decode()
    assert "1:30 on BTCUSD" in browser.get("/trading/health/").content.decode()
    page = browser.get(f"/trading/types/{high.pk}/").content.decode()
    assert "Retail leverage by instrument class" in page and "Above cap" in page and "Not traded" in page
