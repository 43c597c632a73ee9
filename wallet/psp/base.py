"""What Keelson needs of a payment service provider, whichever it is: the protocol of the adapters, and what they have in common.

How a request can fail is in `wallet.psp.errors`, what is handed to and fro in `wallet.psp.values`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from wallet.choices.psp import Verdict
from wallet.choices.reconciliation import MovementKind
from wallet.models import Psp
from wallet.psp.errors import PspRefused
from wallet.psp.values import (
    Capability,
    DepositIntent,
    DisputeView,
    EvidenceFile,
    Health,
    HostedFields,
    Judgement,
    Key,
    Method,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    Reply,
    ReportKind,
    ReportNotice,
    SentPayout,
    TransferView,
    WebhookEvent,
)

if TYPE_CHECKING:
    from wallet.psp.settlement import SettlementReader


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
    """One provider. Methods that move money raise the errors of `wallet.psp.errors` and nothing else."""

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
        raise self._not_possible(_("payouts"))

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        raise self._not_possible(_("payout lookups"))

    def refund(self, order: RefundOrder) -> TransferView:
        raise self._not_possible(_("refunds"))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        raise self._not_possible(_("refund lookups"))

    def hosted_fields(self) -> HostedFields | None:
        return None

    def withdraw_refund(self, order: RefundOrder) -> None:
        raise self._not_possible(_("cancelling refunds"))

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        raise self._not_possible(_("dispute evidence"))

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        return event

    def capture(self, view: PaymentView) -> PaymentView:
        raise self._not_possible(_("manual capture"))

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        raise self._no_report_api()

    def report_kinds(self) -> tuple[ReportKind, ...]:
        return (ReportKind("settlement", _("Settlement report"), frozenset(MovementKind.values)),)

    def fetch_announced(self, notice: ReportNotice) -> Iterator[bytes]:
        raise self._no_report_api()

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        raise self._not_possible(_("settlement reports"))

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
        raise PspRefused(_("%(psp)s has no payment method %(code)s.") % {"psp": self.psp, "code": code})

    def _no_report_api(self) -> PspRefused:
        return PspRefused(_("%(psp)s doesn't offer reports by API. Upload the file.") % {"psp": self.psp})

    def _not_possible(self, what: str) -> PspRefused:
        return PspRefused(_("%(psp)s doesn't support %(what)s.") % {"psp": self.psp, "what": what})
