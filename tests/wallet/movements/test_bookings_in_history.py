"""What a wallet gained or paid without a movement stands in its history too: fees, payouts, commissions, adjustments."""

import pytest
from django.db import transaction
from django.urls import reverse

from tests.cast import signed_in
from tests.portal.conftest import verify
from tests.wallet.factories import fund, house
from wallet.choices.ledger import JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.movements import queries

pytestmark = pytest.mark.django_db


def book(cast, kind: JournalKind, minor: int, key: str, **more) -> int:
    wallet = posting.wallet_of(cast.client, "EUR")
    with transaction.atomic():
        done = posting.post(
            Entry(
                key=key,
                kind=kind,
                brand_id=cast.client.brand_id,
                description="Two steps, 50,000",
                lines=(Line(wallet, minor), Line(house(cast.brand, currency="EUR"), -minor)),
                **more,
            )
        )
    return done.journal_id


@pytest.fixture
def lines(cast) -> list[queries.Movement]:
    fund(cast.client, 90_000)
    fee = book(cast, JournalKind.CHALLENGE_FEE, -30_000, "fee")
    book(cast, JournalKind.PSP_FEE, -100, "not the client's own")
    book(cast, JournalKind.COMMISSION_PAYOUT, 4_200, "payout")
    book(cast, JournalKind.REVERSAL, 30_000, "back", reverses_id=fee)
    return queries.history_of(cast.client)


def test_bookings_are_lines_with_their_kind_and_sign(lines):
    assert [(line.label, line.amount_minor, line.is_booked) for line in lines] == [
        ("Reversal", 30_000, True),
        ("Commission payout", 4_200, True),
        ("Challenge fee", -30_000, True),
        ("Adjustment", 90_000, True),
    ]


def test_pages_of_one_line_give_each_booking_once(cast, lines):
    after, seen = "", []
    while page := queries.history_of(cast.client, after=after, limit=1):
        seen += page
        after = page[-1].cursor
    assert seen == lines


def test_client_and_staff_read_the_kind_and_not_the_journals_own_text(cast, lines, browse):
    verify(cast.client)
    own = signed_in(cast.client_user).get("/portal/wallet/history/").content.decode()
    page = browse(cast.finance).get(reverse("client_tab", args=[cast.client.pk, "money"])).content.decode()
    for shown in (own, page):
        assert "Challenge fee" in shown and "−€300.00" in shown and "Two steps" not in shown
    assert f"Journal {lines[2].pk}" in page
