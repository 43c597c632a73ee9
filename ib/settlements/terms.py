"""A partner's settlement terms: proposed by who manages partners, approved by who pays them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from ib.audit_codes import IbAction
from ib.choices import IbNotice, PayoutSchedule
from ib.models import Partner, SettlementTerms
from ib.team import notices

FIELDS: Final = (
    "cycle",
    "minimum",
    "hold_days",
    "approval_above",
    "payout_schedule",
    "payout_day",
    "negative",
    "legal_name",
    "address",
    "vat_id",
    "vat_treatment",
    "vat_rate",
)


def default_terms(partner: Partner) -> SettlementTerms:
    """Return the terms of a partner for whom nobody has agreed any: monthly, without minimum or hold."""
    return SettlementTerms(partner=partner)


def in_force(partner_ids: Iterable[int] | QuerySet[Any, Any]) -> QuerySet[SettlementTerms]:
    """Find the terms in force of partners who have any."""
    return (
        SettlementTerms.objects.select_related("partner")
        .filter(partner_id__in=partner_ids, state=ApprovalState.APPROVED)
        .order_by("partner_id", "-decided_at", "-id")
        .distinct("partner_id")
    )


def terms_of(partner: Partner) -> SettlementTerms:
    """Return a partner's terms in force."""
    return in_force([partner.pk]).first() or default_terms(partner)


@transaction.atomic
def propose_terms(*, partner_id: int, values: dict[str, Any], reason: str, actor: User) -> SettlementTerms:
    """Propose other settlement terms. They hold once a second person approves them, for what isn't settled by then.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, DomainError where nothing changes, WrongState (one is open).
    """
    partner = lock(Partner, partner_id, "brand")
    item = SettlementTerms(partner=partner, reason=reason.strip(), **{name: values[name] for name in FIELDS})
    present = terms_of(partner)
    if all(getattr(item, name) == getattr(present, name) for name in FIELDS):
        raise DomainError(_("These are the terms in force. Change something, or cancel."))
    return approvals.propose(item, actor=actor)


class TermsApproval(approvals.ApprovalKind[SettlementTerms]):
    """In force from the approval on. Settled amounts stay; carried ones are settled by the new terms."""

    model = SettlementTerms
    code = "settlement-terms"
    label = gettext_lazy("Settlement terms")
    # Who agrees terms with a partner doesn't pay them: finance approves.
    asks, decides = "ib.manage_partners", "ib.settle_commissions"
    proposed, approved = IbAction.TERMS_PROPOSED, IbAction.TERMS_APPROVED
    rejected, withdrawn = IbAction.TERMS_REJECTED, IbAction.TERMS_WITHDRAWN
    notice = IbNotice.TERMS_PROPOSED
    brand_path = "partner__brand_id"
    related = ("partner__brand",)
    one_open = ("partner",)
    done = gettext_lazy("Settlement terms approved. They apply from now on.")

    def lock(self, pk: int) -> SettlementTerms:
        partner_id = SettlementTerms.objects.values_list("partner_id", flat=True).get(pk=pk)
        lock(Partner, partner_id)
        return super().lock(pk)

    def apply(self, item: SettlementTerms, actor: User, **given: Any) -> None:
        """Notify the partner; the newest approved terms are in force by the decision itself."""
        notices.notify_of_terms(item.partner)

    def title(self, item: SettlementTerms) -> LocalizedText:
        return phrase("Settlement terms of %(partner)s") % {"partner": item.partner.name}

    def url(self, item: SettlementTerms) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def target(self, item: SettlementTerms) -> Partner:
        return item.partner

    def changes(self, item: SettlementTerms) -> Sequence[Change]:
        before = _terms_before(item)
        now, then = (dict(described(terms, item.partner.currency)) for terms in (item, before))
        return [Change(label, value, then[label] if then[label] != value else None) for label, value in now.items()]

    def before(self, item: SettlementTerms) -> dict[str, Any]:
        return as_json(_terms_before(item))

    def after(self, item: SettlementTerms) -> dict[str, Any]:
        return as_json(item)


def _terms_before(item: SettlementTerms) -> SettlementTerms:
    """Return what was in force before a proposal was decided, or is while it waits."""
    rows = SettlementTerms.objects.filter(partner_id=item.partner_id, state=ApprovalState.APPROVED).exclude(pk=item.pk)
    if item.decided_at is not None:
        rows = rows.filter(decided_at__lt=item.decided_at)
    return rows.order_by("-decided_at", "-id").first() or default_terms(item.partner)


def as_json(terms: SettlementTerms) -> dict[str, Any]:
    """Write terms down for the audit log."""
    return {name: None if (value := getattr(terms, name)) is None else str(value) for name in FIELDS}


def described(terms: SettlementTerms, currency: str) -> list[tuple[str, str]]:
    """List terms as people read them: label and value."""
    approval = _("Never")
    if terms.approval_above is not None:
        approval = formats.money(terms.approval_above, currency)
    rows = [
        (_("Settlement cycle"), str(terms.get_cycle_display())),
        (_("Minimum payout"), formats.money(terms.minimum, currency) if terms.minimum else "–"),
        (
            _("Hold after the trade"),
            ngettext("%(count)s day", "%(count)s days", terms.hold_days) % {"count": terms.hold_days}
            if terms.hold_days
            else "–",
        ),
        (_("Payouts"), schedule_of(terms)),
        (_("Second approval of payouts above"), approval),
        (_("Negative balance"), str(terms.get_negative_display())),
        (_("Self-billing invoices"), str(terms.get_vat_treatment_display())),
        (_("Legal name"), terms.legal_name or "–"),
        (_("Address"), terms.address or "–"),
        (_("VAT number"), terms.vat_id or "–"),
    ]
    if terms.vat_rate:
        rows.append((_("VAT rate"), f"{formats.number(terms.vat_rate)} %"))
    return rows


def schedule_of(terms: SettlementTerms) -> str:
    """Say when a partner is paid out, as people read it."""
    match terms.payout_schedule:
        case PayoutSchedule.WEEKLY:
            return _("Automatically, weekly on %(day)s") % {"day": WEEKDAYS[terms.payout_day - 1]}
        case PayoutSchedule.MONTHLY:
            return _("Automatically, monthly on day %(day)s") % {"day": terms.payout_day}
        case PayoutSchedule.SETTLEMENT:
            return _("Automatically, after each settlement")
    return _("On request")
