"""Writing, proposing and activating commission plans, and giving them to partners."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change, kind_of, require_withdrawable
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import PartnerLevelGained, PartnerLevelLost, publish
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.staff.company import open_brand
from ib.agreements.card_rules import check_card
from ib.agreements.cards import VersionTerms, described, rate_card, write_card
from ib.agreements.scopes import USUAL, Scope, check_plan_fits, check_scope, check_version_fits, refusing_misfits
from ib.audit_codes import IbAction
from ib.choices import IbNotice, VersionState
from ib.models import Partner, PartnerPlan, Plan, PlanVersion
from ib.policies import can_decide_version, can_manage_partners, can_write_plans
from ib.team import notices
from trading.choices import SymbolGroup

# What an agreement pays of its plan's rates, in per cent, unless two people agreed a personal ratio.
WHOLE: Final = Decimal(100)


@dataclass(frozen=True)
class Terms:
    """What an agreement says beside its plan and scope: how much of the plan's rates it pays, and how the partner reads names.

    client_names: of `ClientNames`, or empty where it doesn't say; None leaves it as it was agreed.
    """

    percent: Decimal = WHOLE
    client_names: str | None = None


@transaction.atomic
def create_plan(*, brand: Brand, name: str, description: str, actor: Actor) -> Plan:
    """Create an empty plan; it pays nothing before a version is active. Who: `ib.propose_plan` at the brand.

    Raises: NotAllowed, WrongState for an archived brand, DomainError where the name is taken.
    """
    policies.require(can_write_plans(actor, brand.pk))
    open_brand(brand.pk)
    try:
        with transaction.atomic():
            plan = Plan.objects.create(brand=brand, name=name, description=description)
    except IntegrityError:
        raise DomainError(_("There's already a plan called “%(name)s”.") % {"name": name})
    audit.record(actor=actor, action=IbAction.PLAN_CREATED, target=plan, brand_id=brand.pk, after={"name": name})
    return plan


@transaction.atomic
def set_entry(*, plan_id: int, lots: Decimal | None, clients: int | None, actor: User) -> Plan:
    """Make a plan a level that partners see and work towards, or no level without both; it moves nobody and pays nothing.

    Who: `ib.propose_plan` at the brand.
    """
    plan = lock(Plan, plan_id)
    policies.require(can_write_plans(actor, plan.brand_id))
    before = {"entry_lots": plan.entry_lots, "entry_clients": plan.entry_clients}
    plan.entry_lots, plan.entry_clients = lots or None, clients or None
    plan.save(update_fields=list(before))
    audit.record(
        actor=actor,
        action=IbAction.PLAN_LEVEL_SET,
        target=plan,
        brand_id=plan.brand_id,
        before=before,
        after={"entry_lots": plan.entry_lots, "entry_clients": plan.entry_clients},
    )
    return plan


@transaction.atomic
def open_to_sub_partners(*, plan_id: int, is_open: bool, actor: User) -> Plan:
    """Let partners offer a plan to their sub-partners, within their own agreement, or no longer; it moves and pays nobody.

    Who: `ib.propose_plan` at the brand.
    """
    plan = lock(Plan, plan_id)
    policies.require(can_write_plans(actor, plan.brand_id))
    before, plan.is_for_sub_partners = plan.is_for_sub_partners, is_open
    plan.save(update_fields=["is_for_sub_partners"])
    audit.record(
        actor=actor,
        action=IbAction.PLAN_OPENED,
        target=plan,
        brand_id=plan.brand_id,
        before={"is_for_sub_partners": before},
        after={"is_for_sub_partners": is_open},
    )
    return plan


@transaction.atomic
def draft_version(*, plan_id: int, actor: User, terms: VersionTerms) -> PlanVersion:
    """Write the next version of a plan as a draft: nothing is paid by it yet.

    Who: `ib.propose_plan` at the brand. Raises: DomainError when levels together get more than a pot, or nothing is paid.
    """
    plan = lock(Plan, plan_id)
    policies.require(can_write_plans(actor, plan.brand_id))
    check_terms(terms, plan)
    last = plan.versions.aggregate(last=Max("number"))["last"] or 0
    version = PlanVersion.objects.create(plan=plan, number=last + 1, made_by=actor, **terms.settings())
    write_card(version, terms.card)
    audit.record(
        actor=actor,
        action=IbAction.PLAN_DRAFTED,
        target=version,
        brand_id=plan.brand_id,
        after=described(version, terms.card),
    )
    return version


@transaction.atomic
def change_draft(*, version_id: int, actor: User, terms: VersionTerms) -> PlanVersion:
    """Replace everything that a draft says.

    Who: its maker, while they hold `ib.propose_plan` at the brand. Raises: NotAllowed, WrongState; DomainError as for
    `draft_version`.
    """
    version = _locked(version_id)
    policies.require(can_write_plans(actor, version.plan.brand_id))
    if version.state != VersionState.DRAFT or version.made_by_id != actor.pk:
        raise WrongState(_("Only the author can change a version, and only while it's a draft."))
    check_terms(terms, version.plan)
    before = described(version, rate_card(version))
    for name, value in terms.settings().items():
        setattr(version, name, value)
    version.save()
    version.rates.all().delete()
    version.levels.all().delete()
    version.overrides.all().delete()
    version.components.all().delete()
    version.cpa.all().delete()
    version.tiers.all().delete()
    write_card(version, terms.card)
    audit.record(
        actor=actor,
        action=IbAction.PLAN_DRAFT_CHANGED,
        target=version,
        brand_id=version.plan.brand_id,
        before=before,
        after=described(version, terms.card),
    )
    return version


def check_terms(terms: VersionTerms, plan: Plan) -> None:
    """Raise DomainError, in words, for terms that can't be meant or that the licence of the plan's brand forbids."""
    if terms.is_capped_together and terms.cap_day is terms.cap_month is terms.cap_revenue is None:
        raise DomainError(_("Enter a limit per day, per month or of the revenue that all partners share."))
    check_card(
        terms.card,
        is_pool=terms.is_pool,
        network=terms.network,
        jurisdiction=plan.brand.jurisdiction,
        passed=terms.passed_percent,
        passed_per_lot=terms.passed_per_lot,
        cap_revenue=terms.cap_revenue,
    )


def _locked(version_id: int) -> PlanVersion:
    version = lock(PlanVersion, version_id, "plan")
    lock(Plan, version.plan_id)
    return version


@transaction.atomic
def propose_version(*, version_id: int, actor: Actor) -> PlanVersion:
    """Ask a second person to activate a draft, and notify those who may. Who: `ib.propose_plan`."""
    version = _locked(version_id)
    policies.require(can_write_plans(actor, version.plan.brand_id))
    check_version_fits(version)
    version.move_to(VersionState.PENDING)
    version.save(update_fields=["state"])
    audit.record(actor=actor, action=IbAction.PLAN_PROPOSED, target=version, brand_id=version.plan.brand_id)
    deciders = [pk for pk in people_with("ib.approve_plan", brand_id=version.plan.brand_id) if pk != version.made_by_id]
    notify(
        deciders,
        kind=IbNotice.PLAN_PROPOSED,
        title=phrase("Commission plan: awaiting second approval"),
        body=str(version),
        url=version.plan.get_absolute_url(),
        dedupe_key=f"ib.plan_proposed:{version.pk}:{timezone.now().isoformat()}",
    )
    return version


@transaction.atomic
def activate_version(*, version_id: int, actor: Actor, reason: str = "", at: dt.datetime | None = None) -> PlanVersion:
    """Activate a proposed version as the second person: it pays from its start on, and the version before it ends there.

    What was earned under the old rates stays earned: a start that has passed becomes now (a plan's first version may
    start in the past). `at` (imports only) is the instant of the decision.
    Who: `ib.approve_plan` at the brand, and not its maker (also a CHECK). Raises: NotAllowed, WrongState when a version
    that starts later is active already.
    """
    version = _locked(version_id)
    policies.require(can_decide_version(actor, version))
    version.move_to(VersionState.ACTIVE)
    check_card(
        rate_card(version),
        is_pool=version.is_pool,
        network=version.network,
        jurisdiction=version.plan.brand.jurisdiction,
        passed=version.passed_percent,
        passed_per_lot=version.passed_per_lot,
        cap_revenue=version.cap_revenue,
    )
    check_version_fits(version)
    now = at or timezone.now()
    others = PlanVersion.objects.filter(plan=version.plan, state=VersionState.ACTIVE)
    before = others.filter(ends_at__isnull=True).first()
    if others.exists():
        version.starts_at = max(version.starts_at, now)
    if others.filter(starts_at__gte=version.starts_at).exists():
        raise WrongState(_("A later version is already active. Create a new version that starts after it."))
    if before is not None:
        before.ends_at = version.starts_at
        before.save(update_fields=["ends_at"])
    version.decided_by, version.decided_at, version.decision_reason = actor, now, reason
    with refusing_misfits():
        version.save()
    audit.record(
        actor=actor,
        action=IbAction.PLAN_ACTIVATED,
        target=version,
        brand_id=version.plan.brand_id,
        reason=reason,
        before={"version": before.number if before else None},
        after=described(version, rate_card(version)),
    )
    _tell_maker(version, phrase("Your commission plan is active"))
    if before is not None:
        notices.notify_of_version(version)
    return version


@transaction.atomic
def reject_version(*, version_id: int, actor: Actor, reason: str) -> PlanVersion:
    """Reject a proposed version as the second person, with a reason for its maker. Who: as for activating.

    Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    version = _locked(version_id)
    policies.require(can_decide_version(actor, version))
    if not reason.strip():
        raise DomainError(_("Enter a reason, so that the author can revise the version."))
    version.move_to(VersionState.REJECTED)
    version.decided_by, version.decided_at, version.decision_reason = actor, timezone.now(), reason
    version.save()
    audit.record(
        actor=actor, action=IbAction.PLAN_REJECTED, target=version, brand_id=version.plan.brand_id, reason=reason
    )
    _tell_maker(version, phrase("Your commission plan was rejected"))
    return version


@transaction.atomic
def withdraw_version(*, version_id: int, actor: User, note: str = "") -> PlanVersion:
    """Withdraw one's own proposed version: it is a draft again, to be changed and proposed again.

    Who: who wrote it, with `ib.propose_plan` at the brand. Raises: NotAllowed, WrongState.
    """
    version = _locked(version_id)
    require_withdrawable(kind_of(PlanVersion), version, actor)
    version.move_to(VersionState.DRAFT)
    version.save(update_fields=["state"])
    audit.record(
        actor=actor,
        action=IbAction.PLAN_WITHDRAWN,
        target=version,
        brand_id=version.plan.brand_id,
        reason=note.strip()[:300],
        after={"version": version.number, "state": version.state},
    )
    return version


def _tell_maker(version: PlanVersion, title: LocalizedText) -> None:
    notify(
        [version.made_by_id],
        kind=IbNotice.PLAN_DECIDED,
        title=title,
        body=f"{version}. {version.decision_reason}".strip(),
        url=version.plan.get_absolute_url(),
        dedupe_key=f"ib.plan_decided:{version.pk}",
    )


@transaction.atomic
def assign_plan(
    *,
    partner_id: int,
    plan_id: int | None,
    actor: Actor,
    scope: Scope = USUAL,
    at: dt.datetime | None = None,
    reason: str = "",
) -> PartnerPlan | None:
    """Pay a partner's own clients by this plan from now on; with `plan_id=None` by none.

    scope: only these trades or clients; without a plan the partner's other agreements apply to them again.
    Who: `ib.manage_partners` at the brand. Raises: WrongState where it is so already or the plan has no active version,
    DomainError for another partner's link or client, or a scope that the plan can't be limited to.
    """
    partner = lock(Partner, partner_id)
    policies.require(can_manage_partners(actor, partner.brand_id))
    return agree(partner, plan_id, Terms(), scope=scope, actor=actor, at=at, reason=reason)


def check_agreement(
    partner: Partner, plan_id: int | None, terms: Terms, *, scope: Scope = USUAL
) -> tuple[Plan | None, PartnerPlan | None]:
    """Return the plan of an agreement that may be made, and the one it replaces.

    Raises: WrongState, DomainError.
    """
    plan = Plan.objects.get(pk=plan_id, brand_id=partner.brand_id) if plan_id is not None else None
    if plan is not None and not plan.versions.filter(state=VersionState.ACTIVE).exists():
        raise WrongState(_("This plan doesn't have an active version yet."))
    check_scope(partner, scope, is_ending=plan is None)
    if plan is not None:
        check_plan_fits(plan.pk, scope)
    held = PartnerPlan.objects.filter(partner=partner, ends_at__isnull=True, **scope.place)
    current = held.select_related("plan").first()
    is_same = current is None or (
        (current.percent, Scope.of(current)) == (terms.percent, scope)
        and terms.client_names in (None, current.client_names)
    )
    if (current.plan_id if current else None) == plan_id and is_same:
        raise WrongState(_("Nothing to change: this is already set."))
    return plan, current


def agreed_names(partner: Partner, scope: Scope) -> str:
    """Return how the agreement that one of this scope would replace shows clients' names; empty where it doesn't say."""
    held = PartnerPlan.objects.filter(partner=partner, ends_at__isnull=True, **scope.place)
    return held.values_list("client_names", flat=True).first() or ""


def agree(
    partner: Partner,
    plan_id: int | None,
    terms: Terms,
    *,
    actor: Actor,
    scope: Scope = USUAL,
    at: dt.datetime | None = None,
    reason: str = "",
) -> PartnerPlan | None:
    """End a locked partner's agreement and begin the next one, which pays so many per cent of the plan's rates.

    Raises: WrongState, DomainError.
    """
    percent = terms.percent
    plan, current = check_agreement(partner, plan_id, terms, scope=scope)
    names_before = current.client_names if current else ""
    names = names_before if terms.client_names is None else terms.client_names
    now = at or timezone.now()
    if current is not None:
        current.ends_at = now
        current.save(update_fields=["ends_at"])
    held = None
    if plan is not None:
        with refusing_misfits():
            held = PartnerPlan.objects.create(
                partner=partner,
                plan=plan,
                percent=percent,
                client_names=names,
                starts_at=now,
                made_by=actor,
                **scope.values,
            )
    ratio = {} if percent == WHOLE else {"percent": str(percent)}
    were, are = ({}, {}) if names == names_before else ({"client_names": names_before}, {"client_names": names})
    audit.record(
        actor=actor,
        action=IbAction.PLAN_ASSIGNED,
        target=partner,
        brand_id=partner.brand_id,
        client_id=scope.client_id,
        reason=reason,
        before={"plan": current.plan_id if current else None, **were},
        after={"plan": plan_id, "from": now.isoformat(), **ratio, **are, **scope.noted},
    )
    if scope.is_usual:
        _publish_level(partner, current.plan if current else None, plan, actor)
    if at is None and (current is not None or not scope.is_usual):
        named = {"plan": plan.name if plan else current.plan.name if current else ""}
        changed = phrase("Paid by “%(plan)s” from now on.") if plan else phrase("“%(plan)s” no longer applies.")
        notices.notify_of_agreement(partner, changed % named)
    return held


def level_rank(plan: Plan | None) -> tuple[Decimal, int]:
    """Rank a plan among its brand's partner levels by its entry; one without an entry, and none, rank below all."""
    if plan is None or (plan.entry_lots is None and plan.entry_clients is None):
        return (Decimal(-1), 0)
    return plan.entry_lots or Decimal(0), plan.entry_clients or 0


def _publish_level(partner: Partner, before: Plan | None, plan: Plan | None, actor: Actor) -> None:
    if level_rank(plan) == level_rank(before):
        return
    if plan is not None and level_rank(plan) > level_rank(before):
        publish(
            PartnerLevelGained(
                partner_id=partner.pk,
                plan_id=plan.pk,
                before_plan_id=before.pk if before else None,
                client_id=partner.client_id,
                brand_id=partner.brand_id,
            ),
            actor=actor,
        )
    elif before is not None:
        publish(
            PartnerLevelLost(
                partner_id=partner.pk,
                plan_id=plan.pk if plan else None,
                before_plan_id=before.pk,
                client_id=partner.client_id,
                brand_id=partner.brand_id,
            ),
            actor=actor,
        )


class PlanApproval(approvals.ListedApproval[PlanVersion]):
    """The version pays from its start on."""

    model = PlanVersion
    code = "commission-plan"
    label = gettext_lazy("Commission plan")
    asks, decides = "ib.propose_plan", "ib.approve_plan"
    withdrawn = IbAction.PLAN_WITHDRAWN
    notice = IbNotice.PLAN_PROPOSED
    brand_path = "plan__brand_id"
    related = ("plan__brand",)
    maker, asked_at, reason, note = "made_by", "created_at", "note", "decision_reason"
    pending = {"state": VersionState.PENDING}
    done = gettext_lazy("Commission plan activated.")

    def approve(self, pk: int, actor: User, note: str) -> PlanVersion:
        return activate_version(version_id=pk, actor=actor, reason=note)

    def reject(self, pk: int, actor: User, note: str) -> PlanVersion:
        return reject_version(version_id=pk, actor=actor, reason=note)

    def withdraw(self, pk: int, actor: User, note: str) -> PlanVersion:
        return withdraw_version(version_id=pk, actor=actor, note=note)

    def title(self, item: PlanVersion) -> LocalizedText:
        return str(item)

    def url(self, item: PlanVersion) -> str:
        return item.plan.get_absolute_url()

    def changes(self, item: PlanVersion) -> list[Change]:
        card = rate_card(item)
        rates = [
            Change(SymbolGroup(group).label, f"{formats.number(amount)} {item.currency}")
            for group, amount in sorted(card.rates.items())
        ]
        return [Change(_("From"), formats.moment(item.starts_at)), *rates]
