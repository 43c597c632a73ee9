"""What PSPs agreed to charge us: written down by one person, agreed to by another, from a day on.

The fees of a report's rows are held against the terms of their day; a fee that is another one becomes a break of kind “fee”.
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

from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import label_of, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.approvals import RequestState
from wallet.choices.reconciliation import BreakKind, RowType
from wallet.core import policies
from wallet.models import Break, Psp, PspCost, PspCostProposal, SettlementImport
from wallet.psp import policies as psp_policies
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import naming
from wallet.reconciliation import policies as reconciliation_policies

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
    psp = Psp.objects.select_for_update(of=["self"], no_key=True).select_related("brand").get(pk=psp_id)
    require(psp_policies.can_manage_psp(actor, psp))
    if terms.type not in TYPES or not 0 <= terms.basis_points <= BASIS_POINTS_MAX:
        raise DomainError(_("A cost is between nothing and 50 % of rows that carry a fee."))
    if terms.fixed_minor < 0 or terms.tolerance_minor < 0:
        raise DomainError(_("Amounts must not be below zero."))
    if not reason.strip():
        raise DomainError(_("Say where this was agreed, e.g. the contract and its clause."))
    _require_open_day(psp, terms)
    key = {name: getattr(terms, name) for name in ("type", "currency", "valid_from")}
    if PspCostProposal.objects.filter(psp=psp, state=RequestState.WAITING, **key).exists():
        raise WrongState(_("Terms for this kind, currency and day wait for a second person already."))
    proposal = PspCostProposal.objects.create(
        psp=psp, reason=reason.strip()[:300], requested_by=actor, requested_at=timezone.now(), **terms.as_fields()
    )
    _record(proposal, WalletAction.COST_TERMS_PROPOSED, actor, reason)
    notify(
        [pk for pk in people_with("wallet.approve_pspcost", brand_id=psp.brand_id) if pk != actor.pk],
        kind="wallet.cost_terms",
        title=phrase("Cost terms of %(psp)s wait for a second person") % {"psp": psp},
        body=proposal.reason,
        url=_url(proposal),
        dedupe_key=f"cost-terms:{proposal.pk}",
    )
    return proposal


def _require_open_day(psp: Psp, terms: Terms | PspCostProposal) -> None:
    """The past is never edited: beside terms that are in force, others begin today or later. The first ones may look back."""
    today = _today()
    rows = PspCost.objects.filter(psp=psp, type=terms.type, currency=terms.currency)
    if rows.filter(valid_from=terms.valid_from).exists():
        raise DomainError(_("Other terms begin on this day already. Choose a later day."))
    if terms.valid_from < today and rows.filter(valid_from__lte=today).exists():
        raise DomainError(
            _("Reports were held against the terms that were in force then. Choose today or a later day.")
        )


@transaction.atomic
def approve_terms(*, proposal_id: int, actor: User, note: str = "") -> PspCost:
    """The terms count from their day on; with the first ones of a kind, reports that are here already are looked at too.

    Who: `wallet.approve_pspcost` on the brand, and not the one who wrote them down (also a CHECK).
    Raises: NotAllowed, WrongState, DomainError (their day has gone by while they waited).
    """
    proposal = _locked(proposal_id)
    require(reconciliation_policies.can_decide_cost(actor, proposal))
    _require_open_day(proposal.psp, proposal)
    terms = {name: getattr(proposal, name) for name in Terms.__slots__}
    cost = PspCost.objects.create(psp=proposal.psp, **terms)
    _decide(proposal, RequestState.APPROVED, actor, note)
    _record(proposal, WalletAction.COST_TERMS_APPROVED, actor, note)
    _answer(proposal)
    if cost.valid_from <= _today():
        hold_reports_against_terms(proposal.psp, since=cost.valid_from)
    return cost


@transaction.atomic
def refuse_terms(*, proposal_id: int, actor: User, note: str) -> PspCostProposal:
    """Who: as for agreeing. note: why, for the one who wrote them down."""
    proposal = _locked(proposal_id)
    require(reconciliation_policies.can_decide_cost(actor, proposal))
    if not note.strip():
        raise DomainError(_("Say why it is refused."))
    _decide(proposal, RequestState.REFUSED, actor, note)
    _record(proposal, WalletAction.COST_TERMS_REFUSED, actor, note)
    _answer(proposal)
    return proposal


@transaction.atomic
def withdraw_proposal(*, proposal_id: int, actor: User) -> PspCostProposal:
    """Who: the one who wrote them down, while nobody has decided."""
    proposal = _locked(proposal_id)
    require(policies.can_withdraw(actor, proposal))
    _decide(proposal, RequestState.WITHDRAWN, actor, "")
    _record(proposal, WalletAction.COST_TERMS_WITHDRAWN, actor, "")
    return proposal


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
        raise WrongState(_("These terms are in force: write later ones that take over."))
    key = {name: getattr(cost, name) for name in ("psp", "type", "currency", "valid_from")}
    PspCostProposal.objects.filter(state=RequestState.APPROVED, ended_at=None, **key).update(
        ended_by=actor, ended_at=timezone.now()
    )
    audit.record(
        actor=actor,
        action=WalletAction.COST_TERMS_TAKEN_BACK,
        target=cost.psp,
        brand_id=cost.psp.brand_id,
        before=_words(cost),
    )
    cost.delete()


def hold_reports_against_terms(psp: Psp, *, since: dt.date) -> int:
    """Fee breaks of reports that were here before the terms were; returns how many rows disagree."""
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


def _locked(proposal_id: int) -> PspCostProposal:
    """Locks: the PSP's runs, its row, the proposal; always in this order."""
    psp_id = PspCostProposal.objects.values_list("psp_id", flat=True).get(pk=proposal_id)
    lock_psp(psp_id)
    Psp.objects.select_for_update(of=["self"], no_key=True).only("pk").get(pk=psp_id)
    proposal = PspCostProposal.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=proposal_id)
    if proposal.state != RequestState.WAITING:
        raise WrongState(_("This was decided already: %(state)s.") % {"state": proposal.get_state_display()})
    return proposal


def _decide(proposal: PspCostProposal, state: RequestState, actor: Actor, note: str) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, actor, timezone.now()
    proposal.decision_note = note.strip()[:300]
    proposal.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])


def _words(terms: PspCost | PspCostProposal) -> dict[str, Any]:
    fields: Sequence[str] = Terms.__slots__
    return {name: str(getattr(terms, name)) for name in fields}


def _record(proposal: PspCostProposal, action: AuditCode, actor: Actor, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=proposal.psp,
        brand_id=proposal.psp.brand_id,
        reason=reason,
        after={**_words(proposal), "state": proposal.state},
    )


def _answer(proposal: PspCostProposal) -> None:
    notify(
        [proposal.requested_by_id],
        kind="wallet.cost_terms_decided",
        title=phrase("Your cost terms of %(psp)s: %(state)s")
        % {"psp": proposal.psp, "state": label_of(proposal, "state")},
        body=proposal.decision_note,
        url=_url(proposal),
        dedupe_key=f"cost-terms:{proposal.pk}:decided",
    )


def _url(proposal: PspCostProposal) -> str:
    return f"/money/psps/{proposal.psp_id}/costs/"


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
    return SettlementImport.objects.filter(psp=psp).order_by("-last_day", "-pk").first()


def terms_of(psp: Psp, report: SettlementImport | None) -> list[ShownTerms]:
    """Terms by kind and currency, the latest first."""
    found = Break.objects.filter(report=report, kind=BreakKind.FEE) if report else Break.objects.none()
    counts = {
        (kind, currency): count
        for kind, currency, count in found.values_list("row__type", "row__currency").annotate(count=Count("pk"))
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
    known = {one.cost.currency for one in shown}
    return sorted(set(report.totals) - known) if report else []


def proposals_of(psp: Psp) -> tuple[list[PspCostProposal], list[PspCostProposal]]:
    """Those that wait, and the last ones that were decided."""
    rows = PspCostProposal.objects.filter(psp=psp).select_related("requested_by", "decided_by", "ended_by", "psp")
    waiting = list(rows.filter(state=RequestState.WAITING)[:PROPOSALS_SHOWN])
    return waiting, list(rows.exclude(state=RequestState.WAITING)[:PROPOSALS_SHOWN])
