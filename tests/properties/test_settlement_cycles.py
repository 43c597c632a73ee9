"""Whatever cycles, holds, minimums, disputes, late trades and clawbacks do: each accrual is settled once, to the last cent."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.choices import Role
from crm.models import Brand
from ib import periods, settlement
from ib.models import (
    Accrual,
    CommissionDispute,
    CommissionRun,
    CreditNote,
    SelfBillingInvoice,
    Settlement,
    SettlementPeriod,
    SettlementTerms,
)
from ib.settlements.disputes import open_dispute, resolve_dispute
from ib.settlements.lines import lines_of, settlement_of
from tests.cast import make_staff
from tests.examples import examples
from tests.ib.factories import make_partner
from tests.wallet import recon
from wallet.ledger import posting
from wallet.ledger.verification import verify

BEGIN = dt.datetime(2026, 3, 20, 10, tzinfo=dt.UTC)  # the clocks change on the 29th
ZONE = ZoneInfo("Europe/Berlin")
COMPANY = {"legal_name": "Cycles Partners GmbH", "address": "Hauptstr. 1, Berlin", "vat_id": "DE123456789"}
AMOUNTS = st.decimals(Decimal("-40"), Decimal("60"), places=8)
TERMS = st.tuples(
    st.sampled_from(["instant", "daily", "weekly", "monthly"]),
    st.sampled_from([0, 3, 14]),
    st.sampled_from([Decimal(0), Decimal(25)]),
    st.sampled_from(["carried", "written"]),
    st.sampled_from(["standard", "standard", "none"]),  # with VAT, or without invoices
)
ACCRUE = st.tuples(
    st.just("accrue"),  # trades closed so many days ago
    st.lists(st.tuples(st.sampled_from([0, 0, 1, 5, 20]), AMOUNTS), min_size=1, max_size=4),
)
WAIT = st.tuples(st.just("wait"), st.integers(1, 12), st.sampled_from([True, True, False]))
# Earned, settled, taken back and offset by what is earned next: what credit notes are for.
CORRECTED = st.tuples(st.just("corrected"), st.lists(st.decimals(10, 60, places=8), min_size=2, max_size=3))
STEP = st.one_of(
    ACCRUE,
    WAIT,
    CORRECTED,
    ACCRUE,
    WAIT,
    st.tuples(st.just("agree"), TERMS),
    st.tuples(st.just("dispute"), st.integers(0, 9)),
    st.tuples(st.just("resolve"), st.integers(0, 3)),
    st.tuples(st.just("claw_back"), st.integers(0, 5)),
    st.tuples(st.just("freeze"), st.sampled_from([True, False, False])),
)


def expanded(step):
    """The steps that one of the strategy's stands for."""
    if step[0] != "corrected":
        return [step]
    earn = ("accrue", [(20, amount) for amount in step[1]])
    return [earn, ("wait", 8, True), ("claw_back", 0), ("claw_back", 1), earn, ("wait", 8, True)]


class EveryCycle(TestCase):
    @settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(first=TERMS, steps=st.lists(STEP, min_size=8, max_size=30))
    def test_each_accrual_is_settled_once_to_the_last_cent(self, first, steps):
        with transaction.atomic():
            Cycles(first).play(steps)
            transaction.set_rollback(True)


class Cycles:
    """One partner through a few months, beside a slow reckoning of what they should have got."""

    def __init__(self, first) -> None:
        _psp, self.client = recon.world("cycles")
        self.brand: Brand = self.client.brand
        Brand.objects.filter(pk=self.brand.pk).update(time_zone=str(ZONE))
        self.brand.refresh_from_db()
        self.finance = make_staff("finance@cycles.example", Role.FINANCE, brand=self.brand)
        self.manager = make_staff("manager@cycles.example", Role.IB_MANAGER, brand=self.brand)
        self.partner = make_partner(self.brand)
        self.now = BEGIN
        self.waiting: list[Accrual] = []
        self.reached = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.carried = Decimal(0)
        self.credited = Decimal(0)
        self.number = 0
        with time_machine.travel(self.now, tick=False):
            self.agree(first)

    def play(self, steps) -> None:
        for name, *given_values in chain.from_iterable(map(expanded, steps)):
            with time_machine.travel(self.now, tick=False):
                getattr(self, name)(*given_values)
        with time_machine.travel(self.now, tick=False):
            for dispute in CommissionDispute.objects.filter(state="open"):
                resolve_dispute(dispute_id=dispute.pk, answer="Done", actor=self.finance)
            self.agree(("instant", 0, Decimal(0), "carried", "standard"))
        self.wait(1, True)
        self.check_everything()

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def accrue(self, trades) -> None:
        for days_ago, amount in trades:
            self.accrue_one(days_ago, amount)

    def accrue_one(self, days_ago, amount) -> None:
        self.number += 1
        closed_at = self.now - dt.timedelta(days=days_ago, hours=1)
        periods.ensure_periods(self.brand, closed_at, self.now)
        run = CommissionRun.objects.create(brand=self.brand, kind="replay", started_at=self.now)
        self.waiting.append(
            Accrual.objects.create(
                run=run,
                kind="delta",
                state="accrued" if amount >= 0 else "reversed",
                reason="recalculated",
                partner=self.partner,
                introducer=self.partner,
                level=1,
                client=self.client,
                deal_id=self.number // 2,
                ticket=self.number,
                closed_at=closed_at,
                account_id=1,
                symbol="EURUSD",
                lots=0,
                currency="EUR",
                amount=amount,
                period=self.period_for(closed_at),
                created_at=self.now,
            )
        )

    def period_for(self, closed_at):
        """The trade's own period while it is open, or the next open one: never one before the trade."""
        own = SettlementPeriod.objects.filter(state="open", starts_at__lte=closed_at, ends_at__gt=closed_at).first()
        return own or periods.open_period(self.brand.pk)

    def claw_back(self, which) -> None:
        """Take an accrual back, whether it was settled or not: a row of the trade's day in a period that is open now."""
        taken = Accrual.objects.filter(kind="clawback").values("corrects")
        for row in Accrual.objects.filter(kind="delta").exclude(pk__in=taken).order_by("-id")[which : which + 1]:
            periods.ensure_periods(self.brand, self.now, self.now)
            pk, row.pk = row.pk, None
            row.kind, row.state, row.corrects_id, row.source = "clawback", "reversed", pk, f"test:{pk}"
            row.amount, row.reason, row.created_at = -row.amount, "deposit_reversed", self.now
            row.period = self.period_for(row.closed_at)
            row.save(force_insert=True)
            self.waiting.append(row)

    def wait(self, days, runs) -> None:
        """Days pass; beat settles at their end, or was away."""
        self.now += dt.timedelta(days=days)
        with time_machine.travel(self.now, tick=False):
            if runs:
                self.settle()

    def agree(self, values) -> None:
        cycle, hold, minimum, negative, vat = values
        self.agreed = SettlementTerms.objects.create(
            partner=self.partner,
            cycle=cycle,
            hold_days=hold,
            minimum=minimum,
            negative=negative,
            vat_treatment=vat,
            vat_rate=19 if vat == "standard" else 0,
            **COMPANY,
            state="approved",
            reason="Agreed",
            requested_by=self.manager,
            requested_at=self.now,
            decided_by=self.finance,
            decided_at=self.now,
        )

    def dispute(self, which) -> None:
        accruals = Accrual.objects.order_by("-id")[which : which + 1]
        for accrual in accruals:
            if accrual.deal_id not in self.disputed():
                open_dispute(partner_id=self.partner.pk, accrual_id=accrual.pk, reason="Why?", actor=self.partner.user)

    def freeze(self, is_on) -> None:
        """Freeze the partner; most of the time it ends before long, or nothing would ever be settled."""
        for frozen in CommissionDispute.objects.filter(state="open", deal_id__isnull=True):
            resolve_dispute(dispute_id=frozen.pk, answer="Cleared", actor=self.finance)
            is_on = False
        if is_on:
            open_dispute(partner_id=self.partner.pk, reason="Suspicion", actor=self.finance)

    def resolve(self, which) -> None:
        for dispute in CommissionDispute.objects.filter(state="open")[which : which + 1]:
            resolve_dispute(dispute_id=dispute.pk, answer="As it is", actor=self.finance)

    # ── what must come of it ─────────────────────────────────────────────────────────────────────────────────────────

    def disputed(self) -> set[int | None]:
        return set(CommissionDispute.objects.filter(state="open").values_list("deal_id", flat=True))

    def settle(self) -> None:
        """Settle by the system, and reckon line by line what it should come to."""
        settlement.settle_due()
        rows = list(Settlement.objects.filter(partner=self.partner, settled_at=self.now).order_by("id"))
        assert settlement.settle_due() == 0  # again settles nothing
        assert Settlement.objects.filter(partner=self.partner, settled_at=self.now).count() == len(rows)
        disputed = self.disputed()
        if None in disputed:
            assert not rows
        for row in rows:
            self.reached = max(self.reached, row.cut_at - dt.timedelta(days=row.terms.hold_days))
            taken = [one for one in self.waiting if one.closed_at < self.reached and one.deal_id not in disputed]
            self.waiting = [one for one in self.waiting if one not in taken]
            total = sum((one.amount for one in taken), self.carried)
            assert row.accrued == sum((one.amount for one in taken), Decimal(0))
            paid = max(Decimal(0), total.quantize(Decimal("0.01"), rounding="ROUND_FLOOR"))
            if paid < row.terms.minimum:
                paid = Decimal(0)
            assert row.amount == paid
            is_forgiven = total < 0 and row.terms.negative == "written"
            self.carried = Decimal(0) if is_forgiven else total - paid
            self.credited += paid
            assert row.carried_out == self.carried

    def check_everything(self) -> None:
        settled = list(Settlement.objects.filter(partner=self.partner).order_by("id"))
        lines = Counter(pk for row in settled for pk in lines_of(row).values_list("pk", flat=True))
        assert lines == Counter(Accrual.objects.values_list("pk", flat=True))
        assert not self.waiting
        for row in settled:
            assert sum((one.amount for one in lines_of(row)), Decimal(0)) == row.accrued
        for accrual in Accrual.objects.all():
            found = settlement_of(accrual)
            assert found is not None and lines_of(found).filter(pk=accrual.pk).exists()
        total = sum((one.amount for one in Accrual.objects.all()), Decimal(0))
        forgiven = sum((row.written_off for row in settled), Decimal(0))
        assert total == self.credited + self.carried + forgiven
        owed = posting.partner_payable(brand_id=self.brand.pk, partner_id=self.partner.pk, currency="EUR")
        assert Decimal(posting.balance(owed)) / 100 == self.credited
        assert verify().holds
        self.check_documents(settled)

    def check_documents(self, settled) -> None:
        """Invoices less credit notes are what the ledger credited, and the notes are what was taken from each invoice."""
        invoices = {one.settlement_id: one for one in SelfBillingInvoice.objects.all()}
        waiting: dict[int, Decimal] = defaultdict(Decimal)
        noted: dict[int, Decimal] = defaultdict(Decimal)
        for row in settled:
            notes = list(CreditNote.objects.filter(settlement=row))
            before = [one for pk, one in sorted(invoices.items()) if pk < row.pk]
            for invoice in before:
                taken = self.taken_from(row, invoice, before)
                waiting[invoice.pk] = min(
                    max(waiting[invoice.pk] + taken, Decimal(0)), invoice.total - noted[invoice.pk]
                )
            forgiven = -row.written_off
            for invoice in reversed(before):
                part = min(forgiven, waiting[invoice.pk])
                waiting[invoice.pk], forgiven = waiting[invoice.pk] - part, forgiven - part
            for invoice in before if row.amount else []:
                total = waiting[invoice.pk].quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
                assert total == sum((note.total for note in notes if note.invoice_id == invoice.pk), Decimal(0))
                waiting[invoice.pk] -= total
                noted[invoice.pk] += total
            own = invoices.get(row.pk)
            assert (own is not None) == bool(row.amount and row.terms.vat_treatment == "standard")
            assert row.amount or not notes
            if own:
                assert own.total - sum((note.total for note in notes), Decimal(0)) == row.amount
        numbers = list(CreditNote.objects.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))

    def taken_from(self, row, invoice, before) -> Decimal:
        """Sum what a settlement's lines correct of lines whose first invoice was this one."""
        total = Decimal(0)
        for line in lines_of(row).filter(corrects__isnull=False).select_related("corrects"):
            origin = settlement_of(line.corrects)
            first = next((one for one in before if origin is not None and one.settlement_id >= origin.pk), None)
            if first == invoice:
                total -= line.amount
        return total
