"""What the demo's settlement reports say that our books do not, and the other way round: a few rows of most kinds of break.

Planted into the last three weeks of the first brand's reports, by age, so that the set is the same on any day of any month.
What is changed is never what a PSP paid to the bank: those sums are of the true rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from wallet.choices.reconciliation import RowType
from wallet.demo.rows import Row

CARDS, BANK = "northpay", "sepalink"
CUT_OFF_HOUR = 18  # later payments of a report's last day may stand in the next report
STRANGER_MINOR, TEST_MINOR = 23_000, 100
CHARGEBACK_FEE = 1_500
DOLLARS_PERCENT = 108
SHORT_MINOR, WAITING_MINOR, FEE_MORE_MINOR = 250, 100, 240
SOME_MINOR = 5_000  # smaller payments are left alone


@dataclass(slots=True)
class Planted:
    """stories: by name, the PSP's reference of the row or movement that the break is about."""

    dropped: set[str] = field(default_factory=set)
    replaced: dict[str, Row] = field(default_factory=dict)
    added: list[Row] = field(default_factory=list)
    stories: dict[str, str] = field(default_factory=dict)

    def changed(self, rows: Iterable[Row]) -> list[Row]:
        """The rows as the PSPs tell them."""
        kept = [self.replaced.get(row.psp_reference, row) for row in rows if row.psp_reference not in self.dropped]
        return [*kept, *self.added]


def plant(rows: list[Row], today: dt.date) -> Planted:
    """As many of the stories as there are payments for: a tiny demo has a few of them."""
    teller = _Teller(rows, today)
    teller.near_the_cut_off()
    teller.nobody_knows()
    for tell in (
        teller.amounts,
        teller.duplicate,
        teller.missing_there,
        teller.currency,
        teller.chargeback,
        teller.other_reference,
        teller.wrong_client,
        teller.fee,
        teller.long_missing,
        teller.explained_later,
    ):
        tell()
    return teller.planted


class _Teller:
    def __init__(self, rows: list[Row], today: dt.date) -> None:
        self.rows, self.today, self.planted = rows, today, Planted()
        self.taken: set[str] = set()
        self.until = today - dt.timedelta(days=1)
        self.since = self.until.replace(day=1)

    def pick(
        self,
        psp: str,
        age: int,
        *,
        type: str = RowType.PAYMENT,
        first: dt.date | None = None,
        least: int = SOME_MINOR,
        currency: str = "",
    ) -> Row | None:
        """The row of about that age that nothing was told of yet; none that is near the end of what reports cover."""
        last = self.until - dt.timedelta(days=1)
        wanted = dt.datetime.combine(self.today - dt.timedelta(days=age), dt.time(12), tzinfo=dt.UTC)
        found = [
            row
            for row in self.rows
            if row.psp == psp
            and row.type == type
            and row.psp_reference not in self.taken
            and abs(row.gross_minor) >= least
            and currency in ("", row.currency)
            and (first or self.today - dt.timedelta(days=21)) <= row.at.date() <= last
        ]
        if not found:
            return None
        row = min(found, key=lambda one: (abs(one.at - wanted), one.psp_reference))
        self.taken.add(row.psp_reference)
        return row

    def tell(self, name: str, reference: str) -> None:
        self.planted.stories[name] = reference

    def near_the_cut_off(self) -> None:
        """A payment in the last hours of the last report's last day is not in it."""
        late = [
            row
            for row in self.rows
            if row.type == RowType.PAYMENT
            and row.psp in (CARDS, BANK)
            and row.at.date() == self.until
            and row.at.hour >= CUT_OFF_HOUR
        ]
        if late:
            row = max(late, key=lambda one: (one.at, one.psp_reference))
            self.taken.add(row.psp_reference)
            self.planted.dropped.add(row.psp_reference)
            self.tell("timing", row.psp_reference)

    def nobody_knows(self) -> None:
        """A payment that is in no book of ours; and a test that the PSP made with its own card."""
        for name, age, minor in (("stranger", 5, STRANGER_MINOR), ("test", 17, TEST_MINOR)):
            at = dt.datetime.combine(self.today - dt.timedelta(days=age), dt.time(14, 21, 9), tzinfo=dt.UTC)
            reference = f"pay_{name}{at:%Y%m%d}"
            self.planted.added.append(Row(CARDS, RowType.PAYMENT, reference, "", minor, minor // 50, "EUR", at))
            self.tell(name, reference)

    def amounts(self) -> None:
        """Two payments are less there than here: one waits for a second person, one was posted and taken back."""
        for name, age, minor in (("waiting", 11, WAITING_MINOR), ("taken-back", 13, SHORT_MINOR)):
            row = self.pick(CARDS, age)
            if row is not None:
                self.planted.replaced[row.psp_reference] = replace(row, gross_minor=row.gross_minor - minor)
                self.tell(name, row.psp_reference)

    def duplicate(self) -> None:
        row = self.pick(CARDS, 4)
        if row is not None:
            self.planted.added.append(replace(row, at=row.at + dt.timedelta(seconds=41)))
            self.tell("duplicate", row.psp_reference)

    def missing_there(self) -> None:
        row = self.pick(CARDS, 9, type=RowType.PAYOUT) or self.pick(CARDS, 9)
        if row is not None:
            self.planted.dropped.add(row.psp_reference)
            self.tell("missing-there", row.psp_reference)

    def currency(self) -> None:
        row = self.pick(CARDS, 8, currency="EUR")
        if row is not None:
            dollars = row.gross_minor * DOLLARS_PERCENT // 100
            self.planted.replaced[row.psp_reference] = replace(row, currency="USD", gross_minor=dollars)
            self.tell("currency", row.psp_reference)

    def chargeback(self) -> None:
        """Of a payment of two weeks ago; its notice never came."""
        row = self.pick(CARDS, 16)
        if row is not None:
            at = dt.datetime.combine(self.today - dt.timedelta(days=2), dt.time(9, 3, 11), tzinfo=dt.UTC)
            taken = replace(
                row,
                type=RowType.CHARGEBACK,
                psp_reference=f"dp_{row.psp_reference[-12:]}",
                gross_minor=-row.gross_minor,
                fee_minor=CHARGEBACK_FEE,
                at=max(at, row.at + dt.timedelta(hours=1)),
                original_reference=row.psp_reference,
            )
            self.planted.added.append(taken)
            self.tell("chargeback", taken.psp_reference)

    def other_reference(self) -> None:
        """Our reference and the amount, under a number of the PSP that we do not know."""
        row = self.pick(CARDS, 14)
        if row is not None:
            again = replace(row, psp_reference=f"{row.psp_reference[:-4]}0002")
            self.planted.replaced[row.psp_reference] = again
            self.tell("other-reference", again.psp_reference)

    def wrong_client(self) -> None:
        row = self.pick(CARDS, 6)
        other = next(
            (one for one in self.rows if row and one.psp == CARDS and one.client_id != row.client_id and one.client_id),
            None,
        )
        if row is not None and other is not None:
            wrong = replace(row, merchant_reference=other.merchant_reference)
            self.planted.replaced[row.psp_reference] = wrong
            self.tell("wrong-client", row.psp_reference)

    def fee(self) -> None:
        row = self.pick(BANK, 7, least=0)
        if row is not None:
            self.planted.replaced[row.psp_reference] = replace(row, fee_minor=row.fee_minor + FEE_MORE_MINOR)
            self.tell("fee", row.psp_reference)

    def long_missing(self) -> None:
        """One of last month that nobody has explained yet."""
        before = self.since - dt.timedelta(days=1)
        first = before.replace(day=1)
        row = self.pick(BANK, (self.today - first).days - 11, first=first, least=0)
        if row is not None and row.at.date() <= before and row.at.hour < CUT_OFF_HOUR:
            self.planted.dropped.add(row.psp_reference)
            self.tell("long-missing", row.psp_reference)

    def explained_later(self) -> None:
        """A payment of the evening before a month began stands in that month's report: its break has closed itself."""
        before = self.since - dt.timedelta(days=1)
        late = [
            row
            for row in self.rows
            if row.type == RowType.PAYMENT
            and row.psp in (CARDS, BANK)
            and row.psp_reference not in self.taken
            and row.at.date() == before
            and row.at.hour >= CUT_OFF_HOUR
        ]
        if late:
            row = max(late, key=lambda one: (one.at, one.psp_reference))
            at = dt.datetime.combine(self.since, dt.time(0, 4, 30), tzinfo=dt.UTC)
            self.taken.add(row.psp_reference)
            self.planted.replaced[row.psp_reference] = replace(row, at=at)
            self.tell("explained", row.psp_reference)
