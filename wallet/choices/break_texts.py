"""Sentences about a break, written when it is read, so that everyone reads it in their own language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import Money
from wallet.choices.break_details import say_detail, say_resolution
from wallet.choices.reconciliation import BreakKind, Resolved

if TYPE_CHECKING:
    from wallet.models import Break


def explain(item: Break) -> str:
    """Explain a break in one sentence; reads the row, the movement and the bank's entry, whichever it has."""
    if item.detail_code:
        return say_detail(item.detail_code, item.detail_values)
    if item.subject and item.detail:
        return item.detail
    words = _sentence(item)
    return f"{words}. {item.detail}" if item.detail else words


def how_resolved(item: Break) -> str:
    """Say how a break was resolved: by the sentence of its code, or as a person wrote it."""
    if item.resolution_code == Resolved.ITSELF:
        return explain(item)
    return say_resolution(item.resolution_code, item.resolution_values) if item.resolution_code else item.resolution


def _sentence(item: Break) -> str:
    if item.row is not None:
        return ROW_WORDS[BreakKind(item.kind)]() % _of_row(item)
    if item.movement is not None:
        values = {"reference": item.movement.reference, "kind": item.movement.get_kind_display()}
        if item.kind == BreakKind.TIMING:
            return _("%(kind)s %(reference)s was booked near the reporting cut-off") % values
        return _("%(kind)s %(reference)s isn't in any settlement report") % values
    if item.entry is not None:
        return _("%(money)s received at the bank matches no payout reported by a PSP") % {
            "money": formats.money(item.entry.money)
        }
    return f"{item.get_kind_display()}: {item.subject}"


def _of_row(item: Break) -> dict[str, Any]:
    row, movement = item.row, item.movement
    assert row is not None
    currency = row.currency
    return {
        "line": row.line,
        "kind": row.get_type_display(),
        "reference": row.psp_reference or row.merchant_reference,
        "there": _money(row.gross_minor, currency),
        "fee": _money(row.fee_minor, currency),
        "here": formats.money(movement.money) if movement else "–",
        "ours": movement.reference if movement else "–",
        "open": _money(abs(item.difference_minor), currency),
        "paid": _money(-row.gross_minor, currency),
        "agreed": _money(row.fee_minor - item.difference_minor, currency),
    }


def _money(minor: int, currency: str) -> str:
    return formats.money(Money.of_minor(minor, currency))


ROW_WORDS = {
    BreakKind.MISSING_HERE: lambda: _("Line %(line)s: %(kind)s %(reference)s of %(there)s isn't in the ledger"),
    BreakKind.MISSING_THERE: lambda: _("Line %(line)s: %(paid)s paid out by the PSP hasn't reached our bank account"),
    BreakKind.AMOUNT: lambda: _(
        "Line %(line)s: %(kind)s %(reference)s is %(there)s in the report but %(here)s in the ledger"
    ),
    BreakKind.CURRENCY: lambda: _(
        "Line %(line)s: %(kind)s %(reference)s is %(there)s in the report but %(here)s in the ledger"
    ),
    BreakKind.DUPLICATE: lambda: _("Line %(line)s: %(kind)s %(reference)s appears twice in the report"),
    BreakKind.FEE: lambda: _("Line %(line)s: the PSP charged %(fee)s, the agreed fee is %(agreed)s"),
    BreakKind.WRONG_CLIENT: lambda: _(
        "Line %(line)s: %(kind)s %(reference)s belongs to a different client than %(ours)s"
    ),
    BreakKind.STATUS: lambda: _(
        "Line %(line)s: %(kind)s %(reference)s of %(there)s was reported by the PSP but isn't recorded here"
    ),
    BreakKind.RESERVE_OVERDUE: lambda: _("Line %(line)s: %(open)s of the %(there)s reserve is overdue for release"),
    BreakKind.RESERVE_UNEQUAL: lambda: _(
        "Line %(line)s: %(there)s was released, %(open)s more than was held in reserve"
    ),
    BreakKind.TIMING: lambda: _("Line %(line)s: %(kind)s %(reference)s was booked near the cut-off"),
}
