"""Reads of money. Every one starts from what the user may see; functions that take a client trust a client already fetched."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from clients.models import Client
from crm.money import Money, from_minor
from crm.policies import require_permission
from crm.scope import reach_of
from wallet.choices import (
    WITHDRAWAL_UNDECIDED,
    AccountKind,
    DepositState,
    ExchangeState,
    TransferState,
    WaitingState,
    WithdrawalState,
)
from wallet.models import (
    Account,
    Balance,
    BonusGrant,
    Break,
    Deposit,
    Dispute,
    Exchange,
    FeeInvoice,
    Journal,
    ManualJournal,
    ManualJournalFile,
    Match,
    Period,
    Psp,
    ReportToConfirm,
    SettlementImport,
    Transfer,
    WebhookCount,
    WebhookMessage,
    Withdrawal,
)

REPORTS_WAITING_MAX = 20
HISTORY_MAX = 100
AnyMovement = Deposit | Withdrawal | Transfer | Exchange


def _of_reached_clients(user: Any) -> Q:
    """Rows of clients in the user's books; for a client login, their own."""
    if not user or not user.is_authenticated:
        return Q(pk__in=[])
    if user.is_client:
        return Q(client__user_id=user.pk)
    if not user.is_team:
        return Q(pk__in=[])
    return Q(client__book_id__in=reach_of(user).books)


def deposits_visible_to(user: Any) -> QuerySet[Deposit]:
    return Deposit.objects.filter(_of_reached_clients(user))


def withdrawals_visible_to(user: Any) -> QuerySet[Withdrawal]:
    return Withdrawal.objects.filter(_of_reached_clients(user))


def transfers_visible_to(user: Any) -> QuerySet[Transfer]:
    return Transfer.objects.filter(_of_reached_clients(user))


def disputes_visible_to(user: Any) -> QuerySet[Dispute]:
    return Dispute.objects.filter(_of_reached_clients(user))


def bonuses_visible_to(user: Any) -> QuerySet[BonusGrant]:
    return BonusGrant.objects.filter(_of_reached_clients(user))


def invoices_visible_to(user: Any) -> QuerySet[FeeInvoice]:
    return FeeInvoice.objects.filter(_of_reached_clients(user))


def exchanges_visible_to(user: Any) -> QuerySet[Exchange]:
    return Exchange.objects.filter(_of_reached_clients(user))


def psps_visible_to(user: Any) -> QuerySet[Psp]:
    return Psp.objects.filter(brand_id__in=reach_of(user).whole_brands)


def webhook_counts_visible_to(user: Any) -> QuerySet[WebhookCount]:
    return WebhookCount.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def webhooks_visible_to(user: Any) -> QuerySet[WebhookMessage]:
    return WebhookMessage.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def accounts_visible_to(user: Any) -> QuerySet[Account]:
    return Account.objects.filter(brand_id__in=reach_of(user).whole_brands)


def journals_visible_to(user: Any) -> QuerySet[Journal]:
    return Journal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def periods_visible_to(user: Any) -> QuerySet[Period]:
    return Period.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_journals_visible_to(user: Any) -> QuerySet[ManualJournal]:
    return ManualJournal.objects.filter(brand_id__in=reach_of(user).whole_brands)


def manual_files_visible_to(user: Any) -> QuerySet[ManualJournalFile]:
    return ManualJournalFile.objects.filter(manual__brand_id__in=reach_of(user).whole_brands)


def imports_visible_to(user: Any) -> QuerySet[SettlementImport]:
    return SettlementImport.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def waiting_reports(user: Any, *, is_statement: bool) -> list[ReportToConfirm]:
    rows = reports_to_confirm_visible_to(user).filter(state=WaitingState.WAITING, is_statement=is_statement)
    return list(rows.select_related("psp").defer("psp__sealed_credentials", "totals")[:REPORTS_WAITING_MAX])


def reports_to_confirm_visible_to(user: Any) -> QuerySet[ReportToConfirm]:
    return ReportToConfirm.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def breaks_visible_to(user: Any) -> QuerySet[Break]:
    return Break.objects.filter(brand_id__in=reach_of(user).whole_brands)


def one_of(rows: QuerySet, pk: int, user: Any, permission: str) -> Any:
    """One row, or 404 when it is not visible, NotAllowed (403) when it is but the role lacks the right."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    if user.is_team:
        require_permission(user, permission)
    return row


# ── for the trader's room and the client page ────────────────────────────────────────────────────────────────────────


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
    """The client's wallets that ever had a posting, and the one in the brand's base currency, which may still be empty."""
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


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a client's history, whatever its kind."""

    kind: str
    pk: int
    reference: str
    at: dt.datetime
    amount_minor: int
    currency: str
    state: str
    detail: str

    @property
    def amount(self) -> Decimal:
        """Signed: what leaves the wallet is below zero."""
        return from_minor(self.amount_minor, self.currency)

    @property
    def is_booked(self) -> bool:
        """Whether the wallet has it, or lacks it, for good: not what was asked for, refused, or given back whole."""
        return self.state in BOOKED[self.kind]

    @property
    def cursor(self) -> str:
        return f"{self.at.isoformat()}|{self.kind}|{self.pk}"

    @property
    def label(self) -> str:
        labels = {
            "deposit": _("Deposit"), "withdrawal": _("Withdrawal"), "transfer": _("Transfer"), "exchange": _("Exchange")
        }  # fmt: skip
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
SELECT kind, id, reference, at, amount_minor, currency, state, detail FROM (
  SELECT 'deposit' AS kind, d.id, d.reference, d.created_at AS at, coalesce(d.received_minor, d.amount_minor) AS amount_minor,
    coalesce(nullif(d.arrived_currency, ''), d.currency) AS currency, d.state, p.name AS detail
  FROM wallet_deposit d JOIN wallet_psp p ON p.id = d.psp_id WHERE d.client_id = %(client)s
  UNION ALL
  SELECT 'withdrawal', w.id, w.reference, w.requested_at, -w.amount_minor, w.currency, w.state,
    p.name || ' · ' || w.destination_label
  FROM wallet_withdrawal w JOIN wallet_psp p ON p.id = w.psp_id WHERE w.client_id = %(client)s
  UNION ALL
  SELECT 'transfer', t.id, t.reference, t.created_at,
    CASE t.direction WHEN 'to_trading' THEN -t.amount_minor ELSE t.amount_minor END, t.currency, t.state,
    t.trading_account_label
  FROM wallet_transfer t WHERE t.client_id = %(client)s
  UNION ALL
  SELECT 'exchange', e.id, e.reference, e.created_at, -e.amount_minor, e.currency, e.state,
    e.currency || ' → ' || e.got_currency
  FROM wallet_exchange e WHERE e.client_id = %(client)s
) m
WHERE %(at)s::timestamptz IS NULL OR (at, kind, id) < (%(at)s::timestamptz, %(kind)s, %(id)s)
ORDER BY at DESC, kind DESC, id DESC LIMIT %(limit)s
"""


def history_of(client: Client, *, after: str = "", limit: int = 25) -> list[Movement]:
    """Deposits, withdrawals and transfers, newest first; `after` is the cursor of the last line already shown."""
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
            {"client": client.pk, "at": at, "kind": kind, "id": pk, "limit": min(limit, HISTORY_MAX)},
        )
        return [Movement(*row) for row in cursor.fetchall()]


def deposit_of(user: Any, reference: str) -> Deposit:
    """A client's own deposit by its reference, for the page after the PSP; 404 when it is not theirs."""
    deposit = deposits_visible_to(user).select_related("psp").filter(reference=reference).first()
    if deposit is None:
        raise Http404
    return deposit


def withdrawal_of(user: Any, reference: str) -> Withdrawal:
    """A client's own withdrawal by its reference; 404 when it is not theirs."""
    withdrawal = withdrawals_visible_to(user).select_related("psp").filter(reference=reference).first()
    if withdrawal is None:
        raise Http404
    return withdrawal


def next_to_decide(user: Any, withdrawal: Withdrawal) -> int | None:
    """The request that waits next after this one in the queue; from the front again when there is none behind it."""
    waiting = (
        withdrawals_visible_to(user)
        .filter(state__in=WITHDRAWAL_UNDECIDED, part=1)
        .exclude(request_reference=withdrawal.request_reference)
    )
    numbers = waiting.order_by("id").values_list("pk", flat=True)
    return numbers.filter(pk__gt=withdrawal.pk).first() or numbers.first()


# ── a movement by its name ─────────────────────────────────────────────────────────────────────────────────────────────


def movement_by_reference(user: Any, reference: str) -> AnyMovement | None:
    """The movement that a reference names, if the user may see it."""
    rows: dict[str, Any] = {
        "D": deposits_visible_to(user), "W": withdrawals_visible_to(user), "T": transfers_visible_to(user),
        "X": exchanges_visible_to(user),
    }  # fmt: skip
    found = rows.get(reference[:1])
    return found.filter(reference=reference).first() if found is not None and reference[1:2] == "-" else None


def movements_starting_with(user: Any, start: str, limit: int) -> list[tuple[str, AnyMovement]]:
    """(kind, movement) whose reference starts so, for the search box."""
    kinds: dict[str, tuple[str, Any]] = {
        "D": ("deposit", deposits_visible_to(user)),
        "W": ("withdrawal", withdrawals_visible_to(user).defer("sealed_destination")),
        "T": ("transfer", transfers_visible_to(user)),
        "X": ("exchange", exchanges_visible_to(user)),
    }
    kind, rows = kinds[start[0]]
    return [(kind, row) for row in rows.filter(reference__startswith=start).order_by("reference")[:limit]]


def movement_of(user: Any, journal: Journal) -> AnyMovement | None:
    """The movement behind a journal, from its key 'deposit:D-…:settle'."""
    parts = journal.idempotency_key.split(":")
    return movement_by_reference(user, parts[1]) if len(parts) > 1 else None


# ── PSPs and reconciliation ──────────────────────────────────────────────────────────────────────────────────────────


def open_break_count(user: Any) -> int:
    """Of all kinds; their ageing is a page of its own."""
    return breaks_visible_to(user).filter(state="open").count()


def matches_of(report: SettlementImport, limit: int) -> list[Match]:
    """Some of the matches, for the eye."""
    return list(
        Match.objects.filter(row__report=report)
        .select_related("row", "movement__client")
        .defer("movement__client__search_text")
        .order_by("row__line")[:limit]
    )
