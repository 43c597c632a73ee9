"""VAT of self-billing invoices and credit notes: included in the amount, and also in the company's currency."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max

from crm.errors import outcome_of
from crm.models import Brand
from crm.money import amounts
from crm.rates import fx
from ib.models import CreditNote, SelfBillingInvoice


def split_vat(total: Decimal, currency: str, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Split an amount that includes VAT into net and VAT; rate in per cent, VAT rounded to the currency's smallest unit."""
    vat = amounts.quantize(total * rate / (100 + rate), currency, rounding=ROUND_HALF_UP)
    return total - vat, vat


def local_rate(brand: Brand, currency: str, on: dt.date) -> dict[str, Any]:
    """Find the rate by which an invoice in another currency states its VAT in the company's own.

    Art. 230 of Directive 2006/112/EC wants the VAT in the national currency, Art. 91(2) allows the ECB's rate of the day.
    Nothing where the currencies are the same, or the day has no rate.
    """
    if fx.is_same_money(currency, brand.base_currency):
        return {}
    found = outcome_of(lambda: fx.rate(currency, brand.base_currency, on=on), only=fx.NoRate)
    if not found.result:
        return {}
    rate = found.result
    return {"local_currency": brand.base_currency, "local_rate": round(rate.rate, 10), "local_on": rate.on}


def local_vat(vat: Decimal, invoice: SelfBillingInvoice) -> dict[str, Any]:
    """Convert VAT by the invoice's own rate, which its credit notes keep; nothing where it has none, or no VAT."""
    if not vat or not invoice.local_currency or invoice.local_rate is None:
        return {}
    return {"local_vat": amounts.quantize(vat * invoice.local_rate, invoice.local_currency, rounding=ROUND_HALF_UP)}


def next_number(model: type[SelfBillingInvoice] | type[CreditNote], brand: Brand, now: dt.datetime) -> tuple[int, int]:
    """Return the series (the brand's year) and its next number. Call with the brand's commissions locked."""
    series = now.astimezone(ZoneInfo(brand.time_zone)).year
    last = model._default_manager.filter(brand=brand, series=series).aggregate(last=Max("number"))["last"] or 0
    return series, last + 1
