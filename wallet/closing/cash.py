"""A brand's cash: what is owed to clients, what is held for them, and what is paid in and out.

    owed   clients' wallets (reserved money is still theirs), client money on trading platforms, money in suspense
    held   PSP clearing per PSP, the client-money bank

Held must not be less than owed: the rest is the broker's. Figures are signed by what they are, not by debit and
credit. A
PSP's reserve is not counted: nobody can pay a client from it before it is released. A clearing account on the other
side (a platform that paid out profits, a PSP that paid in advance) counts as nothing held and nothing owed: it is the
broker's to settle.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import from_minor, quantize
from crm.rates import fx
from wallet.choices import account_owners
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, WithdrawalState
from wallet.ledger import posting
from wallet.models import Account, Deposit, PspMovement, Withdrawal

HELD_KINDS = (AccountKind.PSP_CLEARING, AccountKind.CLIENT_MONEY_BANK)
OWED_KINDS = (AccountKind.PLATFORM_CLEARING, AccountKind.SUSPENSE)
OTHER_KINDS = (AccountKind.HOUSE_BANK, AccountKind.FX_POSITION, AccountKind.PSP_RESERVE)
ACCOUNTS_MAX = 500
CHART_DAYS = 30

WALLETS = """
SELECT a.currency, sum(b.credits_posted - b.debits_posted)::bigint, sum(b.debits_pending)::bigint, count(*)
FROM wallet_account a JOIN wallet_balance b ON b.account_id = a.id
WHERE a.brand_id = %s AND a.kind = 'client_wallet' GROUP BY a.currency
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An account that holds or owes money; amount in major units, above zero on its own side.

    waiting: payouts to be paid.
    """

    account_id: int
    label: str
    amount: Decimal
    psp_id: int | None = None
    waiting: Decimal = Decimal(0)

    @property
    def is_short(self) -> bool:
        """Whether the payouts that wait are more than the account has."""
        return self.waiting > max(self.amount, Decimal(0))


@dataclass(slots=True)
class CurrencyCash:
    """One currency of a brand, in major units."""

    currency: str
    wallets: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    wallet_count: int = 0
    held_at: list[Place] = field(default_factory=list)
    owed_at: list[Place] = field(default_factory=list)
    held_back_at: list[Place] = field(default_factory=list)
    house_bank: Decimal = Decimal(0)
    fx_position: Decimal = Decimal(0)
    fx_in_base: Decimal | None = None
    money_in: Decimal = Decimal(0)
    money_out: Decimal = Decimal(0)
    payouts: Decimal = Decimal(0)
    payout_count: int = 0
    unknown: Decimal = Decimal(0)
    unknown_count: int = 0
    deposits_held: Decimal = Decimal(0)
    deposits_held_count: int = 0

    @property
    def owed(self) -> Decimal:
        return self.wallets + sum((max(place.amount, Decimal(0)) for place in self.owed_at), Decimal(0))

    @property
    def held(self) -> Decimal:
        return sum((max(place.amount, Decimal(0)) for place in self.held_at), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """The broker's share of what is held; below zero client money is missing."""
        return self.held - self.owed

    @property
    def cover_percent(self) -> Decimal | None:
        return None if not self.owed else (self.held / self.owed * 100).quantize(Decimal("0.1"))

    @property
    def short_places(self) -> list[str]:
        """Name the accounts that hold less than the payouts that wait there."""
        return [place.label for place in self.held_at if place.is_short]

    @property
    def tone(self) -> str:
        """danger: less is held than owed. warning: covered, but something is not certain yet. success: covered."""
        if self.difference < 0:
            return "danger"
        uncertain = self.unknown_count or self.deposits_held_count or self.short_places
        return "warning" if uncertain else "success"


def cash_of(brand: Brand) -> list[CurrencyCash]:
    """Compute the cash of every currency of a brand, its base currency first. The number of queries is fixed."""
    currencies: dict[str, CurrencyCash] = {}

    def of(currency: str) -> CurrencyCash:
        return currencies.setdefault(currency, CurrencyCash(currency))

    with connection.cursor() as cursor:
        cursor.execute(WALLETS, [brand.pk])
        for currency, posted, reserved, count in cursor.fetchall():
            cash = of(currency)
            cash.wallets, cash.reserved = from_minor(posted, currency), from_minor(reserved, currency)
            cash.wallet_count = count
    waiting = _payouts(brand, of)
    _places(brand, of, waiting)
    _today(brand, of)
    _held_deposits(brand, of)
    for cash in currencies.values():
        cash.fx_in_base = _in_base(brand, cash.fx_position, cash.currency)
    return sorted(currencies.values(), key=lambda cash: (cash.currency != brand.base_currency, cash.currency))


def _places(brand: Brand, of: Any, waiting: dict[tuple[int | None, str], Decimal]) -> None:
    accounts = list(
        Account.objects.filter(brand=brand, kind__in=[*HELD_KINDS, *OWED_KINDS, *OTHER_KINDS])
        .select_related("psp")
        .defer("psp__sealed_credentials")
        .order_by("kind", "psp__name", "subject", "id")[:ACCOUNTS_MAX]
    )
    account_owners.warm(accounts)
    balances = posting.balances([account.pk for account in accounts]) if accounts else {}
    for account in accounts:
        cash, amount = of(account.currency), from_minor(balances[account.pk], account.currency)
        label = account.owner_label or str(account.get_kind_display())
        if account.kind in HELD_KINDS:
            due = waiting.get((account.psp_id, account.currency), Decimal(0))
            cash.held_at.append(Place(account.pk, label, -amount, account.psp_id, due))
        elif account.kind in OWED_KINDS:
            cash.owed_at.append(Place(account.pk, label, amount))
        elif account.kind == AccountKind.PSP_RESERVE:
            cash.held_back_at.append(Place(account.pk, label, -amount, account.psp_id))
        elif account.kind == AccountKind.HOUSE_BANK:
            cash.house_bank -= amount
        else:
            cash.fx_position += amount  # what clients gave away the house is long of


def _payouts(brand: Brand, of: Any) -> dict[tuple[int | None, str], Decimal]:
    """Sum the open payouts: per currency, and per PSP for what it must have."""
    per_psp: dict[tuple[int | None, str], Decimal] = defaultdict(Decimal)
    rows = (
        Withdrawal.objects.filter(brand=brand, state__in=WITHDRAWAL_OPEN)
        .order_by()
        .values("psp_id", "currency", "state")
        .annotate(minor=Sum("amount_minor"), count=Count("pk"))
    )
    for row in rows:
        cash, amount = of(row["currency"]), from_minor(int(row["minor"]), row["currency"])
        cash.payouts += amount
        cash.payout_count += row["count"]
        if row["state"] == WithdrawalState.UNKNOWN:
            cash.unknown += amount
            cash.unknown_count += row["count"]
        per_psp[row["psp_id"], row["currency"]] += amount
    return per_psp


def _today(brand: Brand, of: Any) -> None:
    for day, currency, money_in, money_out in _per_day(brand, _midnight(timezone.localdate())):
        if day == timezone.localdate():
            of(currency).money_in, of(currency).money_out = money_in, money_out


def _held_deposits(brand: Brand, of: Any) -> None:
    """Sum held deposits, in the currency in which they arrived, as far as that is known."""
    rows = (
        Deposit.objects.filter(brand=brand, state=DepositState.HELD)
        .order_by()
        .values("currency")
        .annotate(minor=Sum("amount_minor"), count=Count("pk"))
    )
    for row in rows:
        cash = of(row["currency"])
        cash.deposits_held, cash.deposits_held_count = from_minor(int(row["minor"]), row["currency"]), row["count"]


def _in_base(brand: Brand, amount: Decimal, currency: str) -> Decimal | None:
    """Convert at the last reference rate; None where a currency has none."""
    if not amount:
        return Decimal(0)
    try:
        rate = fx.rate(currency, brand.base_currency, on=timezone.now().date())
    except fx.NoRate:
        return None
    return quantize(rate.convert(amount), brand.base_currency)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _per_day(brand: Brand, since: dt.datetime, currency: str = "") -> Iterable[tuple[dt.date, str, Decimal, Decimal]]:
    """Sum what PSPs moved per day: (day, currency, in, out), both above zero; days are the reader's."""
    rows = PspMovement.objects.filter(psp__brand=brand, occurred_at__gte=since)
    if currency:
        rows = rows.filter(currency=currency)
    sums: dict[tuple[dt.date, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    days = rows.annotate(day=TruncDate("occurred_at"))
    for side, part in ((0, days.filter(amount_minor__gt=0)), (1, days.filter(amount_minor__lt=0))):
        for row in part.order_by().values("day", "currency").annotate(minor=Sum("amount_minor")):
            sums[row["day"], row["currency"]][side] += abs(from_minor(int(row["minor"]), row["currency"]))
    return [(day, code, both[0], both[1]) for (day, code), both in sorted(sums.items())]


@dataclass(frozen=True, slots=True)
class Flow:
    """In and out per day of the last thirty, in one currency."""

    days: Sequence[dt.date]
    money_in: Sequence[Decimal]
    money_out: Sequence[Decimal]


def flow_of(brand: Brand, currency: str) -> Flow:
    """Compute the in and out per day of the last thirty days of a brand in one currency."""
    today = timezone.localdate()
    days = [today - dt.timedelta(days=back) for back in range(CHART_DAYS - 1, -1, -1)]
    sums = {day: (came, went) for day, _code, came, went in _per_day(brand, _midnight(days[0]), currency)}
    zero = (Decimal(0), Decimal(0))
    return Flow(days, [sums.get(day, zero)[0] for day in days], [sums.get(day, zero)[1] for day in days])
