"""Which payment methods a client is offered, and why the others aren’t."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.models import Client
from clients.vocabulary import NOT_HIGH_RISK, VERIFIED
from crm.conditions import all_of
from crm.errors import DomainError
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from wallet.choices.psp import PspKind
from wallet.deposits import method_offers
from wallet.deposits.verbs import _way
from wallet.models import PaymentMethod, Psp
from wallet.psp.base import BaseAdapter
from wallet.psp.values import Method, PayBy

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(cast) -> Client:
    load_rates()
    return cast.client


def lives_in(*codes: str) -> dict:
    return {"field": "country", "is": "in", "value": list(codes)}


def refusal(client, currency="EUR", **fields) -> str:
    return method_offers.judge(client, currency, **fields)[0].refusal


@pytest.mark.parametrize(
    ("method", "person", "words"),
    [
        ({}, {}, ""),
        ({"is_enabled": False}, {}, "disabled"),
        ({"takes_deposits": False}, {}, "support deposits"),
        ({"currencies": ["USD"]}, {}, "EUR isn't supported"),
        ({"condition": all_of(lives_in("AT"))}, {}, "Country is Austria"),
        ({"condition": all_of(lives_in("AT"))}, {"country": ""}, "Country is Austria"),
        ({"condition": all_of(lives_in("DE"))}, {}, ""),
        ({"condition": all_of({"not": lives_in("DE")})}, {}, "not: Country is Germany"),
        ({"condition": all_of({"not": lives_in("DE")})}, {"country": ""}, ""),
        ({"condition": all_of(VERIFIED)}, {}, "KYC level is at least 1"),
        ({"condition": all_of(VERIFIED)}, {"kyc_level": 1}, ""),
        ({"condition": all_of(NOT_HIGH_RISK)}, {"risk_rating": "high"}, "High"),
        ({"condition": all_of(NOT_HIGH_RISK)}, {"risk_rating": "low"}, ""),
        ({"condition": all_of({"field": "shoe_size", "is": "ge", "value": 4})}, {}, "can't be read"),
    ],
)
def test_a_method_decides_by_itself(cast, client, method, person, words):
    psp = make_psp(cast.brand)
    PaymentMethod.objects.filter(psp=psp).update(**method)
    for name, value in person.items():
        setattr(client, name, value)
    found = refusal(client)
    assert (words in found) if words else found == ""


def test_methods_of_another_brand_are_not_even_listed(cast, client):
    make_psp(cast.other_brand, "sydneypay")
    assert method_offers.judge(client, "EUR") == []


def test_limits_are_in_the_brand_s_currency_and_shown_in_the_client_s(cast, client):
    make_psp(cast.brand, deposit_minimum_minor=1_000, deposit_maximum_minor=100_000)
    assert "Below" in refusal(client, amount=Decimal("9.99"))
    assert refusal(client, amount=Decimal(10)) == ""
    assert "Above" in refusal(client, amount=Decimal("1000.01"))
    offer = method_offers.judge(client, "USD")[0]
    assert offer.minimum_minor > 1_000 and refusal(client, "USD", amount=offer.minimum.amount) == ""
    assert refusal(client, "USD", amount=offer.maximum.amount) == ""


def test_the_brand_s_order_counts(cast, client):
    for code, place in (("third", 3), ("first", 1), ("second", 2)):
        make_psp(cast.brand, code, position=place)
    assert [one.method.label for one in method_offers.offered(client, "EUR")] == ["First", "Second", "Third"]


def test_while_a_psp_is_down_the_next_of_its_group_stands_in(cast, client):
    first = make_psp(cast.brand, "first", position=1, fallback_group="cards")
    make_psp(cast.brand, "second", position=2, fallback_group="cards")
    make_psp(cast.brand, "third", position=3, fallback_group="cards")
    assert [one.method.label for one in method_offers.offered(client, "EUR")] == ["First"]
    assert "Fallback for First" in method_offers.judge(client, "EUR")[1].refusal
    Psp.objects.filter(pk=first.pk).update(is_down_until=timezone.now() + dt.timedelta(minutes=5))
    offer = method_offers.offered(client, "EUR")[0]
    assert (offer.method.label, offer.stands_in_for.label) == ("Second", "First")
    assert "isn't responding" in method_offers.judge(client, "EUR")[0].refusal


def test_one_query_however_many_methods(cast, client, django_assert_num_queries):
    for number in range(10):
        make_psp(cast.brand, f"pay{number}")
    with django_assert_num_queries(2):  # the methods, and the unverified client's rule
        method_offers.judge(client, "EUR", amount=Decimal(100))


def test_a_currency_without_a_rate_says_so(cast, client):
    make_psp(cast.brand, currencies=["BTC"])
    assert "no exchange rate" in refusal(client, "BTC", amount=Decimal("0.1"))


def test_the_client_reads_limits_and_outages_but_not_how_they_are_rated(cast, client):
    method = make_psp(cast.brand, condition=all_of(NOT_HIGH_RISK), deposit_minimum_minor=5_000).methods.get()
    with pytest.raises(DomainError, match=r"minimum deposit is €50\.00"):
        method_offers.require_offer(method, client, "EUR", Decimal(1))
    client.risk_rating = "high"
    with pytest.raises(DomainError) as refused:
        method_offers.require_offer(method, client, "EUR", Decimal(100))
    assert "risk" not in refused.value.message


def test_currencies_are_those_that_some_method_takes_from_this_client(cast, client):
    make_psp(cast.brand, "northpay", currencies=["USD", "EUR"])
    make_psp(cast.brand, "tokyopay", currencies=["JPY"], condition=all_of(lives_in("JP")))
    assert method_offers.deposit_currencies(client) == ["EUR", "USD"]


@pytest.mark.parametrize(("code", "taken"), [("fields", "page"), ("page", "page"), ("coins", "coins"), ("gone", None)])
def test_fields_that_need_the_provider_s_script_give_way_to_its_page(code, taken):
    adapter = BaseAdapter.__new__(BaseAdapter)
    adapter.methods = (
        Method("fields", "Card here", PspKind.CARD, pay_by=PayBy.HOSTED_FIELDS),
        Method("coins", "Coins", PspKind.CRYPTO, pay_by=PayBy.CRYPTO_ADDRESS),
        Method("page", "Card there", PspKind.CARD),
    )
    way = _way(adapter, code)
    assert (way.code if way else None) == taken
