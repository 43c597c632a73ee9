"""Whatever was paid and settled in two currencies: the posting is right to the smallest unit of both, and so is its undoing."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm import approvals
from crm.choices import Role
from crm.models import FxRate
from crm.money.amounts import from_minor
from tests.cast import make_staff
from tests.examples import examples
from tests.wallet import recon
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import PostingWay
from wallet.ledger import posting as ledger
from wallet.ledger.verification import verify
from wallet.models import Break, BreakPosting, Journal, Match, MatchGroup, Posting
from wallet.reconciliation import deciding, postings
from wallet.reconciliation.postings import OTHER_SIDE

CODES = ["EUR", "USD", "JPY", "KWD", "BHD", "ISK"]
PER_EURO = {"USD": "1.1021", "JPY": "163.37", "KWD": "0.33871", "BHD": "0.41549", "ISK": "147.9"}
WAYS = st.sampled_from([PostingWay.FX, PostingWay.FEE, PostingWay.LOSS, PostingWay.SUSPENSE])
QUICK = settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])


class EverySum(TestCase):
    @QUICK
    @given(
        pair=st.sampled_from(list(itertools.permutations(CODES, 2))),
        paid=st.integers(1, 10**9),
        got=st.integers(1, 10**9),
        fee=st.integers(0, 500),
        sign=st.sampled_from([1, -1]),
        way=WAYS,
        rate=st.none() | st.decimals(Decimal("0.0001"), Decimal(9_000), places=6),
    )
    def test_a_difference_between_two_currencies_is_posted_to_the_cent(self, pair, paid, got, fee, sign, way, rate):
        with transaction.atomic():
            self.check(pair, sign * paid, sign * got, fee, way, rate)
            transaction.set_rollback(True)

    def check(self, pair, paid, got, fee, way, rate) -> None:
        ours, theirs = pair
        for code, value in PER_EURO.items():
            FxRate.objects.create(on=recon.FIRST, currency=code, rate=Decimal(value))
        psp, client = recon.world("fx")
        one_person, other = (
            make_staff(f"{name}@fx.example", Role.FINANCE, brand=client.brand) for name in ("one", "other")
        )
        kind = "payment" if paid > 0 else "payout"
        recon.movement(psp, client, "D-1", paid, currency=ours, kind=kind)
        more: dict[str, Any] = {} if rate is None else {"rate": rate, "paid_currency": ours}
        recon.report(psp, [recon.row("D-1", got, currency=theirs, fee=fee, type=kind, **more)])
        assume(Break.objects.filter(kind="currency", state="open").exists())  # not explained by the rate alone
        before = balances(psp)
        posting = postings.propose(
            break_id=Break.objects.get().pk, way=way, business_on=recon.FIRST, reason="Two currencies", actor=one_person
        )
        approvals.approve(BreakPosting, posting.pk, actor=other)
        group = MatchGroup.objects.get()
        worth = from_minor(paid, ours) * posting.rate
        assert abs(from_minor(group.converted_minor, theirs) - worth) * 2 <= from_minor(1, theirs)
        assert (group.rows_minor, group.books_minor) == (got, paid)
        assert group.rows_minor == group.converted_minor + group.adjustment_minor
        assert -ledger.balance(ledger.psp_clearing(psp, ours)) == 0
        assert -ledger.balance(ledger.psp_clearing(psp, theirs)) == got - fee
        lines = Posting.objects.filter(journal_id=group.adjustment_id).select_related("account")
        for code in pair:
            assert sum(line.amount_minor for line in lines if line.account.currency == code) == 0
        position = sum(
            line.amount_minor
            for line in lines
            if (line.account.kind, line.account.currency) == (AccountKind.FX_POSITION, theirs)
        )
        rest = group.adjustment_minor if OTHER_SIDE[way] == AccountKind.FX_POSITION else 0
        assert position == group.converted_minor + rest
        journal = Journal.objects.get(pk=group.adjustment_id)
        assert (journal.fx_rate, journal.fx_rate_on) == (posting.rate, posting.rate_on)
        assert posting.rate == rate or (rate is None and posting.rate_on == recon.FIRST)

        deciding.undo(match_id=group.lines.first().pk, actor=one_person, reason="Another payment")
        assert balances(psp) == before and not Match.objects.exists()
        assert Break.objects.get(state="open").kind == "currency"
        assert verify().problems == []


def balances(psp) -> dict[tuple[str, str], int]:
    from wallet.models import Account

    accounts = list(Account.objects.filter(brand_id=psp.brand_id))
    found = ledger.balances([one.pk for one in accounts])
    return {(one.kind, one.currency): found[one.pk] for one in accounts if found[one.pk]}
