"""What a dispute is decided on: the deal as the platform reports it and changed it, and every line with its calculation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from crm.i18n import formats
from ib.agreements.scopes import which_and_why
from ib.calculation.explained_deal import why_none
from ib.explain import Step, explain
from ib.models import Accrual, CommissionDispute, Settlement
from ib.queries import of_deals
from ib.settlements.lines import settlement_of
from trading.models import Deal, DealEdit

LINES_MAX: Final = 10
EDITS_MAX: Final = 10


@dataclass(frozen=True)
class DisputedLine:
    """One of the partner's entries for the deal, how it was calculated, and the settlement that it is in."""

    accrual: Accrual
    steps: Sequence[Step]
    settlement: Settlement | None


@dataclass(frozen=True)
class Evidence:
    """The platform's record and the partner's entries, or why the deal has none of anybody. Of a client's month: the entries.

    Lines and plan versions never change; `edits` tell what the platform did.
    """

    deal: Deal | None
    client_id: int | None
    record: Sequence[tuple[str, str]]
    edits: Sequence[tuple[DealEdit, Sequence[tuple[str, str, str]]]]
    lines: Sequence[DisputedLine]
    why_none: str


def evidence_of(dispute: CommissionDispute) -> Evidence | None:
    """Gather what a line's dispute is about; None where the whole partner is frozen."""
    if dispute.deal_id is None:
        return None
    rows = Accrual.objects.filter(of_deals([dispute.deal_id]), partner_id=dispute.partner_id)
    rows = rows.select_related("version__plan", "period").order_by("pk")[:LINES_MAX]
    lines = [
        DisputedLine(row, explain(row, for_staff=True, agreement=which_and_why(row)), settlement_of(row))
        for row in rows
    ]
    if dispute.deal_id < 0:
        client = lines[0].accrual.client_id if lines else None
        return Evidence(None, client, [], [], lines, "")
    deal = Deal.every.filter(pk=dispute.deal_id).select_related("server", "account").first()
    if deal is None:
        return None
    edits = DealEdit.objects.filter(server_id=deal.server_id, ticket=deal.ticket).order_by("-pk")[:EDITS_MAX]
    is_anybodys = Accrual.objects.filter(of_deals([deal.pk])).exists()
    return Evidence(
        deal,
        deal.account.client_id if deal.account else None,
        _record(deal),
        [(edit, _changes(edit)) for edit in edits],
        lines,
        _("Other partners have entries for this deal, this partner has none.") if is_anybodys else why_none(deal),
    )


def _record(deal: Deal) -> list[tuple[str, str]]:
    rows = [
        (_("Platform"), f"{deal.server.get_kind_display()} · {deal.server.name}"),
        (_("Login"), deal.login),
        (_("Deal"), f"#{deal.ticket}"),
        (_("Position"), f"#{deal.position_id}"),
        (_("Executed"), formats.moment(deal.executed_at, seconds=True)),
        (_("Symbol"), deal.symbol),
        (_("Lots"), formats.number(deal.lots)),
        (_("Closed lots"), formats.number(deal.closed_lots)),
        (_("Price"), formats.number(deal.price)),
        (_("Opening price"), formats.number(deal.price_position)),
    ]
    if deal.account is not None:
        currency = deal.account.currency
        rows += [
            (_("Profit"), formats.money(deal.profit, currency, sign=True)),
            (_("Platform commission"), formats.money(deal.commission, currency, sign=True)),
        ]
    if deal.deleted_at is not None:
        rows.append((_("Deleted on the platform"), formats.moment(deal.deleted_at)))
    return rows


def _changes(edit: DealEdit) -> list[tuple[str, str, str]]:
    return [
        (name, str(edit.before.get(name, "–")), str(value))
        for name, value in edit.after.items()
        if edit.before.get(name) != value
    ]
