"""For any file of balances: what is posted sums to zero per currency, and each wallet has what the file says."""

import csv
import io
from collections import defaultdict

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm import approvals
from crm.money.amounts import from_minor
from tests.cast import make_cast, make_client
from tests.crm.imports.files import imported
from tests.days import last_month, month_before_last, now
from tests.examples import examples
from tests.wallet.factories import raw
from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import OpeningBalances
from wallet.opening_balances.import_kind import BalanceKind
from wallet.opening_balances.posting import post_opening_balances

CURRENCIES = ("EUR", "JPY", "KWD")
DAYS = [last_month().isoformat(), month_before_last().isoformat()]
REGISTERED = {"login": False, "stage": "registered", "registered_at": now()}
ROW = st.tuples(st.integers(0, 4), st.sampled_from(CURRENCIES), st.integers(-5, 10**14), st.sampled_from(DAYS))


def expected(rows):
    """A slow, obvious reading: whoever comes twice in a currency, and whoever has nothing, has no opening balance."""
    seen = defaultdict(list)
    for client, currency, minor, _day in rows:
        if minor > 0:
            seen[client, currency].append(minor)
    return {key: amounts[0] for key, amounts in seen.items() if len(amounts) == 1}


class AnyFile(TestCase):
    @settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(ROW, min_size=1, max_size=12), st.integers(1, 4))
    def test_wallets_have_what_the_file_says_and_the_ledger_sums_to_zero(self, rows, batch_rows):
        cast = make_cast()
        clients = [
            make_client(brand=cast.brand, book=cast.book, email=f"c{number}@example.com", **REGISTERED)
            for number in range(5)
        ]
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["client", "currency", "amount", "as_of"])
        for client, currency, minor, day in rows:
            writer.writerow([clients[client].email, currency, f"{from_minor(minor, currency):f}", day])
        wanted = expected(rows)
        if not wanted:
            return
        BalanceKind.batch_rows = batch_rows
        try:
            batch = imported(cast, text.getvalue(), kind="balances")
        finally:
            del BalanceKind.batch_rows
        opening = OpeningBalances.objects.get(data_import=batch)
        approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)
        post_opening_balances(opening.pk)
        had = {
            (client, currency): posting.balance(posting.wallet_of(clients[client], currency))
            for client in range(5)
            for currency in CURRENCIES
        }
        assert {key: minor for key, minor in had.items() if minor} == wanted
        assert raw("SELECT currency FROM wallet_posting GROUP BY currency HAVING sum(amount_minor) <> 0") == []
        for currency in CURRENCIES:
            house = posting.house(AccountKind.OPENING_BALANCES, brand_id=cast.brand.pk, currency=currency)
            assert -posting.balance(house) == sum(
                minor for (_client, code), minor in wanted.items() if code == currency
            )
        assert verify().holds
