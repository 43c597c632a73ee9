"""Bank wire: no API. The client sends money with a reference; the bank's statements show that it arrived (`wallet.bank`).

Money leaves by payment file (pain.001): a payout or refund waits as an order until finance makes the file, sends it in the
bank's portal, and the debit appears on a statement with our reference as EndToEndId. Nothing can be lost on the way to
ourselves: an order is a row under our unique reference.

Where the PSP's API address is filled in, statements are fetched from there as camt.053 (`…/camt053?from=&to=`); banks give them by
EBICS or in their portal, so usually they are uploaded: `/money/bank/`, `manage.py import_statement`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import httpx
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.security import crypto
from wallet.choices.bank import OrderState
from wallet.choices.psp import PspKind, Verdict
from wallet.choices.reconciliation import RowType
from wallet.core.creditor_reference import deposits_named_in, printed, wire_reference
from wallet.models import BankEntry, BankOrder, Psp
from wallet.models.bank import PARTY_PURPOSE
from wallet.psp.base import BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused
from wallet.psp.http import REPORT, PspHttp, address_of
from wallet.psp.settlement import BadFile, SettlementReader
from wallet.psp.values import (
    Capability,
    DepositIntent,
    FileRow,
    Health,
    Judgement,
    Key,
    Method,
    PayBy,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)
from wallet.statement_formats import BadStatement, Entry, read_statements

ORDER_STATUS = {OrderState.SETTLED: TransferStatus.PAID, OrderState.RETURNED: TransferStatus.FAILED}
MINUTES = 2 * 24 * 60


class BankWireAdapter(BaseAdapter):
    """One bank account of the broker."""

    title = gettext_lazy("Bank wire")
    summary = gettext_lazy(
        "A bank account of the broker: references with check digits, statement import, payment files."
    )
    capabilities = frozenset({Capability.PAYOUT, Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE})
    methods = (
        Method(
            "wire",
            gettext_lazy("Bank wire"),
            PspKind.BANK,
            PayBy.BANK_REFERENCE,
            payout_fields=("iban", "holder"),
            minutes=MINUTES,
        ),
    )
    keys = (
        Key("holder", gettext_lazy("Account holder"), is_secret=False),
        Key("iban", gettext_lazy("IBAN"), is_secret=False),
        Key("bic", gettext_lazy("BIC"), is_secret=False),
        Key("bank", gettext_lazy("Bank"), is_secret=False),
        Key("fetch_token", gettext_lazy("Token for fetching statements"), is_required=False),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._http = PspHttp(psp, address_of(psp, ""), explain=lambda answer: answer["error"]["message"])

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        account = {name: str(self.credentials.get(name, "")) for name in ("holder", "iban", "bic", "bank")}
        if not account["holder"] or not account["iban"]:
            raise PspRefused(_("No bank account is set up for %(psp)s.") % {"psp": self.psp})
        reference = wire_reference(intent.reference)
        return PaymentView(
            reference=intent.reference,
            psp_reference=reference,
            status=PaymentStatus.CREATED,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            method="wire",
            instructions={
                **account,
                "iban": printed(account["iban"].replace(" ", "")),
                "reference": printed(reference),
            },
        )

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        """Find nothing: a bank can't be asked. Payments arrive with its statements."""
        return None

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        holder = str(order.destination.get("holder") or order.payee_name)
        party = checked_party(holder, str(order.destination.get("iban", "")), str(order.destination.get("bic", "")))
        return self._order(order.reference, order.amount_minor, order.currency, party, is_refund=False)

    def refund(self, order: RefundOrder) -> TransferView:
        """Refund to the account that the money came from."""
        entries = BankEntry.objects.filter(psp=self.psp, deposit__reference=order.payment_reference, amount_minor__gt=0)
        entry = next((candidate for candidate in entries.order_by("id") if candidate.party.get("iban")), None)
        if entry is None:
            raise PspRefused(_("The statement doesn't show the account this payment came from. Pay it out instead."))
        party = checked_party(entry.party_name, entry.party["iban"], entry.party.get("bic", ""))
        return self._order(order.reference, order.amount_minor, order.currency, party, is_refund=True)

    @transaction.atomic
    def _order(
        self, reference: str, minor: int, currency: str, party: Mapping[str, str], *, is_refund: bool
    ) -> TransferView:
        """Make one order per reference, however often it is asked for. Another request under it is refused."""
        made, _is_new = BankOrder.objects.get_or_create(
            psp=self.psp,
            reference=reference,
            defaults={
                "amount_minor": minor,
                "currency": currency,
                "is_refund": is_refund,
                "created_at": timezone.now(),
                "sealed_party": crypto.encrypt(json.dumps(dict(party)).encode(), purpose=PARTY_PURPOSE),
                "party_label": masked(party["iban"]),
            },
        )
        if (made.amount_minor, made.currency) != (minor, currency):
            raise PspRefused(_("%(reference)s already exists with a different amount.") % {"reference": reference})
        return view_of(made)

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        return self._known_order(payout.reference)

    def _known_order(self, reference: str) -> TransferView | None:
        order = BankOrder.objects.filter(psp=self.psp, reference=reference).first()
        return None if order is None else view_of(order)

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        return self._known_order(order.reference)

    # Webhooks: a bank sends none

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        return Judgement(Verdict.NO_SIGNATURE, detail="bank accounts don't have webhooks")

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        return ()

    # Statements and health

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        if not self.psp.base_url:
            raise PspRefused(_("%(psp)s has no address for fetching statements. Upload the file.") % {"psp": self.psp})
        headers = {"Authorization": f"Bearer {self.credentials.get('fetch_token', '')}"}
        response = self._http.send("GET", f"/camt053?from={first}&to={last}", headers=headers, bounds=REPORT)
        if response.status_code != httpx.codes.OK:
            raise self._http.refusal(response)
        return response.content

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        return StatementReader(file)

    def check_connection(self) -> Health:
        """There is nothing to connect to: are IBAN and BIC such?"""
        try:
            party = checked_party(*(str(self.credentials.get(name, "")) for name in ("holder", "iban", "bic")))
        except PspRefused as error:
            return Health(False, error.message)
        return Health(True, _("The IBAN %(iban)s is valid") % {"iban": printed(party["iban"])})


class StatementReader(SettlementReader):
    """A bank statement as a report: what came in and went out, by reference."""

    title = "Bank statement"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._file = file

    def _read(self) -> Iterator[FileRow]:
        try:
            kind, statements = read_statements(self._file.read())
        except BadStatement as error:
            raise BadFile(error.message) from error
        if any(statement.opening_minor is None or statement.closing_minor is None for statement in statements):
            raise BadFile(_("The statement has no balances, so it can't be verified as a report."))
        self.is_complete = kind != "csv"  # its running balance proves nothing about rows after the last
        number = 0
        for statement in sorted(statements, key=lambda statement: statement.first_day):
            if self.closing.get(statement.currency, statement.opening_minor) != statement.opening_minor:
                raise BadFile(
                    _("%(place)s doesn't start where the previous statement ended.") % {"place": statement.place}
                )
            self.opening.setdefault(statement.currency, statement.opening_minor or 0)
            self.closing[statement.currency] = statement.closing_minor or 0
            self.days += [statement.first_day, statement.last_day]
            for entry in statement.entries:
                number += 1
                yield _report_row(entry, number)

    def _finish(self) -> None:
        """Leave the balances as they are: they were read with the statement."""


def _report_row(entry: Entry, line: int) -> FileRow:
    named = deposits_named_in(entry.text, entry.end_to_end) if entry.minor > 0 else [entry.end_to_end]
    reference = named[0] if named else ""
    kind = RowType.PAYMENT if entry.minor > 0 else RowType.PAYOUT if reference else RowType.FEE
    return FileRow(
        line=line,
        type=kind,
        psp_reference=(wire_reference(reference) if entry.minor > 0 and reference else reference)
        or entry.bank_reference
        or entry.place,
        merchant_reference=reference,
        original_reference="",
        batch=entry.batch,
        booked_at=dt.datetime.combine(entry.booked_on, dt.time(12), dt.UTC),
        currency=entry.currency,
        gross_minor=entry.minor,
        fee_minor=0,
        net_minor=entry.minor,
    )


def checked_party(holder: str, iban: str, bic: str = "") -> dict[str, str]:
    """Check holder, IBAN and BIC and return them as they are paid to. Raises PspRefused."""
    from schwifty import BIC, IBAN
    from schwifty.exceptions import SchwiftyException

    if not holder.strip():
        raise PspRefused(_("Enter the account holder's name."))
    try:
        account = IBAN(iban, validate_bban=True)
    except (SchwiftyException, ValueError) as error:
        raise PspRefused(_("“%(iban)s” isn't a valid IBAN. Check it.") % {"iban": masked(iban) or "—"}) from error
    try:
        code = str(BIC(bic)) if bic.strip() else str(account.bic or "")
    except (SchwiftyException, ValueError) as error:
        raise PspRefused(_("“%(bic)s” isn't a valid BIC. Check it.") % {"bic": bic[:11]}) from error
    return {"holder": holder.strip()[:70], "iban": str(account), "bic": code}


def masked(iban: str) -> str:
    """Shorten an IBAN to its first and last four characters, for pages and messages."""
    plain = "".join(iban.split()).upper()
    return f"{plain[:4]} •••• {plain[-4:]}" if len(plain) > 8 else plain[:4]


def view_of(order: BankOrder) -> TransferView:
    """Describe a payment order to our bank as a transfer."""
    return TransferView(
        reference=order.reference,
        psp_reference=order.reference,
        amount_minor=order.amount_minor,
        currency=order.currency,
        status=ORDER_STATUS.get(OrderState(order.state), TransferStatus.PENDING),
        failure=order.failure,
        happened_at=order.finished_at,
    )
