"""Payments that a PSP settles in one row, and payments that it settles in several: whose they may be, and in which currency."""

import pytest

from tests.cast import make_client
from tests.wallet import recon
from wallet.models import Break, Match, MatchGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(db):
    psp, client = recon.world("groups")
    return psp, client, make_client(brand=client.brand, book=client.book, email="second@example.com", login=False)


def two_payouts(books, *, second: int = -6_000, **fields) -> None:
    psp, client, other = books
    recon.movement(psp, client, "W-2", -4_000, kind="payout", common="W-2")
    values = {"kind": "payout", "common": "W-2", **fields}
    recon.movement(psp, other if values.pop("of_another", False) else client, "W-3", second, **values)


def together(books, minor: int = -10_000) -> list[str]:
    recon.report(books[0], [recon.row("W-2", minor, psp_reference="c", type="payout")])
    return list(MatchGroup.objects.values_list("rule", flat=True))


def test_two_payouts_of_one_client_in_one_row_match(books):
    two_payouts(books)
    assert together(books) == ["merged"]
    assert Match.objects.filter(movement__isnull=False).count() == 2 and not Break.objects.exists()


def test_payments_of_two_clients_are_never_one_row(books):
    """They add up to the row by chance, or by a mistake of the PSP: people decide."""
    two_payouts(books, of_another=True)
    assert together(books) == []
    assert Break.objects.count() >= 1 and not Match.objects.filter(movement__isnull=False).exists()


@pytest.mark.parametrize("minor", [-9_999, -10_001])
def test_a_row_of_a_cent_less_or_more_is_no_group(books, minor):
    two_payouts(books)
    assert together(books, minor) == []


def test_payouts_of_two_currencies_are_never_one_row(books):
    two_payouts(books, currency="USD")
    assert together(books) == []


def test_a_payout_and_a_payment_do_not_make_up_a_row(books):
    two_payouts(books, second=-14_000)
    psp, client, _other = books
    recon.movement(psp, client, "W-4", 8_000, kind="payout", common="W-2")
    assert together(books) == []


def test_payouts_without_a_common_reference_are_no_group(books):
    two_payouts(books, common="")
    assert together(books) == []


def split(books, *rows: tuple[int, dict]) -> list[str]:
    psp, client, _other = books
    recon.movement(psp, client, "W-1", -10_000, kind="payout")
    recon.report(
        psp,
        [recon.row("W-1", minor, psp_reference=f"s{n}", type="payout", **more) for n, (minor, more) in enumerate(rows)],
    )
    return list(MatchGroup.objects.values_list("rule", flat=True))


def test_a_payout_in_two_rows_matches(books):
    assert split(books, (-3_000, {}), (-7_000, {})) == ["split"]


@pytest.mark.parametrize("second", [-6_999, -7_001])
def test_two_rows_of_a_cent_less_or_more_are_no_group(books, second):
    assert split(books, (-3_000, {}), (second, {})) == []


def test_rows_that_name_another_client_are_not_this_payout(books):
    other = {"client_reference": f"client-{books[2].pk}"}
    assert split(books, (-3_000, {}), (-7_000, other)) == []


def test_rows_that_name_the_client_match(books):
    mine = {"client_reference": f"client-{books[1].pk}"}
    assert split(books, (-3_000, mine), (-7_000, {})) == ["split"]


def test_rows_of_two_signs_are_no_group(books):
    assert split(books, (-12_000, {}), (2_000, {})) == []
