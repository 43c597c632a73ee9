"""The values that pass between Keelson and the adapters of its PSPs: orders, views, events and rows, as any PSP means them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.functional import Promise

from wallet.choices.psp import PspKind, Verdict
from wallet.choices.withdrawals import ClaimState


class Capability(StrEnum):
    """What a provider can do for us."""

    PAYOUT = "payout"
    REFUND = "refund"
    LOOK_UP = "look_up"
    SETTLEMENT_FILE = "settlement_file"
    EVIDENCE = "evidence"


class PayBy(StrEnum):
    """How the client hands the money over."""

    REDIRECT = "redirect"  # a page at the PSP; `PaymentView.redirect_url`
    HOSTED_FIELDS = "hosted_fields"  # the PSP's fields on our page; `instructions` hold the session for its script
    CRYPTO_ADDRESS = "crypto_address"  # `instructions`: address, amount, network, uri, expires
    BANK_REFERENCE = "bank_reference"  # `instructions`: holder, iban, bic, bank, reference


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method that a provider knows: "card", "sepa_debit", "btc" …

    payout_fields: what a client enters when money goes out this way ("iban", "holder", "address" …); empty where money can
    only go back to the payment that it came from.
    """

    code: str
    label: str | Promise
    kind: PspKind
    pay_by: PayBy = PayBy.REDIRECT
    payout_fields: tuple[str, ...] = ()
    minutes: int = 5


@dataclass(frozen=True, slots=True)
class Key:
    """A credential that an administrator fills in. A secret is written and never shown again."""

    name: str
    label: str | Promise
    is_secret: bool = True
    is_required: bool = True
    help_text: str | Promise = ""
    choices: tuple[
        tuple[str, str | Promise], ...
    ] = ()  # where only these make sense; the first is what is meant by nothing


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP answer that a PSP expects when its webhook was accepted, or refused."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


class PaymentStatus(StrEnum):
    """A payment as any PSP means it."""

    CREATED = "created"
    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"


class TransferStatus(StrEnum):
    """A payout or refund as any PSP means it. RETURNED: it was paid, and the receiving bank sent it back afterwards."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class DepositIntent:
    """What a client wants to pay in. The reference is ours and unique."""

    reference: str
    amount_minor: int
    currency: str
    return_url: str
    merchant_name: str
    locale: str = "en"
    method: str = ""
    # Opaque: providers need to distinguish payers, not to know who they are.
    client_reference: str = ""
    payer_name: str = ""
    payer_email: str = ""
    country: str = ""
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as the PSP sees it now.

    psp_reference: the PSP's id of the payment; empty where there is none before the client has paid. session_reference: its
    id of the page or session on which the client pays; `find_payment` takes either.
    received_minor: what really arrived, where a PSP takes more or less than was asked (crypto, bank wire); None when it
    isn't reported. refunded_minor: all that went back so far.
    """

    reference: str
    psp_reference: str
    status: PaymentStatus
    amount_minor: int
    currency: str
    session_reference: str = ""
    received_minor: int | None = None
    redirect_url: str = ""
    instructions: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    instrument: str = ""
    # ISO 3166-1, where the PSP says which country issued the card.
    card_country: str = ""
    payer_name: str = ""
    failure: str = ""
    refunded_minor: int = 0
    happened_at: dt.datetime | None = None
    # The client has agreed and the PSP waits for our word (`capture`) before it moves the money.
    awaits_capture: bool = False


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """Money to send to a client, under our own unique reference."""

    reference: str
    amount_minor: int
    currency: str
    destination: Mapping[str, Any]
    method: str = ""
    payee_name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class SentPayout:
    """A payout that we handed to the PSP, as our books know it: what it is looked up by.

    psp_reference: the PSP's id of it; empty where its answer was lost. sent_at: when the order left; None before that.
    Neither has a default: without them "not found" may be believed too early, and the money paid twice.
    """

    reference: str
    psp_reference: str
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """(Part of) a payment to give back, under our own unique reference.

    payment_reference is ours (the deposit's), psp_reference the PSP's id of that payment.
    """

    reference: str
    payment_reference: str
    psp_reference: str
    amount_minor: int
    currency: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HostedFields:
    """What a page with the PSP's own fields needs: its script and style, and the hosts that they may talk to.

    player: which of our scripts drives them (`static/js/<player>.js`). The page allows these hosts, and no other page does.
    """

    player: str
    script: str
    style: str
    hosts: tuple[str, ...]


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
    # Where the client fetches the money, when the PSP wants him to (a refund in coins needs an address of his).
    claim_url: str = ""
    claim_state: ClaimState | None = None
    claim_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A payer's bank asks about a payment, or takes the money back. `reference` is that of our deposit."""

    reference: str
    psp_dispute_id: str
    amount_minor: int
    currency: str
    reason: str = ""
    evidence_due_at: dt.datetime | None = None
    happened_at: dt.datetime | None = None
    # "won" or "lost" from our side, once it is decided.
    outcome: str = ""
    is_inquiry: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A document that contests a chargeback."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A report that a PSP writes: the kinds of movements in it, and how many days after them it may come.

    covers: as its reader declares (`SettlementReader.covers`); empty: it contains all that no other one does.
    is_daily: one for each day; of a day without money there is none that could be read.
    """

    code: str
    label: str | Promise
    movements: frozenset[str]
    covers: frozenset[str] = frozenset()
    days_late: int = 3
    is_daily: bool = False


@dataclass(frozen=True, slots=True)
class ReportNotice:
    """A PSP's notice that a report is ready. kind: the code of one of `report_kinds`; address: where to fetch it."""

    kind: str
    name: str
    address: str


class EventKind(StrEnum):
    """DISPUTE is a question, or news of one; money moves with CHARGEBACK and CHARGEBACK_REVERSED only."""

    PAYMENT = "payment"
    DISPUTE = "dispute"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"
    PAYOUT = "payout"
    REFUND = "refund"
    REPORT = "report"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event of a webhook whose signature was verified, as any PSP means it."""

    event_id: str
    event_type: str
    kind: EventKind
    reference: str
    payment: PaymentView | None = None
    transfer: TransferView | None = None
    dispute: DisputeView | None = None
    report: ReportNotice | None = None
    # False: the message is a hint only (no amount in it, or one that its signature does not cover); `complete` asks the PSP.
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the raw bytes and headers of a webhook prove. Events are there only when all of it is accepted."""

    verdict: Verdict
    events: tuple[WebhookEvent, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of a connection test."""

    is_up: bool
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class FileRow(NamedTuple):
    """One row of a settlement report, in minor units; `line` counts from 1 and includes the header.

    gross − fee = net, in the currency of the balance at the PSP. Where the client paid in another, `paid_minor` of
    `paid_currency` is the amount, and `rate` is the PSP's: paid × rate = gross.
    entry_reference: the PSP's id of the booking itself; client_reference: its (or our) id of the payer; value_at: when the
    money is at our disposal.
    """

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
    value_at: dt.datetime | None = None
    entry_reference: str = ""
    client_reference: str = ""
    paid_currency: str = ""
    paid_minor: int | None = None
    rate: Decimal | None = None
