"""Calculating commissions of a past stretch again: compared first, applied by a second person where money changes.

What is applied is what was compared: where anything has changed since, the approval is refused and nothing is written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import approvals
from crm.approvals import Change
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.security.policies import require
from ib import engine
from ib.audit_codes import IbAction
from ib.choices import IbNotice, Reason, RunKind
from ib.models import Partner, Recalculation
from ib.policies import can_run

DEALS_MAX: Final = 50_000
LINES_SHOWN: Final = 200


def propose_recalculation(
    *, brand: Brand, from_at: dt.datetime, to_at: dt.datetime, actor: User, reason: str
) -> tuple[Recalculation | None, engine.Comparison]:
    """Compare a stretch of time with what was accrued, and propose the differences.

    Where no money changes they are written at once: rows that say why deals earn nothing. None then, and where nothing differs.
    Who: `ib.run_commissions` at the brand. Raises: NotAllowed, DomainError (too many deals), WrongState (one is open).
    """
    require(can_run(actor, brand.pk))
    comparison = engine.compare(brand=brand, scope=engine.Scope(from_at=from_at, to_at=to_at))
    if len(comparison.deal_ids) > DEALS_MAX:
        raise DomainError(
            _("Commissions of %(deals)s deals would change. Choose a shorter period.")
            % {"deals": formats.number(Decimal(len(comparison.deal_ids)))}
        )
    if not comparison.deal_ids:
        return None, comparison
    item = Recalculation(
        brand=brand,
        from_at=from_at,
        to_at=to_at,
        reason=reason.strip(),
        deal_ids=comparison.deal_ids,
        lines=[asdict(line) for line in comparison.lines],
    )
    if comparison.changes_money:
        return approvals.propose(item, actor=actor), comparison
    _write(item, actor)
    return None, comparison


def _write(item: Recalculation, actor: User) -> None:
    engine.run(
        brand=item.brand,
        scope=engine.Scope(deal_ids=item.deal_ids),
        kind=RunKind.RECOMPUTE,
        corrects=True,
        actor=actor,
        reason=item.reason[:200],
    )


class RecalculationApproval(approvals.ApprovalKind[Recalculation]):
    """The differences are added as rows, in the periods of their trades or, where those are settled, in the next one."""

    model = Recalculation
    code = "recalculation"
    label = gettext_lazy("Commission recalculation")
    # Who asks for it doesn't pay it out: finance decides, as it settles.
    asks, decides = "ib.run_commissions", "ib.settle_commissions"
    proposed, approved = IbAction.RECALCULATION_PROPOSED, IbAction.RECALCULATION_APPROVED
    rejected, withdrawn = IbAction.RECALCULATION_REJECTED, IbAction.RECALCULATION_WITHDRAWN
    notice = IbNotice.RECALCULATION_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("brand",)
    done = gettext_lazy("Recalculation approved. Differences added.")

    def apply(self, item: Recalculation, actor: User, **given: Any) -> None:
        comparison = engine.compare(brand=item.brand, scope=engine.Scope(deal_ids=item.deal_ids))
        if [asdict(line) for line in comparison.lines] != item.lines:
            raise DomainError(
                _("Commissions have changed since the comparison. Reject it, then ask for a new recalculation.")
            )
        _write(item, actor)

    def title(self, item: Recalculation) -> LocalizedText:
        return phrase("Commission recalculation of %(brand)s") % {"brand": item.brand.name}

    def url(self, item: Recalculation) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def changes(self, item: Recalculation) -> list[Change]:
        lines = [engine.Line(**line) for line in item.lines]
        partners = Partner.objects.in_bulk({line.partner_id for line in lines})
        last = formats.moment(item.to_at - dt.timedelta(seconds=1))
        deals = ngettext("%(count)s deal", "%(count)s deals", len(item.deal_ids)) % {"count": len(item.deal_ids)}
        return [
            Change(_("Closed"), f"{formats.moment(item.from_at)} – {last}"),
            Change(_("Deals"), deals),
            *_totals(lines),
            *[
                Change(
                    f"{partners[line.partner_id].name} · {_reason(line.reason_before)} → {_reason(line.reason_after)}",
                    _money(line.after, line.before, line.currency, line.deals),
                    formats.money(Decimal(line.before), line.currency),
                )
                for line in lines[:LINES_SHOWN]
            ],
        ]

    def after(self, item: Recalculation) -> dict[str, Any]:
        totals = {line["currency"]: Decimal(0) for line in item.lines}
        for line in item.lines:
            totals[line["currency"]] += Decimal(line["after"]) - Decimal(line["before"])
        return {
            "from": item.from_at.isoformat(),
            "to": item.to_at.isoformat(),
            "deals": len(item.deal_ids),
            "difference": {currency: str(total) for currency, total in totals.items()},
        }


def _totals(lines: list[engine.Line]) -> list[Change]:
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for line in lines:
        before, after = totals.get(line.currency, (Decimal(0), Decimal(0)))
        totals[line.currency] = before + Decimal(line.before), after + Decimal(line.after)
    return [
        Change(_("Total"), _money(after, before, currency), formats.money(before, currency))
        for currency, (before, after) in sorted(totals.items())
    ]


def _money(after: Decimal | str, before: Decimal | str, currency: str, deals: int = 0) -> str:
    """Write an amount with its difference, e.g. €12.00 (+€2.00), 3 deals."""
    difference = formats.money(Decimal(after) - Decimal(before), currency, sign=True)
    text = f"{formats.money(Decimal(after), currency)} ({difference})"
    if not deals:
        return text
    return f"{text}, " + ngettext("%(count)s deal", "%(count)s deals", deals) % {"count": deals}


def _reason(code: str) -> str:
    return _("Not calculated yet") if code == "none" else str(Reason(code).label)
