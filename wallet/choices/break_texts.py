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
            return _("%(kind)s %(reference)s was booked near the end of what the reports cover") % values
        return _("%(kind)s %(reference)s is in our books, and in no row of a report") % values
    if item.entry is not None:
        return _("%(money)s came to the bank from no payout that a PSP tells of") % {
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
    BreakKind.MISSING_HERE: lambda: _("Line %(line)s: %(kind)s %(reference)s of %(there)s is in no book of ours"),
    BreakKind.MISSING_THERE: lambda: _("Line %(line)s: %(paid)s that the PSP paid out reached no bank account of ours"),
    BreakKind.AMOUNT: lambda: _("Line %(line)s: %(kind)s %(reference)s is %(there)s there and %(here)s here"),
    BreakKind.CURRENCY: lambda: _("Line %(line)s: %(kind)s %(reference)s is %(there)s there and %(here)s here"),
    BreakKind.DUPLICATE: lambda: _("Line %(line)s: %(kind)s %(reference)s stands in the report twice"),
    BreakKind.FEE: lambda: _("Line %(line)s: the PSP took %(fee)s, and %(agreed)s is agreed"),
    BreakKind.WRONG_CLIENT: lambda: _("Line %(line)s: %(kind)s %(reference)s names another client than %(ours)s does"),
    BreakKind.STATUS: lambda: _("Line %(line)s: %(kind)s %(reference)s of %(there)s happened there, and not here"),
    BreakKind.RESERVE_OVERDUE: lambda: _(
        "Line %(line)s: of %(there)s held back %(open)s should have been released by now"
    ),
    BreakKind.RESERVE_UNEQUAL: lambda: _("Line %(line)s: %(there)s was released, %(open)s more than was held back"),
    BreakKind.TIMING: lambda: _("Line %(line)s: %(kind)s %(reference)s was booked near the cut-off"),
}
