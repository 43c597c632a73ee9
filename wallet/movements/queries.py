"""A client's wallets, and movements of every kind by reference, journal or time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.http import Http404
from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import User
from crm.money.amounts import Money, from_minor
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.psp import method_name
from wallet.choices.transfers import ExchangeState, TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.core.queries import (
    AnyMovement,
    deposits_visible_to,
    exchanges_visible_to,
    transfers_visible_to,
    withdrawals_visible_to,
)
from wallet.models import Balance, Deposit, Exchange, Journal, Transfer, Withdrawal

HISTORY_MAX = 100


@dataclass(frozen=True, slots=True)
class Wallet:
    """A client's wallet as a page shows it, in major units."""

    account_id: int
    currency: str
    balance: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        return self.balance - self.reserved

    @property
    def money(self) -> Money:
        return Money(self.available, self.currency)


def wallets_of(client: Client) -> list[Wallet]:
    """List the client's wallets that ever had a posting, and the one in the brand's base currency.

    The latter may be empty still, or not opened (account_id 0).
    """
    rows = Balance.objects.filter(account__client=client, account__kind=AccountKind.CLIENT_WALLET).select_related(
        "account"
    )
    wallets = [
        Wallet(
            account_id=row.account_id,
            currency=row.account.currency,
            balance=from_minor(row.posted_minor, row.account.currency),
            reserved=from_minor(row.reserved_minor, row.account.currency),
        )
        for row in rows
        if row.version or row.account.currency == client.brand.base_currency
    ]
    if not any(wallet.currency == client.brand.base_currency for wallet in wallets):
        wallets.append(Wallet(0, client.brand.base_currency, Decimal(0), Decimal(0)))
    return sorted(wallets, key=lambda wallet: (wallet.currency != client.brand.base_currency, wallet.currency))


# A refund is a withdrawal of its own; a chargeback and a payout that came back leave nothing of what was booked.
BOOKED: dict[str, frozenset[str]] = {
    "deposit": frozenset({DepositState.SETTLED, DepositState.REFUNDED, DepositState.CHARGEBACK_REVERSED}),
    "withdrawal": frozenset({WithdrawalState.SETTLED}),
    "transfer": frozenset({TransferState.SETTLED}),
    "exchange": frozenset({ExchangeState.SETTLED}),
}


# What changes a wallet without a movement of its own: the journal itself is the line. So is the reversal of one.
BOOKINGS = (
    JournalKind.OPENING,
    JournalKind.COMMISSION_PAYOUT,
    JournalKind.REBATE,
    JournalKind.BONUS,
    JournalKind.CHALLENGE_FEE,
    JournalKind.CHALLENGE_PAYOUT,
    JournalKind.ADJUSTMENT,
)
# Postings of a wallet that are searched for them. A movement has at most a handful, so that a page of them is shorter.
SEARCHED = 2_000


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a client's history, whatever its kind. That of a booking has its journal's id, and its kind as state."""

    kind: str
    pk: int
    reference: str
    at: dt.datetime
    amount_minor: int
    currency: str
    state: str
    detail: str
    psp: str = ""
    psp_kind: str = ""
    method_label: str = ""

    @property
    def detail_for_client(self) -> str:
        """How it was paid, or where it went: the detail without the provider's name."""
        if not self.psp:
            return self.detail
        named = str(method_name(self.psp_kind, label=self.method_label, psp_name=self.psp, currency=self.currency))
        destination = self.detail.removeprefix(self.psp).removeprefix(" · ")
        return f"{named} · {destination}" if destination else named

    @property
    def amount(self) -> Decimal:
        """Signed: what leaves the wallet is below zero."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def is_booked(self) -> bool:
        """Whether it changed the wallet for good: not what was requested, refused, or returned whole."""
        return not self.has_state or self.state in BOOKED[self.kind]

    @property
    def has_state(self) -> bool:
        """Whether it is a movement, with a page and a state; a booking is a journal and done."""
        return self.kind != "booking"

    @property
    def cursor(self) -> str:
        return f"{self.at.isoformat()}|{self.kind}|{self.pk}"

    @property
    def label(self) -> str:
        if not self.has_state:
            return str(JournalKind(self.state).label)
        labels = {
            "deposit": _("Deposit"),
            "withdrawal": _("Withdrawal"),
            "transfer": _("Transfer"),
            "exchange": _("Currency exchange"),
        }
        return labels[self.kind]

    @property
    def url_name(self) -> str:
        return f"wallet:{self.kind}"

    @property
    def source(self) -> Any:
        """Something with `get_state_display` and a badge colour, for `{% badge movement.source "state" %}`."""
        models: dict[str, Any] = {
            "deposit": Deposit,
            "withdrawal": Withdrawal,
            "transfer": Transfer,
            "exchange": Exchange,
        }
        return models[self.kind](state=self.state)


HISTORY = """
SELECT kind, id, reference, at, amount_minor, currency, state, detail, psp, psp_kind, label FROM (
  SELECT 'deposit' AS kind, d.id, d.reference, d.created_at AS at, coalesce(d.received_minor, d.amount_minor) AS amount_minor,
    coalesce(nullif(d.arrived_currency, ''), d.currency) AS currency, d.state, p.name AS detail, p.name AS psp,
    coalesce(m.kind, p.kind) AS psp_kind, coalesce(m.label, '') AS label
  FROM wallet_deposit d JOIN wallet_psp p ON p.id = d.psp_id LEFT JOIN wallet_paymentmethod m ON m.id = d.payment_method_id
  WHERE d.client_id = %(client)s
  UNION ALL
  SELECT 'withdrawal', w.id, w.reference, w.requested_at, -w.amount_minor, w.currency, w.state,
    p.name || ' · ' || w.destination_label, p.name, p.kind, ''
  FROM wallet_withdrawal w JOIN wallet_psp p ON p.id = w.psp_id WHERE w.client_id = %(client)s
  UNION ALL
  SELECT 'transfer', t.id, t.reference, t.created_at,
    CASE t.direction WHEN 'to_trading' THEN -t.amount_minor ELSE t.amount_minor END, t.currency, t.state,
    t.trading_account_label, '', '', ''
  FROM wallet_transfer t WHERE t.client_id = %(client)s
  UNION ALL
  SELECT 'exchange', e.id, e.reference, e.created_at, -e.amount_minor, e.currency, e.state,
    e.currency || ' → ' || e.got_currency, '', '', ''
  FROM wallet_exchange e WHERE e.client_id = %(client)s
  UNION ALL
  SELECT 'booking', j.id, '', p.posted_at, p.amount_minor, p.currency, j.kind, '', '', '', ''
  FROM wallet_account a
  CROSS JOIN LATERAL (
    SELECT journal_id, layer, posted_at, amount_minor, currency FROM wallet_posting
    WHERE account_id = a.id AND version IS NOT NULL AND (%(at)s::timestamptz IS NULL OR posted_at <= %(at)s::timestamptz)
    ORDER BY version DESC LIMIT %(searched)s
  ) p
  JOIN wallet_journal j ON j.id = p.journal_id
  LEFT JOIN wallet_journal r ON r.id = j.reverses_id
  WHERE a.client_id = %(client)s AND a.kind = 'client_wallet' AND p.layer = 0 AND coalesce(r.kind, j.kind) = ANY(%(bookings)s)
) m
WHERE %(at)s::timestamptz IS NULL OR (at, kind, id) < (%(at)s::timestamptz, %(kind)s, %(id)s)
ORDER BY at DESC, kind DESC, id DESC LIMIT %(limit)s
"""


def history_of(client: Client, *, after: str = "", limit: int = 25) -> list[Movement]:
    """List movements and what else was booked on the wallets, newest first; `after` is the cursor of the last line shown."""
    at, kind, pk = None, "", 0
    if after:
        try:
            stamp, kind, number = after.split("|")
            at, pk = dt.datetime.fromisoformat(stamp), int(number)
        except ValueError:
            return []
    with connection.cursor() as cursor:
        cursor.execute(
            HISTORY,
            {
                "client": client.pk,
                "at": at,
                "kind": kind,
                "id": pk,
                "limit": min(limit, HISTORY_MAX),
                "searched": SEARCHED,
                "bookings": [kind.value for kind in BOOKINGS],
            },
        )
        return [Movement(*row) for row in cursor.fetchall()]


def deposit_of(user: User, reference: str) -> Deposit:
    """Return a client's own deposit by its reference; Http404 when it is not theirs."""
    deposit = deposits_visible_to(user).select_related("psp").filter(reference=reference).first()
    if deposit is None:
        raise Http404
    return deposit


def withdrawal_of(user: User, reference: str) -> Withdrawal:
    """Return a client's own withdrawal by its reference; Http404 when it is not theirs."""
    withdrawal = withdrawals_visible_to(user).select_related("psp").filter(reference=reference).first()
    if withdrawal is None:
        raise Http404
    return withdrawal


def movement_by_reference(user: User, reference: str) -> AnyMovement | None:
    """Find the movement that a reference names; None where the user may not see it."""
    rows: dict[str, Any] = {
        "D": deposits_visible_to(user),
        "W": withdrawals_visible_to(user),
        "T": transfers_visible_to(user),
        "X": exchanges_visible_to(user),
    }
    movements = rows.get(reference[:1])
    return movements.filter(reference=reference).first() if movements is not None and reference[1:2] == "-" else None


def movements_starting_with(user: User, start: str, limit: int) -> list[tuple[str, AnyMovement]]:
    """List (kind, movement) whose reference starts so, for the search box."""
    kinds: dict[str, tuple[str, Any]] = {
        "D": ("deposit", deposits_visible_to(user)),
        "W": ("withdrawal", withdrawals_visible_to(user).defer("sealed_destination")),
        "T": ("transfer", transfers_visible_to(user)),
        "X": ("exchange", exchanges_visible_to(user)),
    }
    kind, rows = kinds[start[0]]
    return [(kind, row) for row in rows.filter(reference__startswith=start).order_by("reference")[:limit]]


def movement_of(user: User, journal: Journal) -> AnyMovement | None:
    """Find the movement behind a journal, from its key 'deposit:D-…:settle'."""
    parts = journal.idempotency_key.split(":")
    return movement_by_reference(user, parts[1]) if len(parts) > 1 else None
