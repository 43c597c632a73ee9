"""An account's history, page by page, with the balance after every posting.

A wallet's postings carry their balance. A house account's have none: the balance at the page's first row is read from
the last checkpoint before it and what came after, and the rows below follow from it; so no page adds the whole account
up.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import TupleLessThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.money.amounts import from_minor, to_minor
from crm.ui.exports import defuse
from crm.ui.forms import DayInput
from wallet.choices.ledger import JournalKind, Layer
from wallet.ledger import posting as ledger
from wallet.models import Account, Posting

PAGE_SIZE = 50
EXPORT_MAX = 500_000
JUST_BEFORE = dt.timedelta(microseconds=1)
# Every day that a broker can mean; the calendar's first and last have no neighbour to count to.
DAYS = [MinValueValidator(dt.date(1970, 1, 1)), MaxValueValidator(dt.date(2199, 12, 31))]

# Of each row: the last checkpoint before it and what was posted since, up to and with the row.
AFTER_EACH = """
SELECT r.journal_id, r.line, (coalesce(c.balance_minor, 0) + coalesce((
    SELECT sum(p.amount_minor) FROM wallet_posting p
    WHERE p.account_id = %(account)s AND p.version IS NULL AND p.layer = 0 AND p.posted_at > coalesce(c.at, '-infinity')
      AND (p.posted_at, p.journal_id, p.line) <= (r.at, r.journal_id, r.line)), 0))::bigint
FROM unnest(%(at)s::timestamptz[], %(journals)s::bigint[], %(lines)s::int[]) AS r(at, journal_id, line)
LEFT JOIN LATERAL (
  SELECT k.at, k.balance_minor FROM wallet_checkpoint k WHERE k.account_id = %(account)s AND k.at < r.at
  ORDER BY k.at DESC LIMIT 1
) c ON true
"""


class HistoryForm(forms.Form):
    """The filters of a history; they are in the address."""

    kind = forms.ChoiceField(required=False, label=_("Kind"))
    first = forms.DateField(required=False, label=_("From"), widget=DayInput(), validators=DAYS)
    last = forms.DateField(required=False, label=pgettext_lazy("day", "To"), widget=DayInput(), validators=DAYS)
    least = forms.DecimalField(required=False, label=_("Amount from"), min_value=0, max_digits=18, decimal_places=8)
    most = forms.DecimalField(required=False, label=_("Amount to"), min_value=0, max_digits=18, decimal_places=8)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("All")), *JournalKind.choices]  # type: ignore[attr-defined]

    @property
    def narrows(self) -> bool:
        return self.is_valid() and any(value not in (None, "") for value in self.cleaned_data.values())

    def apply(self, rows: QuerySet[Posting], account: Account) -> QuerySet[Posting]:
        """Filter postings by the form; days are the reader's, amounts count without their sign."""
        if not self.is_valid():
            return rows
        values = self.cleaned_data
        if values["kind"]:
            rows = rows.filter(journal__kind=values["kind"])
        if values["first"]:
            rows = rows.filter(_posted("gt", account, _midnight(values["first"]) - JUST_BEFORE))
        if values["last"]:
            rows = rows.filter(_posted("lte", account, _midnight(values["last"] + dt.timedelta(days=1)) - JUST_BEFORE))
        if values["least"] is not None:
            minor = _minor(values["least"], account.currency)
            rows = rows.filter(Q(amount_minor__gte=minor) | Q(amount_minor__lte=-minor))
        if values["most"] is not None:
            minor = _minor(values["most"], account.currency)
            rows = rows.filter(amount_minor__range=(-minor, minor))
        return rows


def _posted(side: str, account: Account, at: dt.datetime) -> Q:
    """Filter what was posted to the account by an instant ("lte") or after it ("gt").

    A bounded account's postings are found by their versions, which have an index.
    """
    if account.is_bounded:
        return Q(**{f"version__{side}": ledger.version_at(account, at)})
    return Q(**{f"posted_at__{side}": at})


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _minor(amount: Decimal, currency: str) -> int:
    """Convert a bound into minor units; one finer than the currency is rounded up to the next unit."""
    try:
        return to_minor(amount, currency)
    except ValueError:
        return int(amount.scaleb(8)) // 10**8 + 1


@dataclass(frozen=True, slots=True)
class HistoryRow:
    posting: Posting
    balance: Decimal


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """rows: newest first. before: the balance before the oldest row shown (None for a filtered history)."""

    rows: Sequence[HistoryRow]
    next_cursor: str
    before: Decimal | None


def history_page(account: Account, *, until: dt.datetime | None, cursor: str, form: HistoryForm) -> HistoryPage:
    """Read a page by position: the cursor is the last row's place.

    Two or three queries, whatever the account's size.
    """
    rows = Posting.objects.filter(account=account, version__isnull=not account.is_bounded).select_related("journal")
    rows = form.apply(rows, account)
    if until is not None:
        rows = rows.filter(_posted("lte", account, until))
    order = ("version",) if account.is_bounded else ("posted_at", "journal_id", "line")
    place = _read_cursor(cursor)
    if place is not None and len(place) == len(order):
        rows = rows.filter(TupleLessThan(tuple(map(F, order)), place))
    postings = list(rows.order_by(*(f"-{name}" for name in order))[: PAGE_SIZE + 1])
    last = postings[PAGE_SIZE - 1] if len(postings) > PAGE_SIZE else None
    next_cursor = _cursor(*(getattr(last, name) for name in order)) if last else ""
    shown = postings[:PAGE_SIZE]
    balances = _balances(account, shown, is_whole=not form.narrows)
    before = None
    if shown and not form.narrows:
        oldest = shown[-1]
        before = from_minor(
            balances[-1] - (oldest.amount_minor if oldest.layer == Layer.MONEY else 0), account.currency
        )
    lines = [HistoryRow(row, from_minor(minor, account.currency)) for row, minor in zip(shown, balances, strict=True)]
    return HistoryPage(lines, next_cursor, before)


def _cursor(*place: dt.datetime | int) -> str:
    return "|".join(part.isoformat() if isinstance(part, dt.datetime) else str(part) for part in place)


def _read_cursor(cursor: str) -> tuple[dt.datetime, int, int] | tuple[int] | None:
    """Parse a cursor: the last row's version, or its time, journal and line; None where it is invalid."""
    try:
        match cursor.split("|"):
            case [version]:
                return (int(version),)
            case [at, journal_id, line]:
                moment = dt.datetime.fromisoformat(at)
                return (moment, int(journal_id), int(line)) if timezone.is_aware(moment) else None
    except ValueError:
        pass
    return None


def _balances(account: Account, rows: Sequence[Posting], *, is_whole: bool) -> list[int]:
    """Compute the balance after each row, in minor units."""
    if not rows:
        return []
    if account.is_bounded:
        return [row.balance_after or 0 for row in rows]
    if not is_whole:
        return _after_each(account, rows)
    balances = _after_each(account, rows[:1])
    for row in rows[:-1]:
        balances.append(balances[-1] - (row.amount_minor if row.layer == Layer.MONEY else 0))
    return balances


def _after_each(account: Account, rows: Sequence[Posting]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            AFTER_EACH,
            {
                "account": account.pk,
                "at": [row.posted_at for row in rows],
                "journals": [row.journal_id for row in rows],
                "lines": [row.line for row in rows],
            },
        )
        balances = {(journal_id, line): minor for journal_id, line, minor in cursor.fetchall()}
    return [balances[row.journal_id, row.line] for row in rows]


# ── export ───────────────────────────────────────────────────────────────────────────────────────────────────────────

HEADINGS = [
    "posted",
    "business_day",
    "journal",
    "kind",
    "description",
    "layer",
    "debit",
    "credit",
    "balance",
    "currency",
]


def write_csv(
    account: Account, *, until: dt.datetime, form: HistoryForm, path: Path, progress: Callable[[int, int, str], object]
) -> int:
    """Write the history as the page shows it, newest first, page by page; return how many rows."""
    cursor, done = "", 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        while True:
            page = history_page(account, until=until, cursor=cursor, form=form)
            for row in page.rows:
                writer.writerow(_cells(row))
            done += len(page.rows)
            cursor = page.next_cursor
            progress(done, 0, "")
            if not cursor or done >= EXPORT_MAX:
                return done


def _cells(row: HistoryRow) -> list[Any]:
    posting = row.posting
    debit, credit = (posting.amount_abs, "") if posting.amount_minor < 0 else ("", posting.amount_abs)
    return [
        posting.posted_at.isoformat(),
        posting.journal.business_on,
        posting.journal_id,
        posting.journal.kind,
        defuse(posting.journal.description),
        Layer(posting.layer).name.lower(),
        debit,
        credit,
        row.balance,
        posting.currency,
    ]
