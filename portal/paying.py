"""How the client portal shows ways to pay: cards with fee, limits and time; addresses and references with what to copy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm.i18n import formats
from crm.money.amounts import exponent
from crm.money.numbers import is_whole
from crm.ui import qr as qr_codes
from wallet.choices.psp import PspKind
from wallet.deposits.method_offers import Offer
from wallet.models import Deposit, PaymentMethod
from wallet.psp import adapter_of
from wallet.psp.values import HostedFields, PayBy

# Drawings of our own (static/img/pay.svg): a kind's, or that of a method with a way of paying of its own.
MARKS: Final = {"pix": "instant", "blik": "phone", "sepa_debit": "sepa", "sepadirectdebit": "sepa"}
QUICK = (100, 250, 500, 1_000)
HERE = (PayBy.CRYPTO_ADDRESS, PayBy.BANK_REFERENCE)


@dataclass(frozen=True, slots=True)
class MethodCard:
    """One method as the deposit page shows it."""

    offer: Offer
    mark: str
    how_long: str

    @property
    def pk(self) -> int:
        return self.offer.method.pk


def cards(offers: list[Offer]) -> list[MethodCard]:
    """Describe the payment methods on offer as cards, with drawing and usual time."""
    return [MethodCard(offer, mark_of(offer.method), how_long(offer.method.minutes)) for offer in offers]


def mark_of(method: PaymentMethod) -> str:
    """Name the drawing of a payment method: its own, else its kind's."""
    if method.code in MARKS:
        return MARKS[method.code]
    is_sepa = method.kind == PspKind.BANK and method.currencies == ["EUR"]
    return "sepa" if is_sepa else str(method.kind)


def how_long(minutes: int) -> str:
    """Write a duration in words a person would use."""
    if minutes <= 5:
        return _("Instant")
    if minutes < 60:
        return ngettext("About %(n)s minute", "About %(n)s minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    if hours < 24:
        return ngettext("About %(n)s hour", "About %(n)s hours", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("About %(n)s working day", "About %(n)s working days", days) % {"n": days}


def quick_amounts(currency: str) -> list[Decimal]:
    """Round amounts to choose from; none for coins, whose worth moves."""
    places = exponent(currency)
    if places > 3:
        return []
    return [Decimal(number * (100 if places == 0 else 1)) for number in QUICK]


@dataclass(frozen=True, slots=True)
class Detail:
    """A line of what the client needs: `value` is copied as it is."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class HowToPay:
    """Everything a client needs to send coins or a wire."""

    kind: str
    lead: str
    details: list[Detail]
    qr: SafeString | None = None
    expires_at: dt.datetime | None = None

    @property
    def is_soon(self) -> bool:
        """Is it worth counting the seconds?"""
        return self.expires_at is not None and self.expires_at < timezone.now() + dt.timedelta(hours=36)

    @property
    def is_over(self) -> bool:
        return self.expires_at is not None and self.expires_at < timezone.now()


def is_paid_here(deposit: Deposit) -> bool:
    """Tell whether it is paid from our page (an address, a reference), not on the PSP's."""
    return deposit.pay_by in HERE and bool(deposit.instructions)


def fields_of(deposit: Deposit) -> HostedFields | None:
    """Find the provider's fields that a deposit is paid with on our page, while it has a session for them."""
    if deposit.pay_by != PayBy.HOSTED_FIELDS or not deposit.instructions.get("session_id"):
        return None
    return adapter_of(deposit.psp).hosted_fields()


def how_to_pay(deposit: Deposit) -> HowToPay | None:
    """Collect what a client needs to pay from our page; None where they pay on the PSP's."""
    if not is_paid_here(deposit):
        return None
    values = {name: str(value) for name, value in deposit.instructions.items() if value}
    if deposit.pay_by == PayBy.CRYPTO_ADDRESS:
        labels = [
            ("amount", _("Amount to send")),
            ("network", _("Network")),
            ("address", _("Address")),
            ("memo", _("Memo")),
        ]
        lead = _("Send exactly this amount on this network. Any other transfer may be lost.")
        qr = qr_svg(values.get("uri") or values["address"]) if "address" in values else None
    else:
        values = {"amount": formats.money(deposit.money), **values}
        labels = [
            ("amount", _("Amount")),
            ("holder", _("Account holder")),
            ("iban", "IBAN"),
            ("account", _("Account number")),
            ("bic", "BIC"),
            ("bank", _("Bank")),
            ("reference", pgettext("of a wire", "Reference")),
        ]
        lead = _(
            "Transfer the money from an account in your own name and include the reference, so that "
            "we can identify your payment."
        )
        qr = None
    details = [Detail(label, values[name]) for name, label in labels if name in values]
    return HowToPay(deposit.pay_by, lead, details, qr, _time(values.get("expires", "")) or deposit.expires_at)


def _time(text: str) -> dt.datetime | None:
    """Parse a time as PSPs write it: ISO 8601, or seconds since 1970."""
    if is_whole(text):
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    try:
        time = parse_datetime(text)
    except ValueError:
        return None
    return time if time is None or time.tzinfo else time.replace(tzinfo=dt.UTC)


def qr_svg(text: str) -> SafeString:
    """Draw a payment's QR code as SVG to put into the page."""
    return qr_codes.svg(text, label=_("Payment QR code"))
