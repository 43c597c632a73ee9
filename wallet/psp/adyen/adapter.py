"""Adyen for one PSP row.

What Adyen can't be asked: a payment, refund or payout by our reference (transfers can be: `wallet.psp.adyen.transfers`).
Notifications report its state; Adyen repeats them until they are answered, and they can be sent again from the Customer Area. So a
look-up answers from the payment link (open, expired, or paid, without the payer), from the notifications in our inbox, and from
imported settlement reports. Where none of them knows, the outcome stays unknown, nothing is sent again, and two people may
enter how it ended (`wallet.withdrawals.investigations`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from Adyen.services.checkout.modifications_api import ModificationsApi
from Adyen.services.checkout.payment_links_api import PaymentLinksApi
from Adyen.services.checkout.payments_api import PaymentsApi
from Adyen.services.management.my_api_credential_api import MyAPICredentialApi
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.choices.psp import PspKind, Verdict
from wallet.choices.reconciliation import RowType
from wallet.models import Psp, SettlementRow, WebhookMessage
from wallet.psp.adyen import evidence, notifications, payout_api, report_notices, reports, transfer_views
from wallet.psp.adyen.accounting_report import AccountingReader, is_accounting_report, open_report
from wallet.psp.adyen.notifications import UNITS
from wallet.psp.adyen.report import AdyenReader
from wallet.psp.adyen.transfers import Transfers, is_payout_api_order
from wallet.psp.adyen.transport import Doors, Service, translate_errors
from wallet.psp.base import TAKEN, BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import UNREADABLE, PspHttp, address_of
from wallet.psp.settlement import SettlementReader
from wallet.psp.values import (
    Capability,
    DepositIntent,
    DisputeView,
    EventKind,
    EvidenceFile,
    Health,
    HostedFields,
    Judgement,
    Key,
    Method,
    PayBy,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    Reply,
    ReportKind,
    ReportNotice,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

LINK_STATUS = {
    "active": PaymentStatus.CREATED,
    "expired": PaymentStatus.EXPIRED,
    # Paid, or tried: the notification has which, and Adyen's reference.
    "completed": PaymentStatus.PENDING,
    "paid": PaymentStatus.PENDING,
    "paymentPending": PaymentStatus.PENDING,
}
ENVIRONMENTS = (("test", gettext_lazy("Test")), ("live", gettext_lazy("Live")))
CAPTURES = (("immediate", gettext_lazy("Immediately")), ("delayed", gettext_lazy("Delayed or manual")))
WEB_VERSION = "6.0.3"  # of Adyen Web, the script of the card fields
# Where its cards' frames and its own telemetry and risk data live, by Adyen's documents.
OTHER_HOSTS = ("https://*.adyen.com", "https://*.adyenpayments.com")
REFUND_CODES = tuple(notifications.REFUNDS)
PAYOUT_CODES = tuple(notifications.PAYOUTS)


class AdyenAdapter(BaseAdapter):
    """Speaks to Adyen's APIs through the official SDK."""

    title = "Adyen"
    summary = gettext_lazy(
        "Cards, SEPA direct debit and Klarna by payment link or card fields; payouts to bank accounts."
    )
    signature_headers = ("hmacsignature",)
    capabilities = frozenset(
        {Capability.PAYOUT, Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE, Capability.EVIDENCE}
    )
    announces_reports = True
    methods = (
        Method("scheme", gettext_lazy("Card"), PspKind.CARD),
        Method("scheme_fields", gettext_lazy("Card, on our page"), PspKind.CARD, pay_by=PayBy.HOSTED_FIELDS),
        Method(
            "sepadirectdebit",
            gettext_lazy("SEPA direct debit"),
            PspKind.BANK,
            payout_fields=("iban", "holder"),
            minutes=2 * 24 * 60,
        ),
        Method("klarna", "Klarna", PspKind.CASHIER),
    )
    keys = (
        Key("api_key", gettext_lazy("API key"), help_text=gettext_lazy("Adyen: Developers › API credentials")),
        Key("merchant", gettext_lazy("Merchant account"), is_secret=False),
        Key(
            "webhook_secret",
            gettext_lazy("HMAC key of the webhook"),
            help_text=gettext_lazy(
                "Adyen: Developers › Webhooks › Standard webhook › HMAC key (64 characters, 0-9 and A-F)"
            ),
        ),
        Key("environment", gettext_lazy("Environment"), False, False, choices=ENVIRONMENTS),
        Key("live_prefix", gettext_lazy("Live endpoint prefix"), False, False, gettext_lazy("Only needed for live")),
        Key(
            "capture",
            gettext_lazy("Capture"),
            False,
            False,
            gettext_lazy("As configured for the merchant account at Adyen"),
            choices=CAPTURES,
        ),
        Key("client_key", gettext_lazy("Client key"), False, False, gettext_lazy("For card fields on our page")),
        Key(
            "balance_account",
            gettext_lazy("Balance account for payouts"),
            False,
            False,
            gettext_lazy("Payouts are sent as transfers if this and the next two fields are filled in"),
        ),
        Key("transfer_key", gettext_lazy("API key for transfers"), is_required=False),
        Key(
            "transfer_webhook_secret",
            gettext_lazy("HMAC key of the transfer webhook"),
            is_required=False,
            help_text=gettext_lazy("Adyen: Developers › Webhooks › Transfer webhooks › HMAC key, to the same address"),
        ),
        Key(
            "payout_key",
            gettext_lazy("API key for submitting payouts"),
            is_required=False,
            help_text=gettext_lazy("Only for the older Payout API, like the next two fields"),
        ),
        Key("payout_review_key", gettext_lazy("API key for confirming payouts"), is_required=False),
        Key("payout_email", gettext_lazy("E-mail address for payouts"), False, False),
        Key("report_user", gettext_lazy("Report user"), False, False),
        Key("report_password", gettext_lazy("Password of the report user"), is_required=False),
        Key(
            "platform_report_key",
            gettext_lazy("API key of the balance platform's report user"),
            is_required=False,
            help_text=gettext_lazy("Role: BalancePlatform Report Download. Fetches the accounting report"),
        ),
        Key(
            "platform_report_user",
            gettext_lazy("Report user of the balance platform"),
            False,
            False,
            gettext_lazy("Only if it signs in with a user name; the key above is then its password"),
        ),
        Key(
            "report_webhook_secret",
            gettext_lazy("HMAC key of the report webhook"),
            is_required=False,
            help_text=gettext_lazy("Adyen: Developers › Webhooks › Report webhooks › HMAC key, to the same address"),
        ),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self.merchant = self._key("merchant")
        self.is_live = self._key("environment").lower() == "live"
        self._captures_at_once = self._key("capture").lower() != "delayed"
        self._http = PspHttp(
            psp,
            address_of(psp, ""),
            explain=lambda answer: answer["message"],
            hosts=reports.hosts(is_live=self.is_live),
        )
        self._logins = reports.Logins.of(psp.credentials)
        self._doors = Doors(psp, self._http, live_prefix=self._key("live_prefix"), is_live=self.is_live)
        self._transfers = Transfers(psp, self._doors)

    def _key(self, name: str) -> str:
        return str(self.credentials.get(name) or "").strip()

    @property
    def _report_keys(self) -> list[str]:
        return [self._key("report_webhook_secret"), self._key("previous_report_webhook_secret")]

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        """Open a payment link, or a session for Adyen's card fields on our page."""
        method = self.method(intent.method)
        body: dict[str, Any] = {
            "merchantAccount": self.merchant,
            "reference": intent.reference,
            "amount": self._amount(intent.amount_minor, intent.currency),
            "returnUrl": intent.return_url,
            "shopperLocale": intent.locale,
        }
        if intent.client_reference:
            body["shopperReference"] = intent.client_reference
        if intent.country:
            body["countryCode"] = intent.country
        if method.pay_by == PayBy.HOSTED_FIELDS:
            return self._start_session(body, intent)
        body |= {"allowedPaymentMethods": [method.code], "reusable": False}
        with translate_errors(self.psp):
            link = self._checkout(PaymentLinksApi).payment_links(body, idempotency_key=intent.reference).message
            return _link_view(link)

    def _start_session(self, body: dict[str, Any], intent: DepositIntent) -> PaymentView:
        body["allowedPaymentMethods"] = ["scheme"]
        with translate_errors(self.psp):
            session = self._checkout(PaymentsApi).sessions(body, idempotency_key=intent.reference).message
            return PaymentView(
                reference=str(session["reference"]),
                psp_reference="",
                session_reference=str(session["id"]),
                status=PaymentStatus.CREATED,
                amount_minor=intent.amount_minor,
                currency=intent.currency,
                instructions={
                    "session_id": str(session["id"]),
                    "session_data": str(session["sessionData"]),
                    "client_key": self._key("client_key"),
                    "environment": "live" if self.is_live else "test",
                },
            )

    def hosted_fields(self) -> HostedFields | None:
        """Return Adyen Web from Adyen's own host, test or live; None without the public client key."""
        if not self._key("client_key"):
            return None
        host = self._http.base_url or f"https://checkoutshopper-{'live' if self.is_live else 'test'}.adyen.com"
        library = f"{host}/checkoutshopper/sdk/{WEB_VERSION}/adyen"
        parts = urlsplit(host)
        own = f"{parts.scheme}://{parts.netloc}"
        return HostedFields(
            "adyen_fields", f"{library}.js", f"{library}.css", (own,) if self._http.base_url else (own, *OTHER_HOSTS)
        )

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        """Look up the payment link, where there is one; else the newest notification about the payment.

        A captured payment is known from its notification alone: the link doesn't name the payment.
        """
        link_id = psp_reference if psp_reference.startswith("PL") else session_reference
        if not link_id.startswith("PL"):
            notification = self._newest_notification(
                reference, ("AUTHORISATION", "CAPTURE", "CAPTURE_FAILED", "CANCELLATION")
            )
            return notification.payment if notification else None
        try:
            with translate_errors(self.psp):
                return _link_view(self._checkout(PaymentLinksApi).get_payment_link(link_id).message)
        except PspRefused as refused:
            if refused.status in (404, 422):
                return None
            raise

    # Money back

    def refund(self, order: RefundOrder) -> TransferView:
        body = {
            "merchantAccount": self.merchant,
            "amount": self._amount(order.amount_minor, order.currency),
            "reference": order.reference,
        }
        with translate_errors(self.psp):
            answer = (
                self._checkout(ModificationsApi)
                .refund_captured_payment(body, order.psp_reference, idempotency_key=order.reference)
                .message
            )
            return self._pending(order, str(answer["pspReference"]))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        return self._transfer_from_notifications(order.reference, REFUND_CODES, RowType.REFUND)

    # Payouts to bank accounts

    def start_payout(self, order: PayoutOrder) -> TransferView:
        """Pay out by transfer where that is set up, else through the Payout API."""
        if self._transfers.is_set_up:
            return self._transfers.start(order)
        keys = {name: self._key(name) for name in ("payout_key", "payout_review_key", "payout_email")}
        submitted = payout_api.submit(self.psp, self._doors, order, merchant=self.merchant, keys=keys)
        return self._pending(order, submitted)

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        if self._transfers.is_set_up and not is_payout_api_order(self.psp, payout.reference):
            return self._transfers.find(payout)
        return self._transfer_from_notifications(payout.reference, PAYOUT_CODES, RowType.PAYOUT)

    def _pending(self, order: RefundOrder | PayoutOrder, psp_reference: str) -> TransferView:
        return TransferView(order.reference, psp_reference, TransferStatus.PENDING, order.amount_minor, order.currency)

    # Notifications and reports

    def _newest_notification(self, reference: str, codes: Iterable[str]) -> WebhookEvent | None:
        """Find the newest accepted notification about a reference."""
        message = (
            WebhookMessage.objects.filter(
                psp=self.psp, reference=reference, verdict=Verdict.ACCEPTED, event_type__in=list(codes)
            )
            .order_by("-id")
            .first()
        )
        return None if message is None else self.read_webhook(bytes(message.body))[message.item]

    def _transfer_from_notifications(self, reference: str, codes: Iterable[str], kind: RowType) -> TransferView:
        notification = self._newest_notification(reference, codes)
        transfer = notification.transfer if notification is not None else None
        transfer = transfer or self._transfer_from_reports(reference, kind)
        if transfer is None:
            raise PspUnknown(
                _("%(psp)s can't be queried by our reference. The result arrives with its notification.")
                % {"psp": self.psp}
            )
        return transfer

    def _transfer_from_reports(self, reference: str, kind: RowType) -> TransferView | None:
        """Find the last that a settlement report has under our reference: money that went out, or came back after all."""
        rows = SettlementRow.objects.filter(report__psp=self.psp, merchant_reference=reference, type=kind)
        row = rows.filter(is_repeat=False).order_by("-booked_at", "-pk").first()
        if row is None:
            return None
        minor, currency = (
            (row.paid_minor or 0, row.paid_currency) if row.paid_currency else (row.gross_minor, row.currency)
        )
        status = TransferStatus.PAID if row.gross_minor < 0 else TransferStatus.FAILED
        return TransferView(reference, row.psp_reference, status, abs(minor), currency, happened_at=row.booked_at)

    # Disputes

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        with translate_errors(self.psp):
            evidence.submit(
                self._doors, self._key("api_key"), self.merchant, dispute.psp_dispute_id, text=text, files=files
            )

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Judge a message: notification items carry a signature each; everything else is signed as a whole, in a header."""
        keys = [self._key("webhook_secret"), self._key("previous_webhook_secret")]
        try:
            message = json.loads(body)
            if "notificationItems" not in message:
                return transfer_views.judge(
                    body,
                    headers,
                    keys=self._transfers.webhook_keys + self._report_keys,
                    now=now,
                    is_live=self.is_live,
                    balance_account=self._transfers.balance_account,
                )
            items = notifications.items_of(message)
            verdict = notifications.judge_items(items, keys)
            if verdict != Verdict.ACCEPTED:
                return Judgement(verdict)
            for item in items:
                if item["merchantAccountCode"] != self.merchant:
                    return Judgement(Verdict.OTHER_MERCHANT, detail=str(item["merchantAccountCode"])[:100])
            if (str(message.get("live")).lower() == "true") != self.is_live:
                return Judgement(Verdict.OTHER_MERCHANT, detail=f"live={message.get('live')}"[:100])
            return Judgement(Verdict.ACCEPTED, self._events(items))
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        message = json.loads(body)
        if "notificationItems" not in message:
            return (transfer_views.event_of(body, message),)
        return self._events(notifications.items_of(message))

    def _events(self, items: Iterable[notifications.Item]) -> tuple[WebhookEvent, ...]:
        return tuple(notifications.event_of(item, captures_at_once=self._captures_at_once) for item in items)

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Complete a capture with the payer from its authorisation. Until that has come, the capture waits (PspUnknown).

        A transfer's message counts unless a later one has come.
        """
        if event.kind == EventKind.PAYOUT and not event.is_complete:
            return transfer_views.drop_if_overtaken(self.psp, event)
        if event.payment is None or event.is_complete:
            return event
        replace, captured = dataclasses.replace, event.payment
        notification = self._newest_notification(event.reference, ("AUTHORISATION",))
        if (
            notification is None
            or notification.payment is None
            or notification.payment.psp_reference != captured.psp_reference
        ):
            raise PspUnknown(
                _("The authorisation of %(reference)s hasn't arrived yet.") % {"reference": event.reference}
            )
        session, paid = records.session_reference(event.reference), notification.payment
        known = self.find_payment(event.reference, session_reference=session)
        if known is not None and (known.amount_minor, known.currency) != (captured.amount_minor, captured.currency):
            return replace(event, payment=known, is_complete=True)
        payment = replace(captured, payer_name=paid.payer_name, instrument=paid.instrument, method=paid.method)
        payment = replace(payment, card_country=paid.card_country)
        return replace(event, payment=payment, is_complete=True)

    def reply_to(self, verdict: Verdict, body: bytes) -> Reply:
        """Answer `[accepted]`: without it Adyen repeats the message, and stops sending any after a while."""
        return Reply(200, b"[accepted]") if verdict in TAKEN else super().reply_to(verdict, body)

    # Reports and health

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        return reports.fetch(self.psp, self._http, first, last, merchant=self.merchant, logins=self._logins)

    def report_kinds(self) -> tuple[ReportKind, ...]:
        return report_notices.kinds(has_transfers=self._transfers.is_set_up)

    def fetch_announced(self, notice: ReportNotice) -> Iterator[bytes]:
        return reports.announced(self._http, notice, merchant=self.merchant, logins=self._logins)

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        """Choose the reader: a settlement details report or the balance platform's accounting report, by its first line."""
        source, head = open_report(file)
        if is_accounting_report(head):
            return AccountingReader(source, head, balance_account=self._transfers.balance_account)
        return AdyenReader(source, merchant=self.merchant)

    def check_connection(self) -> Health:
        try:
            with translate_errors(self.psp):
                me = self._doors.open(MyAPICredentialApi, self._key("api_key")).get_api_credential_details().message
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            if getattr(error, "status", 0) in (401, 403):
                return Health(
                    False, _("Adyen doesn't recognise this key. Create a new one under Developers › API credentials.")
                )
            return Health(False, error.message)
        accounts = me.get("associatedMerchantAccounts") or []
        if accounts and self.merchant not in accounts:
            return Health(
                False,
                _("The key isn't authorised for merchant account %(m)s, only for %(others)s.")
                % {"m": self.merchant or "—", "others": ", ".join(map(str, accounts[:5]))},
            )
        if not notifications.is_key(self._key("webhook_secret")):
            return Health(
                False,
                _(
                    "The key works, but the webhook's HMAC key is missing or isn't hexadecimal, so no "
                    "payments are booked."
                ),
            )
        return self._transfers.check() or Health(True, _("Connected"), {"merchant": self.merchant})

    def _checkout(self, service: type[Service]) -> Service:
        return self._doors.open(service, self._key("api_key"))

    def _amount(self, amount_minor: int, currency: str) -> dict[str, Any]:
        return {"value": UNITS.to_psp(amount_minor, currency), "currency": currency}


def _link_view(link: Mapping[str, Any]) -> PaymentView:
    currency = str(link["amount"]["currency"])
    return PaymentView(
        reference=str(link["reference"]),
        psp_reference="",
        session_reference=str(link.get("id") or ""),
        status=LINK_STATUS[str(link["status"])],
        amount_minor=UNITS.to_ours(int(link["amount"]["value"]), currency),
        currency=currency,
        redirect_url=str(link.get("url") or ""),
    )
