"""Each measure at its limits: what just holds, what just doesn't, and that another client's money doesn't count."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from clients.declared.choices import DeclaredFact
from clients.declared.declaring import Declared, declare
from clients.identifiers import IdentifierKind, learn
from clients.models import Client, SignInCountry
from compliance.aml import stream
from compliance.aml.models import AmlAlert, AmlEvidence, AmlMonth, AmlMovement
from compliance.aml.running import raised_by, raised_in, run_pending
from compliance.models import CountryRisk
from tests.compliance.aml.factories import START, at, draft, live, moved, movement

pytestmark = pytest.mark.django_db


def clients_of(version, days=400):
    return [(entry.client_id, entry.at) for entry in raised_in(version, START, at(days))]


def test_structuring_counts_deposits_just_below_the_limit(cast):
    version = draft(cast.brand, "structuring", 3, parameters={"limit": 2000, "from_percent": 80})
    for hours, amount in enumerate((1600, 1599.99, 2000, 1999.99)):
        moved(cast.client, "deposit", amount, at(hours=hours))
    moved(cast.other_client, "deposit", 1700, at(hours=5))
    assert clients_of(version) == []
    last = moved(cast.client, "deposit", 1700, at(days=7))  # exactly the window after the first
    assert clients_of(version) == [(cast.client.pk, last.at)]
    moved(cast.other_client, "deposit", 1700, at(days=1))
    moved(cast.other_client, "deposit", 1700, at(days=8, hours=5))  # out of the first one's window
    assert len(clients_of(version)) == 1


def test_in_and_out_asks_what_was_traded_and_what_came_back(cast):
    version = draft(cast.brand, "in_and_out", 80, days=3)
    moved(cast.client, "deposit", 1000, at())
    moved(cast.client, "withdrawal", 799, at(days=1))
    assert clients_of(version) == []
    moved(cast.client, "withdrawal_back", 799, at(days=1, hours=1))
    moved(cast.client, "withdrawal", 799, at(days=1, hours=2), is_return=True)
    moved(cast.client, "withdrawal", 799, at(days=1, hours=3))
    assert clients_of(version) == []
    held = moved(cast.client, "withdrawal", 1, at(days=2))
    assert clients_of(version) == [(cast.client.pk, held.at)]
    stream.record_trading([(cast.client.pk, at(days=1).date(), 5, Decimal("0.1"))])
    assert clients_of(version) == []
    stream.record_trading([(cast.client.pk, at(days=1).date(), 4, Decimal("0.09"))])
    assert len(clients_of(version)) == 1
    through = draft(cast.brand, "pass_through", 80, days=3)
    assert len(clients_of(through)) == 1


def signed_in(client, country, when):
    SignInCountry.objects.create(client=client, country=country, day=when.date(), first_at=when)


def test_a_sign_in_from_a_listed_country_counts_for_the_days_after_it(cast):
    CountryRisk.objects.create(country="IR", level="black", valid=DateRange(at(1).date(), None), source="FATF")
    version = draft(cast.brand, "sign_in_country", 1000, days=7, parameters={"levels": ["black"], "days": 3})
    signed_in(cast.client, "IR", at(days=0))  # before it was listed
    signed_in(cast.client, "DE", at(days=1, hours=1))
    signed_in(cast.other_client, "IR", at(days=2))
    moved(cast.client, "deposit", 5000, at(days=2))
    assert clients_of(version) == []
    signed_in(cast.client, "IR", at(days=5, hours=1))
    moved(cast.client, "deposit", 5000, at(days=5))  # an hour too early
    moved(cast.client, "deposit", 999, at(days=6))
    assert clients_of(version) == []
    found = moved(cast.client, "withdrawal", 1, at(days=8, hours=1))
    moved(cast.client, "deposit", 5000, at(days=8, hours=2))  # an hour too late
    assert clients_of(version) == [(cast.client.pk, found.at)]


def test_countries_of_sign_in_are_counted_once_each_within_the_window(cast):
    version = draft(cast.brand, "sign_in_countries", 3, days=3)
    for country, days, hours in (("DE", 0, 0), ("DE", 1, 0), ("FR", 1, 0), ("US", 3, 1)):
        signed_in(cast.client, country, at(days=days, hours=hours))
    signed_in(cast.other_client, "BR", at(days=2))
    moved(cast.client, "deposit", 10, at(days=3))
    assert clients_of(version) == []
    found = moved(cast.client, "deposit", 10, at(days=3, hours=1))
    moved(cast.client, "deposit", 10, at(days=4, hours=1))  # France a minute too long ago, Germany too
    assert [entry.value for entry in raised_in(version, START, at(5))] == [3]
    assert clients_of(version)[0] == (cast.client.pk, found.at)


def test_declared_means_are_those_that_held_when_money_moved(cast):
    most = {"least": 1000, "against": ["yearly_income", "net_worth"]}
    version = draft(cast.brand, "declared_means", 150, days=365, repeat=1, parameters=most)
    fallback = draft(cast.brand, "declared_means", 150, days=365, repeat=1, parameters={**most, "otherwise": 2000})

    def declares(day, **amounts):
        given = {DeclaredFact(fact): Declared(Decimal(amount)) for fact, amount in amounts.items()}
        declare(client_id=cast.client.pk, source="test", given=given, at=at(days=day))

    declares(1, yearly_income=4000, net_worth=1000)
    declares(9, expected_deposits=10)  # not compared with
    moved(cast.other_client, "deposit", 3000, at())  # declared nothing
    moved(cast.client, "deposit", 2999, at())
    moved(cast.client, "deposit", 3000, at(days=10))
    assert clients_of(version) == []
    held = moved(cast.client, "deposit", 1, at(days=11))
    declares(20, yearly_income=10**12, net_worth=0)
    moved(cast.client, "deposit", 500_000, at(days=21))  # no upper limit
    declares(30, yearly_income=0, net_worth=0)
    last = moved(cast.client, "deposit", 1, at(days=366))  # the first one is out of the window
    assert clients_of(version) == [(cast.client.pk, held.at), (cast.client.pk, last.at)]
    assert [entry.value for entry in raised_in(version, START, at(400))] == [Decimal(150), Decimal(50300200)]
    assert sorted(clients_of(fallback))[:1] == sorted([(cast.client.pk, held.at), (cast.other_client.pk, at())])[:1]
    assert (cast.other_client.pk, at()) in clients_of(fallback)


def test_method_mismatch_is_a_method_never_deposited_with(cast):
    version = draft(cast.brand, "method_mismatch", 500)
    moved(cast.client, "withdrawal", 600, at(), method="crypto")  # nothing was deposited yet
    moved(cast.client, "deposit", 600, at(days=1))
    moved(cast.client, "withdrawal", 600, at(days=2))
    moved(cast.client, "withdrawal", 499, at(days=20), method="crypto")
    assert clients_of(version) == []
    moved(cast.client, "withdrawal", 1, at(days=21), method="crypto")
    assert len(clients_of(version)) == 1


def test_counts_of_payers_chargebacks_cards_and_round_sums(cast):
    payer = draft(cast.brand, "third_party", 1)
    cards = draft(cast.brand, "many_instruments", 3)
    round_sums = draft(cast.brand, "round_amounts", 2)
    chargebacks = draft(cast.brand, "chargebacks", 2)
    often, much = draft(cast.brand, "velocity_count", 3), draft(cast.brand, "velocity_sum", 3000)
    for number, mark in enumerate(("a", "b", "b")):
        moved(cast.client, "deposit", 999, at(days=number), instrument_mark=mark)
    moved(cast.client, "chargeback", 999, at(days=1))
    assert [clients_of(version) for version in (payer, cards, round_sums, chargebacks, much)] == [[]] * 5
    assert len(clients_of(often)) == 1
    last = moved(cast.client, "deposit", 1000, at(days=3), instrument_mark="c", is_third_party=True)
    assert clients_of(payer) == clients_of(cards) == clients_of(much) == [(cast.client.pk, last.at)]
    moved(cast.client, "deposit", 2000, at(days=4), method="bank", instrument_mark="d")
    moved(cast.client, "chargeback", 999, at(days=8))
    assert len(clients_of(round_sums)) == len(clients_of(chargebacks)) == 1


def test_country_counts_while_it_is_on_the_list(cast):
    version = draft(cast.brand, "country", 1000, parameters={"levels": ["grey"]})
    CountryRisk.objects.create(country="VN", level="grey", valid=DateRange(at(1).date(), at(3).date()), source="FATF")
    moved(cast.client, "deposit", 5000, at(), country="VN")
    moved(cast.client, "deposit", 999, at(days=1), country="VN")
    moved(cast.client, "deposit", 5000, at(days=3), country="VN")  # the range ends before this day
    assert clients_of(version) == []
    moved(cast.client, "withdrawal", 1, at(days=2), country="VN")
    assert len(clients_of(version)) == 1


def test_the_banks_country_is_read_from_its_iban(cast):
    version = draft(cast.brand, "bank_country", 1000, parameters={"levels": ["grey"]})
    CountryRisk.objects.create(country="VN", level="grey", valid=DateRange(at().date(), None), source="FATF")
    read = {
        "VN12 •••• 3456": "VN",
        "DE89 •••• 3000": "DE",
        "•••• 4242": "",
        "VN12": "VN",
        "VN12ab…34": "",
        "a@b.vn": "",
    }
    assert {label: stream.bank_country_of(label) for label in read} == read
    moved(cast.client, "deposit", 999, at(), bank_country="VN")
    moved(cast.client, "deposit", 5000, at(days=1), bank_country="DE", country="VN")
    assert clients_of(version) == []
    last = moved(cast.client, "withdrawal", 1, at(days=2), bank_country="VN")
    assert clients_of(version) == [(cast.client.pk, last.at)]


def test_cards_of_other_and_of_listed_countries(cast):
    listed = draft(cast.brand, "card_country", 1000, parameters={"levels": ["grey"]})
    abroad = draft(cast.brand, "card_abroad", 5000)
    CountryRisk.objects.create(country="VN", level="grey", valid=DateRange(at().date(), None), source="FATF")
    moved(cast.client, "deposit", 4999, at(), country="DE", card_country="FR")
    moved(cast.client, "deposit", 9000, at(days=1), country="DE", card_country="DE")
    moved(cast.client, "deposit", 9000, at(days=1), country="DE")
    moved(cast.client, "deposit", 9000, at(days=1), country="", card_country="FR")
    assert clients_of(listed) == clients_of(abroad) == []
    last = moved(cast.client, "deposit", 1000, at(days=2), country="DE", card_country="VN")
    assert clients_of(listed) == clients_of(abroad) == [(cast.client.pk, last.at)]


def test_dormant_looks_at_movements_and_at_trading(cast):
    version = draft(cast.brand, "dormant", 180, parameters={"least": 5000})
    moved(cast.client, "deposit", 9000, at())
    moved(cast.client, "deposit", 5000, at(days=180) - dt.timedelta(seconds=1))
    moved(cast.other_client, "deposit", 100, at())
    stream.record_trading([(cast.other_client.pk, at(days=30).date(), 1, Decimal(1))])
    moved(cast.other_client, "deposit", 5000, at(days=200))
    assert clients_of(version) == []
    held = moved(cast.client, "withdrawal", 5000, at(days=361))
    assert clients_of(version) == [(cast.client.pk, held.at)]


def test_shared_identifiers_count_from_when_both_used_them(cast):
    version = draft(cast.brand, "shared", 1, parameters={"identifiers": ["device"]})
    moved(cast.client, "deposit", 10, at())
    learn(cast.client.pk, IdentifierKind.DEVICE, "device-one", at=at())
    learn(cast.other_client.pk, IdentifierKind.DEVICE, "device-one", at=at(days=2))
    learn(cast.other_client.pk, IdentifierKind.IP_PREFIX, "8.8.8.8", at=at())
    assert clients_of(version) == []
    held = moved(cast.client, "deposit", 10, at(days=2))
    assert clients_of(version) == (
        [(cast.client.pk, held.at)] if cast.client.brand_id == cast.other_client.brand_id else []
    )


def test_peers_compares_with_the_month_before(cast):
    version = draft(cast.brand, "peers", 3.5, parameters={"least": 5, "peers": "country"})
    same = {"brand": cast.brand, "book": cast.book, "country": "DE", "created_at": at()}
    peers = Client.objects.bulk_create(Client(first_name=f"P{n}", last_name="Peer", **same) for n in range(6))
    for number, peer in enumerate(peers[:5]):
        moved(peer, "deposit", 100 + 10 * number, at(days=number))  # March: median 120, MAD 10 → 12 at least
    moved(peers[5], "deposit", 182, at(days=31))  # April: 0.6745 × 62 / 12 = 3.48
    assert clients_of(version) == []
    asked = movement(peers[5], "deposit", 1, at(days=32))
    assert [entry.at for entry in raised_by(version, asked)] == [asked.at] and not raised_by(
        version, movement(peers[5], "deposit", Decimal("0.1"), at(days=32))
    )
    held = moved(peers[5], "deposit", 1, at(days=32))
    assert clients_of(version) == [(peers[5].pk, held.at)]


def test_alerts_are_raised_once_with_their_movements(cast):
    version = live(cast, "structuring", 2, parameters={"limit": 2000, "from_percent": 80})
    kept = [moved(cast.client, "deposit", amount, at(hours=n)) for n, amount in enumerate((1700, 500, 1800))]
    assert run_pending() == 1
    alert = AmlAlert.objects.get()
    assert (alert.version, alert.client, alert.movement, alert.value) == (version, cast.client, kept[2], 2)
    assert alert.base_amount == 3500
    assert set(AmlEvidence.objects.values_list("movement_id", flat=True)) == {kept[0].pk, kept[2].pk}
    assert alert.case.state == "open" and alert.case.work.kind == "compliance.aml_case"
    moved(cast.client, "deposit", 1900, at(hours=9))  # the same episode
    assert run_pending() == 0 and run_pending() == 0
    assert stream.record([]) == 0 and AmlMovement.objects.count() == 4


def test_the_same_source_is_written_once(cast):
    one = movement(cast.client, "deposit", 10, at())
    assert (stream.record([one]), stream.record([one])) == (1, 0)
    moved(cast.client, "deposit", "2.50", at(days=1))
    moved(cast.client, "withdrawal", 7, at(days=1))
    moved(cast.client, "deposit", 5, at(days=40))
    kept = AmlMonth.objects.order_by("month").values_list("client", "month", "total")
    assert list(kept) == [
        (cast.client.pk, dt.date(2026, 3, 1), Decimal("12.50")),
        (cast.client.pk, dt.date(2026, 4, 1), Decimal(5)),
    ]
