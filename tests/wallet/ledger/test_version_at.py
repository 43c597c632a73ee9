"""The version of a wallet at an instant is found by halving, and is what counting its postings gives."""

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wallet.factories import house, raw
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.account_history import HistoryForm, history_page
from wallet.ledger.posting import Entry, Line
from wallet.models import Account, Posting

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def with_postings(cast, key: str, seconds: list[int]) -> Account:
    """A wallet that got one unit at each of some seconds after the start."""
    wallet = posting.wallet_of(cast.client, "EUR")
    suspense = house(cast.brand, AccountKind.SUSPENSE)
    entries = [
        Entry(
            key=f"{key}:{n}",
            kind=JournalKind.ADJUSTMENT,
            brand_id=cast.brand.pk,
            lines=(Line(suspense, -1), Line(wallet, 1)),
        )
        for n, _second in enumerate(seconds)
    ]
    if entries:
        posting.post_many(entries, posted_at=[START + dt.timedelta(seconds=second) for second in seconds])
    return wallet


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(0, 3), max_size=40), asked=st.lists(st.integers(-2, 90), min_size=1, max_size=12))
def test_it_is_the_number_of_postings_until_then_also_where_several_share_an_instant(cast, gaps, asked):
    with transaction.atomic():
        seconds = [sum(gaps[: n + 1]) for n in range(len(gaps))]
        wallet = with_postings(cast, "v", seconds)
        for second in asked:
            at = START + dt.timedelta(seconds=second)
            expected = sum(one <= second for one in seconds)
            assert posting.version_at(wallet, at) == expected
            assert posting.balance(wallet, at=at) == expected
        transaction.set_rollback(True)


def test_an_account_without_postings_has_none(cast):
    assert posting.version_at(posting.wallet_of(cast.client, "EUR"), START) == 0


def test_a_history_is_cut_at_days_and_instants_and_continues_by_version(cast, monkeypatch):
    monkeypatch.setattr("wallet.ledger.account_history.PAGE_SIZE", 3)
    day = 24 * 3600
    wallet = with_postings(cast, "h", [0, 0, 1, day - 1, day, day + 5, 2 * day])

    def pages(**values: str) -> list[list[int]]:
        form, cursor, found = HistoryForm(values), "", []
        while True:
            page = history_page(wallet, until=None, cursor=cursor, form=form)
            found.append([row.posting.version for row in page.rows])
            if not (cursor := page.next_cursor):
                return found

    assert pages() == [[7, 6, 5], [4, 3, 2], [1]]
    assert pages(first="2026-03-02", last="2026-03-02") == [[6, 5]]
    assert pages(last="2026-03-01") == [[4, 3, 2], [1]]
    until = history_page(wallet, until=START, cursor="", form=HistoryForm({}))
    assert [row.posting.version for row in until.rows] == [2, 1]
    strange = history_page(wallet, until=None, cursor="2026-03-01T00:00:00+00:00|1|1", form=HistoryForm({}))
    assert [row.posting.version for row in strange.rows] == [7, 6, 5], "another account's place is none here"


@pytest.mark.parametrize("is_bounded", [True, False])
def test_a_page_of_an_account_is_read_from_one_index_in_its_order(cast, is_bounded):
    wallet = with_postings(cast, "p", list(range(60)))
    account = wallet if is_bounded else house(cast.brand, AccountKind.SUSPENSE)
    for other in ("seqscan", "bitmapscan", "sort"):  # so few rows are as quickly sorted
        raw(f"SET LOCAL enable_{other} = off")
    rows = Posting.objects.filter(account=account, version__isnull=not is_bounded)
    order = ["-version"] if is_bounded else ["-posted_at", "-journal_id", "-line"]
    plan = rows.order_by(*order)[:5].explain()
    assert ("each_account_version_exists_once" if is_bounded else "history_of_house_accounts") in plan
    assert "Sort" not in plan
