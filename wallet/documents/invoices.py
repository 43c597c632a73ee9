"""Invoices for the fees that clients paid in a month: numbered per brand and year without gaps, their figures frozen.

Fees are those of deposits and withdrawals that were settled in the month (in the brand's time zone), and those of challenges and
their resets as the ledger has them, with what was refunded. A month is invoiced once it is
over; then no fee can be added to it, because times are those of the booking.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.errors import DomainError, NotAllowed
from crm.models import Actor, Brand
from crm.money.amounts import Money, from_minor
from crm.rendering.report import Fingerprint
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.documents import DocumentKind
from wallet.core.queries import invoices_visible_to
from wallet.documents import policies
from wallet.documents.making import gathers
from wallet.documents.statement import bounds
from wallet.documents.store import Draft
from wallet.models import FeeInvoice

# One statement for the whole brand: who paid what, and the next numbers in the order of the clients.
ISSUE = """
WITH fees AS (
  SELECT d.client_id, d.reference, 'deposit' AS kind, d.settled_at AS at,
    coalesce(nullif(d.arrived_currency, ''), d.currency) AS currency, d.received_minor AS of_minor, d.fee_minor
  FROM wallet_deposit d WHERE d.brand_id = %(brand)s AND d.fee_minor > 0 AND d.settled_at >= %(since)s
    AND d.settled_at < %(until)s
  UNION ALL
  SELECT w.client_id, w.reference, 'withdrawal', w.finished_at, w.currency, w.amount_minor, w.fee_minor
  FROM wallet_withdrawal w WHERE w.brand_id = %(brand)s AND w.fee_minor > 0 AND w.state IN ('settled', 'came_back')
    AND w.finished_at >= %(since)s AND w.finished_at < %(until)s
  UNION ALL
  SELECT w.client_id, w.reference, 'came_back', f.decided_at, w.currency, f.amount_minor, -f.fee_returned_minor
  FROM wallet_payoutfinding f JOIN wallet_withdrawal w ON w.id = f.withdrawal_id
  WHERE w.brand_id = %(brand)s AND f.state = 'approved' AND f.fee_returned_minor > 0
    AND f.decided_at >= %(since)s AND f.decided_at < %(until)s
  UNION ALL
  SELECT c.client_id, 'J-' || p.journal_id, CASE WHEN p.amount_minor > 0 THEN 'challenge' ELSE 'challenge_refunded' END,
    p.posted_at, p.currency, abs(p.amount_minor), p.amount_minor
  FROM wallet_account h JOIN wallet_posting p ON p.account_id = h.id AND p.version IS NULL AND p.posted_at >= %(since)s
    AND p.posted_at < %(until)s
  JOIN wallet_posting w ON w.journal_id = p.journal_id JOIN wallet_account c ON c.id = w.account_id AND c.kind = 'client_wallet'
  WHERE h.brand_id = %(brand)s AND h.kind = 'challenge_fees'
), lines AS (
  SELECT client_id, jsonb_agg(jsonb_build_object('reference', reference, 'kind', kind, 'at', at, 'currency', currency,
    'of', of_minor, 'fee', fee_minor) ORDER BY at, reference) AS lines
  FROM fees WHERE client_id NOT IN (SELECT i.client_id FROM wallet_feeinvoice i WHERE i.brand_id = %(brand)s
    AND i.first_day = %(first)s) GROUP BY client_id
), sums AS (
  SELECT client_id, jsonb_object_agg(currency, total) AS totals
  FROM (SELECT client_id, currency, sum(fee_minor) AS total FROM fees GROUP BY client_id, currency) s GROUP BY client_id
)
INSERT INTO wallet_feeinvoice (brand_id, client_id, series, number, first_day, last_day, lines, totals, issued_by_id, issued_at)
SELECT %(brand)s, client_id, %(series)s, %(after)s + row_number() OVER (ORDER BY client_id), %(first)s, %(last)s, lines,
  totals, %(actor)s, %(now)s
FROM lines JOIN sums USING (client_id) ORDER BY client_id
"""
LOCK = 0x1F4C  # one numbering at a time, per brand


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One fee, as the invoice states it."""

    reference: str
    kind: str
    at: dt.datetime
    of: Money
    fee: Money


def month_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a day's month."""
    first = day.replace(day=1)
    return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


@transaction.atomic
def issue_fee_invoices(*, brand_id: int, month: dt.date, actor: Actor) -> int:
    """Give every client who paid fees in the month an invoice with the next number; return how many are new.

    Who: `wallet.make_issueddocument` on the whole brand. Again for the same month it adds nothing. Raises: NotAllowed,
    DomainError while the month is not over.
    """
    brand = Brand.objects.get(pk=brand_id)
    require(policies.can_make_for_brand(actor, brand_id))
    first, last = month_of(month)
    since, until = bounds(first, last, brand.time_zone)
    now = timezone.now()
    if until > now:
        raise DomainError(_("Fees are invoiced once the month is over."))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, brand_id])
        series = now.astimezone(since.tzinfo).year
        number = FeeInvoice.objects.filter(brand_id=brand_id, series=series).order_by("-number")
        after = number.values_list("number", flat=True).first() or 0
        cursor.execute(
            ISSUE,
            {
                "brand": brand_id,
                "since": since,
                "until": until,
                "first": first,
                "last": last,
                "series": series,
                "after": after,
                "actor": actor.pk if actor else None,
                "now": now,
            },
        )
        count = int(cursor.rowcount)
    if count:
        audit.record(
            actor=actor,
            action=WalletAction.FEES_INVOICED,
            target=brand,
            brand_id=brand_id,
            after={"month": f"{first:%Y-%m}", "invoices": count, "numbers": f"{series}: {after + 1}–{after + count}"},
        )
    return count


def lines_of(invoice: FeeInvoice) -> list[InvoiceLine]:
    """Read an invoice's frozen lines."""
    lines = invoice.lines if isinstance(invoice.lines, list) else json.loads(invoice.lines)
    return [
        InvoiceLine(
            line["reference"],
            line["kind"],
            dt.datetime.fromisoformat(line["at"]),
            Money(from_minor(line["of"], line["currency"]), line["currency"]),
            Money(from_minor(line["fee"], line["currency"]), line["currency"]),
        )
        for line in lines
    ]


def content_hash(invoice: FeeInvoice) -> str:
    """Hash the invoice's figures: the same in every language."""
    mark = Fingerprint(f"invoice:{invoice.reference}:{invoice.client_id}:{invoice.first_day}")
    for line in lines_of(invoice):
        mark.row([line.reference, line.kind, line.at, line.of, line.fee])
    mark.row([str(money.amount) + money.currency for money in invoice.sums])
    return mark.hexdigest()


def draft_of(invoice: FeeInvoice, language: str) -> Draft:
    """Lay out an invoice as a letter; it comes with its client and brand."""
    client = invoice.client
    with translation.override(language):
        title = _("Invoice %(number)s") % {"number": invoice.reference}
    context = {
        "invoice": invoice,
        "lines": lines_of(invoice),
        "client": client,
        "made_at": timezone.now(),
        "title": title,
    }
    return Draft(
        kind=DocumentKind.FEE_INVOICE,
        brand=invoice.brand,
        client=client,
        subject=f"invoice:{invoice.reference}",
        title=title,
        file_name=f"invoice-{invoice.reference}.pdf",
        language=language,
        first=invoice.first_day,
        last=invoice.last_day,
        template="wallet/documents/pdf/invoice.html",
        content_hash=content_hash(invoice),
        context=context,
    )


@gathers(DocumentKind.FEE_INVOICE)
def draft_for(owner: Any, parameters: Mapping[str, Any]) -> Draft:
    """Gather the invoice of a document job; the owner's rights are checked again. Raises: NotAllowed."""
    rows = invoices_visible_to(owner).select_related("client__brand", "brand")
    invoice = rows.filter(pk=parameters["invoice_id"]).first()
    if invoice is None:
        raise NotAllowed(_("You don't have access to this client."))
    require(policies.can_have_documents(owner, invoice.client))
    return draft_of(invoice, parameters["language"])
