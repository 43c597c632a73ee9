"""Client money of a brand, per currency and day: what clients are owed compared with what the segregated bank holds.

    requirement  each client's wallet and equity on trading platforms; who is below zero is not netted against others;
                 and what arrived but isn't allocated yet (suspense, payments at the bank without an owner)
    resource     the client-money bank: the lower of our books and the bank's own statement of that day;
                 and, where the brand counts it, what PSPs have taken and not yet paid to the bank

A resource below the requirement is a shortfall, which the broker pays in at once; finance is notified. Days end at
midnight
UTC. The row of a day never changes: computed again (a statement came, a person asked) it gets a further version with a
reason.

The brand's policies `client_money_on_platforms` and `client_money_in_transit` say whether each counts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.errors import DomainError
from crm.events import publish
from crm.events.catalogue_money import ClientMoneyShort
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand, User
from crm.money.amounts import EXPONENTS, Money
from crm.notices.notify import notify, people_with
from crm.queue import catch_up
from crm.security import audit
from crm.security.policies import require
from crm.security.scope import reach_of
from wallet.audit_codes import WalletAction
from wallet.bank.positions import BANK_ADAPTER, BankPosition, bank_positions, end_of
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import Cover
from wallet.choices.notices import WalletNotice
from wallet.closing import policies
from wallet.core.limits import CLIENT_MONEY_IN_TRANSIT, CLIENT_MONEY_ON_PLATFORMS
from wallet.ledger import posting
from wallet.models import Account, ClientMoneyDay

DAYS_PER_RUN = 10  # after an outage; the next run goes on
TASK = "wallet.client_money"
TOLD_DAYS = 3  # a shortfall of an older day is on its page; nobody can pay it in any more
STATEMENT_WAIT_DAYS = 10  # so long after it was computed a day is computed again when the bank's statement of it comes

# Each client's wallets as of an instant and their equity on platforms: the last point of the day, else the newest before it.
# An account without any counts with the platform's current figure, while that is recent. Credit is the broker's, not the client's.
OWED = """
WITH wallet AS (
  SELECT a.client_id, a.currency, CASE WHEN b.last_posted_at <= %(at)s THEN b.credits_posted - b.debits_posted
    ELSE coalesce((
      SELECT p.balance_after FROM wallet_posting p
      WHERE p.account_id = a.id AND p.version = ledger_version_at(a.id, %(at)s)), 0) END AS minor
  FROM wallet_account a LEFT JOIN wallet_balance b ON b.account_id = a.id
  WHERE a.brand_id = %(brand)s AND a.kind = 'client_wallet'
), trading AS (
  SELECT t.client_id, t.currency, ceil((
    CASE WHEN e.at IS NULL THEN CASE WHEN %(at)s > now() - interval '3 days' THEN t.equity ELSE 0 END
      WHEN e.at < %(at)s - interval '26 hours' AND t.equity = 0 AND t.synced_at > e.at AND NOT e.is_followed THEN 0
      ELSE e.equity END - t.credit
    ) * 10 ^ coalesce((%(exponents)s::jsonb ->> t.currency)::int, 2))::bigint AS minor
  FROM trading_tradingaccount t
  JOIN clients_client c ON c.id = t.client_id AND c.brand_id = %(brand)s
  LEFT JOIN LATERAL (
    SELECT e.at, e.equity,
      EXISTS (SELECT 1 FROM trading_equitypoint l WHERE l.account_id = t.id AND l.at > %(at)s) AS is_followed
    FROM trading_equitypoint e WHERE e.account_id = t.id AND e.at <= %(at)s ORDER BY e.at DESC LIMIT 1
  ) e ON true
  WHERE %(platforms)s AND NOT t.is_demo AND t.login <> '' AND t.opened_at <= %(at)s
), client AS (
  SELECT client_id, currency, sum(w)::bigint AS w, sum(t)::bigint AS t FROM (
    SELECT client_id, currency, minor AS w, 0 AS t FROM wallet
    UNION ALL SELECT client_id, currency, 0, minor FROM trading
  ) both_sides GROUP BY client_id, currency
)
SELECT currency, sum(w)::bigint, sum(t)::bigint, sum(greatest(-(w + t), 0))::bigint,
  count(*) FILTER (WHERE w <> 0 OR t <> 0)
FROM client GROUP BY currency
"""


@dataclass(slots=True)
class Figures:
    """One currency at the end of a day, in minor units, before it is stored."""

    currency: str
    wallets: int = 0
    trading: int = 0
    debit: int = 0
    clients: int = 0
    suspense: int = 0
    transit: int = 0
    transit_counts: bool = True
    bank: BankPosition = field(default_factory=lambda: BankPosition(""))
    places: list[tuple[str, str, int]] = field(default_factory=list)
    day: dt.date = dt.date.min

    @property
    def unallocated(self) -> int:
        """Suspense, payments without an owner, and what the bank booked by then although it reached a wallet later."""
        return max(self.suspense, 0) + self.bank.unknown_minor + self.bank.late_minor

    @property
    def requirement(self) -> int:
        return self.wallets + self.trading + self.debit + self.unallocated

    @property
    def has_statement(self) -> bool:
        return self.bank.statement_on == self.day

    @property
    def bank_counted(self) -> int:
        """The lower of books and bank where the bank's statement of the day is imported, else the books.

        Money that a bank doesn't have never counts.
        """
        books = self.bank.books_minor
        return min(books, self.bank.statement_minor or 0) if self.has_statement else books

    @property
    def resource(self) -> int:
        return self.bank_counted + (self.transit if self.transit_counts else 0)

    @property
    def cover(self) -> Cover:
        if self.resource < self.requirement:
            return Cover.SHORT
        return Cover.COVERED if self.bank_counted >= self.requirement else Cover.TRANSIT

    def columns(self) -> dict[str, Any]:
        """Return the figures as the row stores them."""
        return {
            "wallets_minor": self.wallets,
            "trading_minor": self.trading,
            "debit_minor": self.debit,
            "unallocated_minor": self.unallocated,
            "requirement_minor": self.requirement,
            "bank_books_minor": self.bank.books_minor,
            "bank_statement_minor": self.bank.statement_minor,
            "statement_on": self.bank.statement_on,
            "bank_minor": self.bank_counted,
            "transit_minor": self.transit,
            "transit_counts": self.transit_counts,
            "resource_minor": self.resource,
            "difference_minor": self.resource - self.requirement,
            "cover": str(self.cover),
            "clients": self.clients,
            "places": [list(place) for place in self.places],
        }


# ── computing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def figures_of(brand: Brand, day: dt.date) -> list[Figures]:
    """Compute every currency in which something is owed or held at the end of a day. The number of queries is fixed."""
    at = end_of(day)
    figures: dict[str, Figures] = {}

    def of(currency: str) -> Figures:
        if currency not in figures:
            counts = CLIENT_MONEY_IN_TRANSIT.of(brand)
            figures[currency] = Figures(currency, transit_counts=counts, bank=BankPosition(currency), day=day)
        return figures[currency]

    with connection.cursor() as cursor:
        cursor.execute(
            OWED,
            {
                "brand": brand.pk,
                "at": at,
                "exponents": orjson.dumps(EXPONENTS).decode(),
                "platforms": CLIENT_MONEY_ON_PLATFORMS.of(brand),
            },
        )
        for currency, wallets, trading, debit, clients in cursor.fetchall():
            row = of(currency)
            row.wallets, row.trading, row.debit, row.clients = wallets, trading, debit, clients
    _held(brand, at, of)
    for currency, bank in bank_positions(brand.pk, day).items():
        row = of(currency)
        row.bank = bank
        row.transit -= min(bank.late_payouts_minor, row.transit)  # it had left the PSPs by then
        row.places += _bank_places(bank)
    return sorted(
        (row for row in figures.values() if row.clients or row.requirement or row.resource or row.bank.statement_minor),
        key=lambda row: (row.currency != brand.base_currency, row.currency),
    )


def _bank_places(bank: BankPosition) -> list[tuple[str, str, int]]:
    """List the components of the books' figure at the bank."""
    named = [
        ("bank", gettext_noop("Ledger balance"), bank.ledger_minor),
        ("bank", gettext_noop("Booked by the bank, posted later in the ledger"), bank.late_minor),
        ("bank", gettext_noop("Paid by PSPs, posted later in the ledger"), bank.late_payouts_minor),
        ("bank", gettext_noop("Unmatched payments"), bank.unknown_minor),
    ]
    return [place for place in named if place[2]]


def _held(brand: Brand, at: dt.datetime, of: Any) -> None:
    """Read PSPs' clearing accounts and suspense."""
    accounts = list(
        Account.objects.filter(brand=brand, kind__in=[AccountKind.PSP_CLEARING, AccountKind.SUSPENSE])
        .exclude(psp__adapter=BANK_ADAPTER)
        .select_related("psp")
        .defer("psp__sealed_credentials")
        .order_by("kind", "psp__name", "id")
    )
    balances = posting.balances([account.pk for account in accounts], at=at) if accounts else {}
    for account in accounts:
        row, minor = of(account.currency), balances[account.pk]
        if account.kind == AccountKind.SUSPENSE:
            row.suspense += minor
            if minor > 0:
                row.places.append(("unallocated", str(account.get_kind_display()), minor))
        elif minor:
            # A PSP that paid in advance is the broker's creditor: it doesn't reduce what others hold.
            row.transit += max(-minor, 0)
            row.places.append(("transit", str(account.psp), -minor))


def hash_of(brand_code: str, day: dt.date, currency: str, columns: dict[str, Any]) -> str:
    """Hash the figures of a day and currency: the same figures have the same hash."""
    figures = {name: value for name, value in sorted(columns.items()) if name != "places"}
    text = orjson.dumps([brand_code, day, currency, figures], default=str)
    return hashlib.sha256(text).hexdigest()


# ── keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def keep_day(*, brand: Brand, day: dt.date, actor: Actor = None, reason: str = "") -> list[ClientMoneyDay]:
    """Compute a day that is over and store it, as a further version where its figures differ from the stored ones.

    Who: the scheduler, or `wallet.close_period` on the brand with a reason. Returns the rows that were written.
    """
    if actor is not None:
        require(policies.can_close_period(actor, brand.pk))
        if not reason.strip():
            raise DomainError(_("Enter a reason for recalculating this day."))
    if end_of(day) >= timezone.now():
        raise DomainError(_("%(day)s isn't over yet.") % {"day": day.isoformat()})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.client_money'), %s)", [brand.pk])
    known = {row.currency: row for row in newest(ClientMoneyDay.objects.filter(brand=brand, day=day))}
    rows = []
    for figures in figures_of(brand, day):
        columns = figures.columns()
        mark = hash_of(brand.code, day, figures.currency, columns)
        before = known.get(figures.currency)
        if before is not None and before.content_hash == mark:
            continue
        why = reason.strip()[:300] or (_("Figures have changed") if before else "")
        rows.append(
            ClientMoneyDay(
                brand=brand,
                currency=figures.currency,
                day=day,
                version=before.version + 1 if before else 1,
                content_hash=mark,
                made_at=timezone.now(),
                made_by=actor,
                reason=why,
                **columns,
            )
        )
    ClientMoneyDay.objects.bulk_create(rows)
    for row in rows:
        if row.version > 1 or actor is not None:
            audit.record(
                actor=actor,
                action=WalletAction.CLIENT_MONEY_COMPUTED_AGAIN,
                target=row,
                brand_id=brand.pk,
                reason=row.reason,
                after={
                    "day": day.isoformat(),
                    "version": row.version,
                    "difference": str(Money(row.difference, row.currency)),
                },
            )
        if row.cover == Cover.SHORT and day >= timezone.now().date() - dt.timedelta(days=TOLD_DAYS):
            _alert(brand, row)
    return rows


def _alert(brand: Brand, row: ClientMoneyDay) -> None:
    """Notify finance of a shortfall, once per day, currency and version."""
    missing = Money(-row.difference, row.currency)
    notify(
        sorted(
            {
                *people_with("wallet.close_period", brand_id=brand.pk),
                *people_with("wallet.reopen_period", brand_id=brand.pk),
            }
        ),
        kind=WalletNotice.CLIENT_MONEY_SHORT,
        title=phrase("Client money shortfall at %(brand)s: %(money)s") % {"brand": brand, "money": missing},
        body=phrase("Shortfall at the end of %(day)s. Transfer the amount to the client money account today.")
        % {"day": row.day},
        url=f"/money/client-money/{brand.code}/{row.day.isoformat()}/",
        dedupe_key=f"client-money:{brand.pk}:{row.currency}:{row.day}:{row.version}",
    )
    publish(
        ClientMoneyShort(brand_id=brand.pk, day=row.day.isoformat(), currency=row.currency, missing=-row.difference)
    )


def newest(rows: QuerySet[ClientMoneyDay]) -> list[ClientMoneyDay]:
    """Select the last version of each day and currency among some rows."""
    return list(rows.order_by("-day", "currency", "-version").distinct("day", "currency").select_related("brand"))


def run_due(*, today: dt.date | None = None) -> int:
    """Compute the days that are over; run by the scheduler.

    Every day since the last one that is done, however long ago, ten of a brand in one run; and lately computed days
    whose bank statement has come since.
    """
    today = today or timezone.now().astimezone(dt.UTC).date()
    marks, written = catch_up.marks(TASK), 0
    for brand in Brand.objects.order_by("pk"):
        again = _with_new_statement(brand, today)
        written += _catch_up(brand, today - catch_up.DAY, marks.get(brand.code))
        for day in again:
            written += len(keep_day(brand=brand, day=day))
    return written


def _catch_up(brand: Brand, yesterday: dt.date, mark: dt.date | None) -> int:
    rows = ClientMoneyDay.objects.filter(brand=brand)
    first = mark + catch_up.DAY if mark else rows.aggregate(first=Min("day"))["first"] or yesterday
    stored = set(rows.filter(day__gte=first).values_list("day", flat=True))
    written = 0

    def compute(day: dt.date) -> bool:
        nonlocal written
        written += len(keep_day(brand=brand, day=day))
        return True

    catch_up.catch_up(
        catch_up.Days(TASK, brand.code, first, yesterday), done=stored, work=compute, at_most=DAYS_PER_RUN
    )
    return written


def _with_new_statement(brand: Brand, today: dt.date) -> list[dt.date]:
    """List days that were computed lately without the bank's statement of that day, which was imported since."""
    since = timezone.now() - dt.timedelta(days=STATEMENT_WAIT_DAYS)
    rows = ClientMoneyDay.objects.filter(brand=brand, day__lt=today, made_at__gte=since)
    waiting = sorted({row.day for row in newest(rows) if row.statement_on != row.day})
    return [
        day for day in waiting if day in {position.statement_on for position in bank_positions(brand.pk, day).values()}
    ]


def days_visible_to(user: User) -> QuerySet[ClientMoneyDay]:
    """Select the days of brands that the user reaches as a whole."""
    return ClientMoneyDay.objects.filter(brand_id__in=reach_of(user).whole_brands)
