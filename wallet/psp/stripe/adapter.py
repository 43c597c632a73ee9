"""Stripe for one PSP row. Money comes in on Checkout pages and goes back as refunds; Stripe makes no payouts for us.

Look-ups: a Checkout Session or PaymentIntent by its id. By our reference only the search over PaymentIntents exists, which
lags behind by up to a minute; no client can have paid on a session whose address we never got, so that is enough. Refunds are
listed by their payment, without a lag.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.choices.psp import PspKind, Verdict
from wallet.models import Psp
from wallet.psp.base import BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import REPORT, UNREADABLE
from wallet.psp.settlement import SettlementReader
from wallet.psp.signatures import judge_timed_signature
from wallet.psp.stripe import reading
from wallet.psp.stripe.report import StripeReader
from wallet.psp.stripe.transport import LIVE_KEYS, client_of, translate_errors
from wallet.psp.values import (
    Capability,
    DepositIntent,
    DisputeView,
    EventKind,
    EvidenceFile,
    Health,
    Judgement,
    Key,
    Method,
    PaymentView,
    RefundOrder,
    TransferView,
    WebhookEvent,
)

LOCALES = frozenset({"en", "de", "fr", "es", "it", "nl", "pl", "cs", "hu", "tr", "pt", "ro"})
EXPAND = "payment_intent.latest_charge"
# Stripe has no list of files for a dispute: each goes under a heading, the most general ones first.
EVIDENCE_HEADINGS = (
    "uncategorized_file",
    "customer_communication",
    "service_documentation",
    "receipt",
    "customer_signature",
)
EVIDENCE_TEXT_MAX = 20_000
REPORT_TYPES = ("payout_reconciliation.itemized.5", "ending_balance_reconciliation.itemized.4", "balance.summary.1")
REPORT_WAIT_SECONDS = 60
REPORT_POLL_SECONDS = 1.0


class StripeAdapter(BaseAdapter):
    """Speaks to Stripe's API through the official SDK."""

    title = "Stripe"
    summary = gettext_lazy(
        "Cards, SEPA direct debit and Klarna on Stripe's page. Money can only be returned as refunds."
    )
    signature_headers = ("stripe-signature",)
    capabilities = frozenset({Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE, Capability.EVIDENCE})
    methods = (
        Method("card", gettext_lazy("Card"), PspKind.CARD),
        Method("sepa_debit", gettext_lazy("SEPA direct debit"), PspKind.BANK, minutes=5 * 24 * 60),
        Method("klarna", "Klarna", PspKind.CASHIER),
    )
    keys = (
        Key(
            "api_key",
            gettext_lazy("Secret key"),
            help_text=gettext_lazy("Stripe: Developers › API keys. A restricted key (rk_…) is enough."),
        ),
        Key(
            "webhook_secret",
            gettext_lazy("Webhook signing secret"),
            help_text=gettext_lazy("Stripe: Developers › Webhooks › your endpoint; starts with whsec_"),
        ),
        Key("account", gettext_lazy("Account"), is_secret=False, is_required=False, help_text="acct_…"),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._client, self._http = client_of(psp, str(self.credentials.get("api_key", "")))

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        method, tag = self.method(intent.method), {"reference": intent.reference}
        price = {
            "currency": intent.currency.lower(),
            "unit_amount": reading.UNITS.to_psp(intent.amount_minor, intent.currency),
            "product_data": {"name": intent.merchant_name},
        }
        params: Any = {
            "mode": "payment",
            "client_reference_id": intent.reference,
            "metadata": tag,
            "payment_intent_data": {"metadata": tag, "description": intent.reference},
            "payment_method_types": [method.code],
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": intent.return_url,
            "cancel_url": intent.return_url,
            "locale": intent.locale if intent.locale in LOCALES else "auto",
        }
        if intent.payer_email:
            params["customer_email"] = intent.payer_email
        with translate_errors(self.psp):
            session = self._client.v1.checkout.sessions.create(params, {"idempotency_key": intent.reference})
            return reading.session_view(session.to_dict())

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        try:
            with translate_errors(self.psp):
                if psp_reference.startswith("cs_"):
                    session = self._client.v1.checkout.sessions.retrieve(psp_reference, {"expand": [EXPAND]})
                    return reading.session_view(session.to_dict())
                if psp_reference:
                    return self._intent(psp_reference)
                payments = self._client.v1.payment_intents.search(
                    {
                        "query": f"metadata['reference']:'{_quoted(reference)}'",
                        "limit": 10,
                        "expand": ["data.latest_charge"],
                    }
                )
                views = [reading.intent_view(intent.to_dict()) for intent in payments.data]
        except PspRefused as refused:
            if refused.status == 404:
                return None
            raise
        return next((view for view in views if view.reference == reference), None)

    def _intent(self, intent_id: str) -> PaymentView:
        intent = self._client.v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]})
        return reading.intent_view(intent.to_dict())

    # Money back

    def refund(self, order: RefundOrder) -> TransferView:
        params: Any = {
            "payment_intent": order.psp_reference,
            "amount": reading.UNITS.to_psp(order.amount_minor, order.currency),
            "metadata": {"reference": order.reference},
        }
        with translate_errors(self.psp):
            refund = self._client.v1.refunds.create(params, {"idempotency_key": order.reference})
            return reading.refund_view(refund.to_dict())

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        with translate_errors(self.psp):
            listed = self._client.v1.refunds.list({"payment_intent": order.psp_reference, "limit": 100})
            for refund in listed.auto_paging_iter():
                view = reading.refund_view(refund.to_dict())
                if view.reference == order.reference:
                    return view
        return None

    # Disputes

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        """Upload the files, then submit once and for all: Stripe takes evidence a single time."""
        if len(files) > len(EVIDENCE_HEADINGS):
            raise PspRefused(
                _("Stripe accepts at most %(n)s files. Combine some of them into one PDF.")
                % {"n": len(EVIDENCE_HEADINGS)}
            )
        evidence: dict[str, str] = {"uncategorized_text": text[:EVIDENCE_TEXT_MAX]}
        with translate_errors(self.psp):
            for heading, file in zip(EVIDENCE_HEADINGS, files, strict=False):
                content = io.BytesIO(file.content)
                content.name = file.name
                uploaded = self._client.v1.files.create({"purpose": "dispute_evidence", "file": content})
                evidence[heading] = uploaded.id
            params: Any = {"evidence": evidence, "submit": True}
            self._client.v1.disputes.update(dispute.psp_dispute_id, params)

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        secrets = [self.credentials.get("webhook_secret", ""), self.credentials.get("previous_webhook_secret", "")]
        verdict = judge_timed_signature(header=headers.get("stripe-signature", ""), body=body, secrets=secrets, now=now)
        if verdict != Verdict.ACCEPTED:
            return Judgement(verdict)
        try:
            message = json.loads(body)
            if other := self._other_merchant(message):
                return Judgement(Verdict.OTHER_MERCHANT, detail=other[:100])
            return Judgement(Verdict.ACCEPTED, (reading.event_of(message),))
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])

    def _other_merchant(self, message: Mapping[str, Any]) -> str:
        """Test and live money never mix; a connected account's events name it."""
        is_live = str(self.credentials.get("api_key", "")).startswith(LIVE_KEYS)
        if bool(message["livemode"]) != is_live:
            return "livemode" if message["livemode"] else "test mode"
        account = str(message.get("account") or "")
        return account if account and account != self.credentials.get("account") else ""

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        return (reading.event_of(json.loads(body)),)

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Who paid and with what; and whose payment a dispute, or a refund made in Stripe's dashboard, is about."""
        if event.payment is None or not event.payment.psp_reference:
            return event
        with translate_errors(self.psp):
            known = self._intent(event.payment.psp_reference)
        replace, reference = dataclasses.replace, known.reference
        is_payment = event.kind == EventKind.PAYMENT
        return replace(
            event,
            reference=reference[:100],
            payment=known if is_payment else replace(event.payment, reference=reference),
            transfer=event.transfer and replace(event.transfer, reference=event.transfer.reference or reference),
            dispute=event.dispute and replace(event.dispute, reference=reference),
            is_complete=True,
        )

    # Reports and health

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        """Fetch the payouts between two days with what makes them up, and the balance that proves them.

        What no payout had yet at the end is in it too. Stripe writes each report while we wait.
        """
        return b"".join(self._report(name, first, last) for name in REPORT_TYPES)

    def _report(self, name: str, first: dt.date, last: dt.date) -> bytes:
        since, until = (
            int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) for day in (first, last + dt.timedelta(1))
        )
        period = (
            {"interval_end": until} if name.startswith("ending_") else {"interval_start": since, "interval_end": until}
        )
        params: Any = {"report_type": name, "parameters": period}
        deadline = time.monotonic() + REPORT_WAIT_SECONDS
        with translate_errors(self.psp):
            run = self._client.v1.reporting.report_runs.create(params)
            while run.status == "pending" and time.monotonic() < deadline:
                time.sleep(REPORT_POLL_SECONDS)
                run = self._client.v1.reporting.report_runs.retrieve(run.id)
        if run.status == "pending":
            raise PspRefused(_("Stripe is still generating the report. Try again in a few minutes."))
        if run.status != "succeeded" or run.result is None or not run.result.url:
            raise PspRefused(_("Stripe couldn't generate the report: %(why)s") % {"why": run.error or run.status})
        headers = {"Authorization": f"Bearer {self.credentials.get('api_key', '')}"}
        response = self._http.send("GET", run.result.url, headers=headers, bounds=REPORT)
        if not response.is_success:
            raise self._http.refusal(response)
        return response.content.rstrip(b"\n") + b"\n"

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        return StripeReader(file)

    def check_connection(self) -> Health:
        try:
            with translate_errors(self.psp):
                account = self._client.v1.accounts.retrieve_current().to_dict()
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            if getattr(error, "status", 0) == 401:
                return Health(
                    False, _("Stripe doesn't recognise this key. Copy the secret key from Developers › API keys again.")
                )
            return Health(False, error.message)
        own_account = self.credentials.get("account")
        if own_account and account.get("id") != own_account:
            return Health(False, _("The key belongs to another account: %(m)s") % {"m": account.get("id")})
        if not account.get("charges_enabled", True):
            return Health(
                False, _("Stripe doesn't let this account take payments yet. Finish its setup in Stripe's dashboard.")
            )
        if not self.credentials.get("webhook_secret"):
            return Health(
                False, _("The key works, but the webhook signing secret is missing, so no payments are booked.")
            )
        return Health(True, _("Connected"), {"merchant": account.get("id")})


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
