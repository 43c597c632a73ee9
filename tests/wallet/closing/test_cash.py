"""The cash dashboard adds up: what is owed to clients, what is held for them, and what is the house's."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.rates import fx
from tests.wallet.conftest import load_rates
from tests.wallet.factories import house, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.closing import cash
from wallet.ledger import fx_position, posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Deposit, Journal, PspMovement
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def psp(cast):
    load_rates()
    cast.client.kyc_level = 2
    cast.client.save()
    return make_psp(cast.brand)


def post(cast, key: str, *lines: Line, **fields) -> None:
    with transaction.atomic():
        posting.post(Entry(key=key, kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines, **fields))


def arrive(cast, psp, minor: int, client=None) -> Deposit:
    """A deposit that stands at the PSP."""
    deposit = paid_in(client or cast.client, psp, minor)
    clearing = posting.psp_clearing(psp, "EUR")
    post(cast, f"arrive:{deposit.pk}", Line(clearing, -minor), Line(house(cast.brand), minor))
    return deposit


def euros(cast) -> cash.CurrencyCash:
    return next(one for one in cash.cash_of(cast.brand) if one.currency == "EUR")


def test_client_money_is_covered_by_what_psps_and_the_bank_hold(cast, psp):
    arrive(cast, psp, 100_000)
    one = euros(cast)
    assert (one.owed, one.held, one.difference, one.cover_percent) == (1_000, 1_000, 0, 100)
    assert one.tone == "success"
    wallet, clearing = posting.wallet_of(cast.client, "EUR"), posting.psp_clearing(psp, "EUR")
    bank = house(cast.brand, AccountKind.CLIENT_MONEY_BANK)
    platform = posting.platform_clearing(brand_id=cast.brand.pk, server_id=1, currency="EUR")
    post(cast, "to bank", Line(clearing, 60_000), Line(bank, -60_000))
    post(cast, "to platform", Line(wallet, -30_000), Line(platform, 30_000))
    one = euros(cast)
    assert {place.label: place.amount for place in one.held_at} == {"Client money bank": 600, psp.name: 400}
    assert (one.wallets, one.owed, one.held) == (700, 1_000, 1_000)


def test_missing_client_money_is_red(cast, psp):
    arrive(cast, psp, 100_000)
    clearing, bank = posting.psp_clearing(psp, "EUR"), house(cast.brand, AccountKind.HOUSE_BANK)
    post(cast, "to the house", Line(clearing, 10_000), Line(bank, -10_000))
    one = euros(cast)
    assert (one.difference, one.tone, one.cover_percent, one.house_bank) == (-100, "danger", 90, 100)


def test_profits_paid_by_the_platform_do_not_count_as_held(cast, psp):
    arrive(cast, psp, 100_000)
    platform = posting.platform_clearing(brand_id=cast.brand.pk, server_id=1, currency="EUR")
    post(cast, "profit", Line(platform, -20_000), Line(posting.wallet_of(cast.client, "EUR"), 20_000))
    one = euros(cast)
    assert (one.owed, one.held, one.tone) == (1_200, 1_000, "danger")


def test_payouts_that_wait_are_held_against_the_psp_that_pays_them(cast, psp):
    arrive(cast, psp, 100_000)
    request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(300), currency="EUR", destination=IBAN),
        request_key="w",
        actor=cast.client.user,
    )
    one = euros(cast)
    assert (one.payouts, one.payout_count, one.reserved, one.owed) == (300, 1, 300, 1_000)
    assert [(place.waiting, place.is_short) for place in one.held_at] == [(300, False)]
    bank = house(cast.brand, AccountKind.CLIENT_MONEY_BANK)
    post(cast, "to bank", Line(posting.psp_clearing(psp, "EUR"), 80_000), Line(bank, -80_000))
    one = euros(cast)
    assert next(place for place in one.held_at if place.psp_id).is_short
    assert one.tone == "warning"


def test_the_position_is_what_clients_exchanged(cast, psp):
    arrive(cast, psp, 100_000)
    day = dt.date(2026, 11, 20)
    conversion = fx_position.convert_minor(10_000, fx.rate("EUR", "USD", on=day), markup_basis_points=0)
    lines = fx_position.lines_of(
        conversion, source=posting.wallet_of(cast.client, "EUR"), target=posting.wallet_of(cast.client, "USD")
    )
    post(cast, "fx", *lines, rate=conversion.rate, rate_on=conversion.rate_on)
    found = {one.currency: one for one in cash.cash_of(cast.brand)}
    assert found["EUR"].fx_position == found["EUR"].fx_in_base == 100
    assert found["USD"].fx_position < 0
    assert abs(found["USD"].fx_in_base + 100) < 2


def test_today_and_thirty_days_are_what_psps_moved(cast, psp):
    deposit = arrive(cast, psp, 100_000)
    PspMovement.objects.all().delete()
    for number in range(3):
        post(cast, f"m{number}", Line(house(cast.brand), 1), Line(house(cast.brand, AccountKind.FEES), -1))
    ids = [deposit.journal_id, *Journal.objects.filter(idempotency_key__startswith="m").values_list("pk", flat=True)]
    now = timezone.now()
    for number, (minor, at) in enumerate(
        [(5_000, now), (-2_000, now), (7_000, now - dt.timedelta(days=3)), (9_000, now - dt.timedelta(days=40))]
    ):
        PspMovement.objects.create(
            psp=psp,
            kind="payment" if minor > 0 else "payout",
            reference=f"D-{number}",
            psp_reference=f"p{number}",
            client_id=cast.client.pk,
            journal_id=ids[number],
            amount_minor=minor,
            currency="EUR",
            occurred_at=at,
        )
    one = euros(cast)
    assert (one.money_in, one.money_out) == (50, 20)
    flow = cash.flow_of(cast.brand, "EUR")
    assert (len(flow.days), sum(flow.money_in), sum(flow.money_out)) == (30, 120, 20)
    assert flow.money_in[-4] == 70


def test_the_page_takes_a_fixed_number_of_queries_and_shows_one_brand(cast, psp, browse):
    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse("wallet:cash")).status_code == 200
        return len(queries)

    assert "No balances yet" in browse(cast.finance).get(reverse("wallet:cash")).content.decode()
    arrive(cast, psp, 100_000)
    posting.platform_clearing(brand_id=cast.brand.pk, server_id=99, currency="EUR")
    few = count()
    for number in range(4):
        posting.psp_clearing(make_psp(cast.brand, f"psp{number}"), "EUR")
        posting.platform_clearing(brand_id=cast.brand.pk, server_id=number, currency="EUR")
        arrive(cast, psp, 5_000 + number, cast.other_client)
    assert count() <= few <= 30
    assert browse(cast.finance).get(reverse("wallet:cash"), {"brand": cast.other_brand.pk}).status_code == 404
    assert browse(cast.agent).get(reverse("wallet:cash")).status_code == 403


@pytest.mark.parametrize(
    ("owed", "held", "fields", "tone"),
    [
        (100, 101, {}, "success"),
        (100, 100, {}, "success"),
        (100, 99, {}, "danger"),
        (100, 100, {"unknown_count": 1}, "warning"),
        (100, 100, {"deposits_held_count": 1}, "warning"),
        (100, 100, {"waiting": 100}, "success"),
        (100, 100, {"waiting": 101}, "warning"),
        (100, 99, {"unknown_count": 1, "waiting": 200}, "danger"),
    ],
)
def test_covered_is_green_only_where_nothing_is_uncertain(owed, held, fields, tone):
    waiting = Decimal(fields.pop("waiting", 0))
    one = cash.CurrencyCash("EUR", wallets=Decimal(owed), **fields)
    one.held_at = [cash.Place(1, "PSP", Decimal(held), 1, waiting), cash.Place(2, "Overdrawn", Decimal(-50))]
    one.owed_at = [cash.Place(3, "Platform", Decimal(-50))]
    assert (one.tone, one.difference, one.cover_percent) == (tone, held - owed, held)


@pytest.mark.parametrize(
    ("amount", "waiting", "is_short"), [(0, "0", False), (0, "0.01", True), (-5, "0", False), (5, "5", False)]
)
def test_an_account_is_short_where_more_waits_than_it_has(amount, waiting, is_short):
    assert cash.Place(1, "PSP", Decimal(amount), 1, Decimal(waiting)).is_short == is_short


def test_nothing_owed_has_no_cover():
    one = cash.CurrencyCash("EUR")
    assert (one.owed, one.held, one.cover_percent, one.tone) == (0, 0, None, "success")
