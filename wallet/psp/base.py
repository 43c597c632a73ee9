"""What Keelson needs of a payment service provider, whichever it is.

Money that leaves is never sent twice: an adapter must distinguish "certainly not done" (`PspRefused`, `PspUnreachable`) from "may
have been done" (`PspUnknown`). The latter is looked up by our reference, never repeated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.errors import OutsideWorldError
from wallet.choices.psp import PspKind, Verdict
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import ClaimState
from wallet.models import Psp

if TYPE_CHECKING:
    from wallet.psp.settlement import SettlementReader


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


class PspRefused(OutsideWorldError):
    """The PSP understood and refused: nothing was booked there."""

    code = "psp_refused"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ForeignAddress(PspRefused):
    """An address that is none of the PSP's own: nothing was fetched from it, and our login did not go there."""

    code = "psp_foreign_address"


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


class OurRecords(Protocol):
    """What only our books know about one PSP's movements, handed to the adapter that has to ask.

    Adapters read no deposit, withdrawal or dispute themselves: the room above answers (`wallet.movements.psp_records`).
    """

    def session_reference(self, reference: str) -> str:
        """Return the PSP's id of the page on which the deposit of that reference is paid; empty where we know none."""
        ...

    def is_dispute_charged(self, psp_dispute_id: str) -> bool:
        """Return whether the PSP has taken money from us for that dispute."""
        ...

    def refunds_among(self, references: Sequence[str]) -> set[str]:
        """Return those of our references that are refunds rather than payouts."""
        ...


class PspAdapter(Protocol):
    """One provider. Methods that move money raise the three errors above and nothing else."""

    capabilities: frozenset[Capability]
    methods: tuple[Method, ...]
    keys: tuple[Key, ...]
    announces_reports: bool
    signature_headers: tuple[str, ...]

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        """Open a payment and return how the client pays it."""
        ...

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        """Look a payment up by our reference (or by the PSP's id, where only that can be asked for); None when the PSP
        does not know it.

        session_reference: the PSP's id of the page or session on which it is paid, where it stays the only handle.
        """
        ...

    def start_payout(self, order: PayoutOrder) -> TransferView:
        """Send money to a client."""
        ...

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        """Look a payout up by the PSP's id or our reference; None when the PSP does not know it."""
        ...

    def refund(self, order: RefundOrder) -> TransferView:
        """Refund (part of) a payment."""
        ...

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        """Look a refund up by our reference; None when the PSP does not know it."""
        ...

    def hosted_fields(self) -> HostedFields | None:
        """Return the PSP's fields for methods that are paid on our page; None where it has none, or isn't set up for them."""
        ...

    def withdraw_refund(self, order: RefundOrder) -> None:
        """Close a refund that the payer has not claimed; the next look-up has the result."""
        ...

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        """Contest a chargeback."""
        ...

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Check signature and time on the raw bytes, then read. Header names are lower case."""
        ...

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        """Read the body of a webhook that was accepted before; the same events in the same order."""
        ...

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Ask the PSP's API for what an incomplete message leaves open.

        Changes nothing there; a worker calls it.
        """
        ...

    def capture(self, view: PaymentView) -> PaymentView:
        """Take the money of a payment that `awaits_capture`; one whose answer is lost is looked up, not repeated."""
        ...

    def reply_to(self, verdict: Verdict, body: bytes) -> Reply:
        """Answer a webhook as the PSP expects it."""
        ...

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        """Fetch the settlement report of a period, as the PSP writes it."""
        ...

    def report_kinds(self) -> tuple[ReportKind, ...]:
        """List the reports it writes; together they contain every movement, each of them once."""
        ...

    def fetch_announced(self, notice: ReportNotice) -> Iterator[bytes]:
        """Fetch a report that the PSP announced, piece by piece.

        Raises: ForeignAddress, before anything is sent to a stranger.
        """
        ...

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        """Open a reader of this PSP's report: one pass, rows first, then the proof.

        The reader raises BadFile naming line and column.
        """
        ...

    def check_connection(self) -> Health:
        """Check that the PSP is up and the keys are good."""
        ...


# A signed message that we can't read is ours to look at; sending it again would not help.
TAKEN = frozenset({Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.MALFORMED})


class BaseAdapter:
    """What providers have in common, and a plain refusal of what one can't do. `title` and `summary` introduce it to staff."""

    title: str | Promise = ""
    summary: str | Promise = ""
    capabilities: frozenset[Capability] = frozenset()
    methods: tuple[Method, ...] = ()
    keys: tuple[Key, ...] = ()
    # It sends a message when a report is ready; then it is fetched automatically.
    announces_reports = False
    # Lower case: where its webhooks carry their signature and time. Of a refused one no other header is kept.
    signature_headers: tuple[str, ...] = ()

    def __init__(self, psp: Psp) -> None:
        self.psp = psp
        self.credentials: Mapping[str, Any] = psp.credentials

    def start_payout(self, order: PayoutOrder) -> TransferView:
        raise self._not_possible(_("pay out"))

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        raise self._not_possible(_("look up payouts"))

    def refund(self, order: RefundOrder) -> TransferView:
        raise self._not_possible(_("refund"))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        raise self._not_possible(_("look up refunds"))

    def hosted_fields(self) -> HostedFields | None:
        return None

    def withdraw_refund(self, order: RefundOrder) -> None:
        raise self._not_possible(_("take a refund back"))

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        raise self._not_possible(_("take evidence"))

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        return event

    def capture(self, view: PaymentView) -> PaymentView:
        raise self._not_possible(_("capture a payment on our word"))

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        raise self._not_possible(_("give a report by API; upload the file"))

    def report_kinds(self) -> tuple[ReportKind, ...]:
        return (ReportKind("settlement", _("Settlement report"), frozenset(MovementKind.values)),)

    def fetch_announced(self, notice: ReportNotice) -> Iterator[bytes]:
        raise self._not_possible(_("give a report by API; upload the file"))

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        raise self._not_possible(_("write reports that we can read"))

    def reply_to(self, verdict: Verdict, body: bytes) -> Reply:
        """Answer 200 when it is accepted, 400 when its signature or time does not hold, 503 when it could not be checked now."""
        return Reply(503 if verdict == Verdict.UNCHECKED else 200 if verdict in TAKEN else 400)

    def method(self, code: str) -> Method:
        """Find one of this provider's methods; the first when none is named. Raises PspRefused for one it does not know."""
        if not code:
            return self.methods[0]
        for method in self.methods:
            if method.code == code:
                return method
        raise PspRefused(_("%(psp)s knows no method %(code)s.") % {"psp": self.psp, "code": code})

    def _not_possible(self, what: str) -> PspRefused:
        return PspRefused(_("%(psp)s can't %(what)s.") % {"psp": self.psp, "what": what})
