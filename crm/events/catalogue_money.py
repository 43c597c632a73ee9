"""Events of trading and money. Amounts are Decimal in major units of `currency`; ids are those of the publishing app's rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from crm.events.bus import Event, Label


# ── trading ────────────────────────────────────────────────────────────────────────────────────────────────────────
class TradingAccountOpened(Event):
    """The platform confirmed a new account."""

    name: ClassVar[str] = "trading.account_opened"
    label: ClassVar[Label] = _("Trading account opened")
    account_id: int
    platform: str
    login: str


class TradingAccountImported(Event):
    """An account that was on the platform already is a client's here now; its deals follow as `DealsSynced`."""

    name: ClassVar[str] = "trading.account_imported"
    label: ClassVar[Label] = _("Trading account imported")
    account_id: int
    platform: str
    login: str


class TradingAccountMissing(Event):
    """The platform no longer lists an account; `because` is archived or gone."""

    name: ClassVar[str] = "trading.account_missing"
    label: ClassVar[Label] = _("Trading account missing on platform")
    account_id: int
    login: str
    because: str


class TradingAccountReturned(Event):
    """The platform lists it again."""

    name: ClassVar[str] = "trading.account_returned"
    label: ClassVar[Label] = _("Trading account back on platform")
    account_id: int
    login: str


class TradingAccountChanged(Event):
    """A dealer changed group, leverage or rights on the platform itself."""

    name: ClassVar[str] = "trading.account_changed"
    label: ClassVar[Label] = _("Trading account changed on platform")
    account_id: int
    login: str
    fields: tuple[str, ...]


class BalanceOperationSettled(Event):
    """A balance operation on a platform reached its end: confirmed, or failed for good."""

    name: ClassVar[str] = "trading.balance_operation_settled"
    label: ClassVar[Label] = _("Balance operation settled")
    operation_id: int
    account_id: int
    confirmed: bool
    amount: Decimal
    currency: str


class DealsSynced(Event):
    """New or changed deals of one server are in the table; `deal_ids` holds at most 1,000."""

    name: ClassVar[str] = "trading.deals_synced"
    label: ClassVar[Label] = _("Deals synced")
    server_id: int
    deal_ids: tuple[int, ...]
    client_ids: tuple[int, ...] = ()


class DealsResolved(Event):
    """Known deals count as something else now: their symbol was mapped. `deal_ids` holds at most 1,000."""

    name: ClassVar[str] = "trading.deals_resolved"
    label: ClassVar[Label] = _("Deals mapped to a symbol")
    server_id: int
    deal_ids: tuple[int, ...]
    client_ids: tuple[int, ...] = ()


class MarginLevelFell(Event):
    """An account's margin level (per cent) fell below a limit of its brand: published once until it has recovered.

    `severity`: warning, call, stop.
    """

    name: ClassVar[str] = "trading.margin_level_fell"
    label: ClassVar[Label] = _("Margin level fell")
    account_id: int
    alert_id: int
    severity: str
    limit: Decimal
    level: Decimal


# ── wallet ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class DepositSettled(Event):
    """Money arrived and is booked; `is_first` marks the FTD."""

    name: ClassVar[str] = "wallet.deposit_settled"
    label: ClassVar[Label] = _("Deposit settled")
    deposit_id: int
    amount: Decimal
    currency: str
    psp: str
    is_first: bool = False
    settled_at: dt.datetime | None = None


class DepositFailed(Event):
    """The PSP reports that a payment failed; `reason` is the PSP's."""

    name: ClassVar[str] = "wallet.deposit_failed"
    label: ClassVar[Label] = _("Deposit failed")
    deposit_id: int
    amount: Decimal
    currency: str
    psp: str
    reason: str = ""


class DepositHeld(Event):
    """Money arrived that a person has to review before it is booked; `reasons` are those of `wallet.HoldReason`."""

    name: ClassVar[str] = "wallet.deposit_held"
    label: ClassVar[Label] = _("Deposit held for review")
    deposit_id: int
    amount: Decimal
    currency: str
    reasons: tuple[str, ...] = ()


class DepositReversed(Event):
    """A refund or chargeback took (part of) a deposit back: commissions may claw back. `reference` is that of the refund."""

    name: ClassVar[str] = "wallet.deposit_reversed"
    label: ClassVar[Label] = _("Deposit reversed")
    deposit_id: int
    amount: Decimal
    currency: str
    kind: str
    dispute_id: int | None = None
    reference: str = ""


class ChallengeSold(Event):
    """A client bought a prop challenge for this fee, paid from the wallet."""

    name: ClassVar[str] = "prop.challenge_sold"
    label: ClassVar[Label] = _("Challenge sold")
    challenge_id: int
    amount: Decimal
    currency: str
    sold_at: dt.datetime


class ChallengeFeeReturned(Event):
    """The whole fee of a challenge was refunded with a payout, or charged back: `cause` is `refunded` or `charged_back`.

    amount, sold_at: as in its ChallengeSold.
    """

    name: ClassVar[str] = "prop.challenge_fee_returned"
    label: ClassVar[Label] = _("Challenge fee returned")
    challenge_id: int
    amount: Decimal
    currency: str
    sold_at: dt.datetime
    cause: str


class DepositRestored(Event):
    """A chargeback was reversed, or a refund came back: (part of) the deposit is in the wallet again.

    `reference` is that of its DepositReversed; `dispute_id` is empty for a refund.
    """

    name: ClassVar[str] = "wallet.deposit_restored"
    label: ClassVar[Label] = _("Deposit restored")
    deposit_id: int
    dispute_id: int | None
    amount: Decimal
    currency: str
    reference: str = ""


class DisputeOpened(Event):
    """The payer's bank asks about a deposit, or has taken it back."""

    name: ClassVar[str] = "wallet.dispute_opened"
    label: ClassVar[Label] = _("Dispute opened")
    dispute_id: int
    deposit_id: int
    amount: Decimal
    currency: str
    reason: str = ""
    evidence_due_at: dt.datetime | None = None


class WithdrawalRequested(Event):
    """A client asked for money; it is reserved."""

    name: ClassVar[str] = "wallet.withdrawal_requested"
    label: ClassVar[Label] = _("Withdrawal requested")
    withdrawal_id: int
    amount: Decimal
    currency: str
    needs_review: bool = True


class WithdrawalApproved(Event):
    """The checks, or those who approve withdrawals, released it to be paid."""

    name: ClassVar[str] = "wallet.withdrawal_approved"
    label: ClassVar[Label] = _("Withdrawal approved")
    withdrawal_id: int


class WithdrawalSettled(Event):
    """The PSP paid."""

    name: ClassVar[str] = "wallet.withdrawal_settled"
    label: ClassVar[Label] = _("Withdrawal paid")
    withdrawal_id: int
    amount: Decimal
    currency: str


class WithdrawalRefused(Event):
    """Rejected by staff, cancelled by the client, or failed at the PSP: the money is back in the wallet."""

    name: ClassVar[str] = "wallet.withdrawal_refused"
    label: ClassVar[Label] = _("Withdrawal refused")
    withdrawal_id: int
    amount: Decimal
    currency: str
    reason: str = ""


class TransferSettled(Event):
    """Money moved between wallet and trading account."""

    name: ClassVar[str] = "wallet.transfer_settled"
    label: ClassVar[Label] = _("Transfer settled")
    transfer_id: int
    amount: Decimal
    currency: str
    direction: str


class ReconciliationFinished(Event):
    """A settlement file was matched."""

    name: ClassVar[str] = "wallet.reconciliation_finished"
    label: ClassVar[Label] = _("Reconciliation finished")
    run_id: int
    matched: int
    breaks: int


class PeriodClosed(Event):
    """A month of a brand's books is closed; `closing` counts how often it was."""

    name: ClassVar[str] = "wallet.period_closed"
    label: ClassVar[Label] = _("Month closed")
    period_id: int
    closing: int


class PeriodReopened(Event):
    """Two people opened a closed month again; `closing` is the one that no longer counts."""

    name: ClassVar[str] = "wallet.period_reopened"
    label: ClassVar[Label] = _("Month reopened")
    period_id: int
    closing: int


class ClientMoneyShort(Event):
    """At the end of a day less was held for clients than they are owed; `missing` in major units of the currency."""

    name: ClassVar[str] = "wallet.client_money_short"
    label: ClassVar[Label] = _("Client money shortfall")
    day: str
    currency: str
    missing: Decimal


class ManualJournalPosted(Event):
    """A journal that one person wrote and another one posted."""

    name: ClassVar[str] = "wallet.manual_journal_posted"
    label: ClassVar[Label] = _("Manual journal posted")
    manual_id: int
    journal_id: int
