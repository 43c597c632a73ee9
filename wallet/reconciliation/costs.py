"""What PSPs agreed to charge us: written down by one person, agreed to by another, from a day on.

The fees of a report's rows are compared with the terms of their day; a fee that is another one becomes a break of kind “fee”.
Terms of days that have come never change: later ones take over. Only terms whose day is not here yet can be taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.choices.reconciliation import BreakKind, RowType
from wallet.models import Break, Psp, PspCost, PspCostProposal, SettlementImport
from wallet.psp import policies as psp_policies
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import naming

# Rows that carry a fee; a row of type "fee" is one itself.
TYPES = (
    RowType.PAYMENT,
    RowType.PAYOUT,
    RowType.REFUND,
    RowType.CHARGEBACK,
    RowType.CHARGEBACK_REVERSED,
    RowType.MERCHANT_PAYOUT,
)
BASIS_POINTS_MAX = 5_000
TERMS_SHOWN = 300
PROPOSALS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """What is charged for a row of a type and currency: a part of the gross amount, and a fixed sum in minor units."""

    type: str
    currency: str
    basis_points: Decimal
    fixed_minor: int
    tolerance_minor: int
    valid_from: dt.date

    def as_fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@transaction.atomic
def propose_terms(*, psp_id: int, terms: Terms, reason: str, actor: User) -> PspCostProposal:
    """Write down what was agreed with a PSP; it waits for a second person.

    Who: `wallet.manage_psp` on the brand. Raises: NotAllowed, DomainError (amounts, reason, a day that is not open).
    """
    psp = lock(Psp, psp_id, "brand", no_key=True)
    require(psp_policies.can_manage_psp(actor, psp))
    if terms.type not in TYPES or not 0 <= terms.basis_points <= BASIS_POINTS_MAX:
        raise DomainError(_("Enter a cost between 0 and 50 %, for a row type that carries a fee."))
    if terms.fixed_minor < 0 or terms.tolerance_minor < 0:
        raise DomainError(_("Amounts can't be negative."))
    _require_open_day(psp, terms)
    return approvals.propose(PspCostProposal(psp=psp, reason=reason, **terms.as_fields()), actor=actor)


def _require_open_day(psp: Psp, terms: Terms | PspCostProposal) -> None:
    """Refuse terms that would edit the past.

    Beside terms that are in force, others begin today or later; only the first ones may begin earlier. Raises:
    DomainError.
    """
    today = _today()
    rows = PspCost.objects.filter(psp=psp, type=terms.type, currency=terms.currency)
    if rows.filter(valid_from=terms.valid_from).exists():
        raise DomainError(_("Other terms already start on this day. Choose a later day."))
    if terms.valid_from < today and rows.filter(valid_from__lte=today).exists():
        raise DomainError(_("Reports were already compared with the terms in force then. Choose today or a later day."))


class CostApproval(approvals.ApprovalKind[PspCostProposal]):
    """The terms count from their day on; with the first ones of a kind, reports that are here already are looked at too."""

    model = PspCostProposal
    code = "cost-terms"
    label = gettext_lazy("PSP cost terms")
    asks, decides = "wallet.manage_psp", "wallet.approve_pspcost"
    proposed, approved = WalletAction.COST_TERMS_PROPOSED, WalletAction.COST_TERMS_APPROVED
    rejected, withdrawn = WalletAction.COST_TERMS_REFUSED, WalletAction.COST_TERMS_WITHDRAWN
    notice = WalletNotice.COST_TERMS
    brand_path = "psp__brand_id"
    related = ("psp__brand",)
    one_open = ("psp", "type", "currency", "valid_from")

    def lock(self, pk: int) -> PspCostProposal:
        """Locks: the PSP's runs, its row, the proposal; always in this order."""
        psp_id = PspCostProposal.objects.values_list("psp_id", flat=True).get(pk=pk)
        lock_psp(psp_id)
        lock(Psp.objects.only("pk"), psp_id, no_key=True)
        return super().lock(pk)

    def apply(self, item: PspCostProposal, actor: User, **given: Any) -> None:
        """Put the terms in force and compare the reports since then with them.

        Raises: DomainError (their day has gone by while they waited).
        """
        _require_open_day(item.psp, item)
        cost = PspCost.objects.create(psp=item.psp, **{name: getattr(item, name) for name in Terms.__slots__})
        if cost.valid_from <= _today():
            compare_reports_with_terms(item.psp, since=cost.valid_from)

    def title(self, item: PspCostProposal) -> LocalizedText:
        return phrase("Cost terms for %(psp)s") % {"psp": item.psp}

    def url(self, item: PspCostProposal) -> str:
        return f"/money/psps/{item.psp_id}/costs/"

    def changes(self, item: PspCostProposal) -> list[Change]:
        percent, fixed = formats.number(item.percent, item.percent_decimals), formats.money(item.fixed, item.currency)
        return [
            Change(_("Applies to"), f"{item.get_type_display()}, {item.currency}"),
            Change(_("Cost"), f"{percent} % + {fixed}"),
            Change(_("Tolerance"), formats.money(item.tolerance, item.currency)),
            Change(_("From"), formats.day(item.valid_from)),
        ]

    def target(self, item: PspCostProposal) -> Psp:
        return item.psp

    def after(self, item: PspCostProposal) -> dict[str, Any]:
        return _terms_summary(item)


@transaction.atomic
def withdraw_terms(*, cost_id: int, actor: Actor) -> None:
    """Take back terms whose day has not come; what was in force before goes on.

    Who: `wallet.manage_psp` on the brand. Raises: NotAllowed, WrongState when the day is here (also a trigger).
    """
    psp_id = PspCost.objects.values_list("psp_id", flat=True).get(pk=cost_id)
    lock_psp(psp_id)
    cost = PspCost.objects.select_related("psp__brand").get(pk=cost_id)
    require(psp_policies.can_manage_psp(actor, cost.psp))
    if cost.valid_from <= _today():
        raise WrongState(_("These terms are already in force. Add later terms to replace them."))
    key = {name: getattr(cost, name) for name in ("psp", "type", "currency", "valid_from")}
    PspCostProposal.objects.filter(state=ApprovalState.APPROVED, ended_at=None, **key).update(
        ended_by=actor, ended_at=timezone.now()
    )
    audit.record(
        actor=actor,
        action=WalletAction.COST_TERMS_TAKEN_BACK,
        target=cost.psp,
        brand_id=cost.psp.brand_id,
        before=_terms_summary(cost),
    )
    cost.delete()


def compare_reports_with_terms(psp: Psp, *, since: dt.date) -> int:
    """Open fee breaks in reports that were imported before these terms; return how many rows disagree."""
    lock_psp(psp.pk)
    reports = SettlementImport.objects.filter(psp=psp, last_day__gte=since).order_by("pk").values_list("pk", flat=True)
    values: dict[str, Any] = {"psp": psp.pk, "brand": psp.brand_id}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS recon_break")
        cursor.execute(naming.WANTED)
        for report in reports:
            cursor.execute(naming.OF_FEES, {**values, "report": report})
        cursor.execute(naming.INSERT, values)
        breaks: int = cursor.rowcount
        return breaks


def _terms_summary(terms: PspCost | PspCostProposal) -> dict[str, Any]:
    fields: Sequence[str] = Terms.__slots__
    return {name: str(getattr(terms, name)) for name in fields}


def _today() -> dt.date:
    return timezone.now().astimezone(dt.UTC).date()


# ── for the page ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """A line of the page. disagree: rows of the last report with another fee; None where these terms did not hold for it."""

    cost: PspCost
    state: str
    disagree: int | None = None


def last_report(psp: Psp) -> SettlementImport | None:
    """Find the report of a PSP with the latest last day; None where there is none."""
    return SettlementImport.objects.filter(psp=psp).order_by("-last_day", "-pk").first()


def terms_of(psp: Psp, report: SettlementImport | None) -> list[ShownTerms]:
    """Terms by kind and currency, the latest first."""
    breaks = Break.objects.filter(report=report, kind=BreakKind.FEE) if report else Break.objects.none()
    counts = {
        (kind, currency): count
        for kind, currency, count in breaks.values_list("row__type", "row__currency").annotate(count=Count("pk"))
    }
    shown, in_force, today = [], set(), _today()
    for cost in PspCost.objects.filter(psp=psp).order_by("type", "currency", "-valid_from")[:TERMS_SHOWN]:
        key = (cost.type, cost.currency)
        if cost.valid_from > today:
            shown.append(ShownTerms(cost, "to_come"))
        elif key in in_force:
            shown.append(ShownTerms(cost, "replaced"))
        else:
            in_force.add(key)
            holds = report is not None and cost.valid_from <= report.last_day
            shown.append(ShownTerms(cost, "in_force", counts.get(key, 0) if holds else None))
    return shown


def without_terms(psp: Psp, report: SettlementImport | None, shown: Sequence[ShownTerms]) -> list[str]:
    """Currencies that the last report has and no terms speak of: fees in them are taken as they come."""
    known = {line.cost.currency for line in shown}
    return sorted(set(report.totals) - known) if report else []


def proposals_of(psp: Psp) -> tuple[list[PspCostProposal], list[PspCostProposal]]:
    """Those that wait, and the last ones that were decided."""
    rows = PspCostProposal.objects.filter(psp=psp).select_related("requested_by", "decided_by", "ended_by", "psp")
    waiting = list(rows.filter(state=ApprovalState.PENDING)[:PROPOSALS_SHOWN])
    return waiting, list(rows.exclude(state=ApprovalState.PENDING)[:PROPOSALS_SHOWN])
