"""What Keelson needs of a payment service provider, whoever it is.

Money that leaves is never sent twice: an adapter must tell "certainly not done" (`PspRefused`, `PspUnreachable`) from "may
have been done" (`PspUnknown`). The latter is looked up by our reference, never repeated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from crm.errors import OutsideWorldError
from wallet.choices import Verdict


class Capability(StrEnum):
    REDIRECT = "redirect"
    PAYOUT = "payout"
    REFUND = "refund"
    LOOK_UP = "look_up"
    SETTLEMENT_FILE = "settlement_file"


class PspRefused(OutsideWorldError):
    """The PSP understood and said no: nothing was booked there."""

    code = "psp_refused"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class PspUnreachable(OutsideWorldError):
    """The request never arrived: nothing was booked there."""

    code = "psp_unreachable"


class PspUnknown(OutsideWorldError):
    """The request went out and no usable answer came: it may or may not be booked. Look it up."""

    code = "psp_unknown"


class PaymentStatus(StrEnum):
    """A payment as any PSP means it."""

    CREATED = "created"
    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"


class TransferStatus(StrEnum):
    """A payout or refund as any PSP means it."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DepositIntent:
    """What a client wants to pay in. The reference is ours and unique."""

    reference: str
    amount_minor: int
    currency: str
    return_url: str
    merchant_name: str
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as the PSP sees it now."""

    reference: str
    psp_reference: str
    status: PaymentStatus
    amount_minor: int
    currency: str
    received_minor: int | None = None
    redirect_url: str = ""
    method: str = ""
    instrument: str = ""
    payer_name: str = ""
    failure: str = ""
    happened_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """Money to send to a client, under our own unique reference."""

    reference: str
    amount_minor: int
    currency: str
    destination: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TransferView:
    """A payout or refund as the PSP sees it now."""

    reference: str
    psp_reference: str
    status: TransferStatus
    amount_minor: int
    currency: str
    failure: str = ""
    happened_at: dt.datetime | None = None


class EventKind(StrEnum):
    PAYMENT = "payment"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"
    PAYOUT = "payout"
    REFUND = "refund"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook in our words, after its signature held."""

    event_id: str
    event_type: str
    kind: EventKind
    reference: str
    payment: PaymentView | None = None
    transfer: TransferView | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the raw bytes and headers of a webhook prove. The event is there only when it is accepted."""

    verdict: Verdict
    event: WebhookEvent | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a connection test."""

    is_up: bool
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a settlement report, in minor units; `line` counts from 1 and includes the header."""

    line: int
    type: str
    psp_reference: str
    merchant_reference: str
    original_reference: str
    batch: str
    booked_at: dt.datetime
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class SettlementFile:
    """A settlement report that proved itself: opening + Σ net = closing, per currency."""

    first_day: dt.date
    last_day: dt.date
    rows: tuple[FileRow, ...]
    opening: Mapping[str, int]
    closing: Mapping[str, int]


class PspAdapter(Protocol):
    """One provider. Methods that move money raise the three errors above and nothing else."""

    capabilities: frozenset[Capability]

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        """Open a payment and say where the client pays."""
        ...

    def find_payment(self, reference: str) -> PaymentView | None:
        """Look a payment up by our reference; None when the PSP does not know it."""
        ...

    def start_payout(self, order: PayoutOrder) -> TransferView:
        """Send money to a client."""
        ...

    def find_payout(self, reference: str) -> TransferView | None:
        """Look a payout up by our reference; None when the PSP does not know it."""
        ...

    def refund(self, *, psp_reference: str, reference: str, amount_minor: int, currency: str) -> TransferView:
        """Give (part of) a payment back."""
        ...

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Check signature and time on the raw bytes, then read. Header names are lower case."""
        ...

    def read_webhook(self, body: bytes) -> WebhookEvent:
        """Read the body of a webhook that was accepted before."""
        ...

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        """The settlement report of a period, as the PSP writes it."""
        ...

    def read_settlement(self, content: bytes) -> SettlementFile:
        """Parse and prove a report. Raises BadFile naming line and column."""
        ...

    def check_connection(self) -> Health:
        """Is the PSP up, and are the keys good?"""
        ...


def chunks(rows: tuple[FileRow, ...], size: int) -> Iterator[tuple[FileRow, ...]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
