"""Changing what a brand has set: at once, or by four eyes where money, identity or limits are concerned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.audit_codes import CrmAction
from crm.brand_policies import Policy, all_policies, find
from crm.brand_policies.registry import new_version, today
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, PolicyProposal, PolicyValue, User
from crm.notices.kinds import CrmNotice
from crm.security import audit
from crm.security.policies import Decision, no, on_whole_brand, require

DAYS_AHEAD_MAX: Final = 366


@dataclass(frozen=True)
class Line:
    """One policy of a brand as the page shows it. `planned`: the next value and its day; `row`: what was set last, if anything."""

    policy: Policy[Any]
    stored: Any
    shown: str
    is_default: bool
    planned: tuple[dt.date, str] | None
    proposal: PolicyProposal | None
    may_change: bool


def can_change(actor: Actor, brand_id: int, policy: Policy[Any]) -> Decision:
    """Change or propose: the right of the policy's area, on the whole brand."""
    return on_whole_brand(actor, policy.right, brand_id)


def known(key: str) -> Policy[Any]:
    """Look a policy up. Raises: NotFound."""
    policy = find(key)
    if policy is None:
        raise NotFound(_("There is no such policy."))
    return policy


@transaction.atomic
def change_policy(
    *, brand_id: int, key: str, value: Any, effective_on: dt.date, actor: Actor, reason: str
) -> PolicyValue | PolicyProposal:
    """Set a policy from a day on, or propose it where four eyes are asked for.

    value: as its kind's `clean` takes it; None: the default again.

    Who: the right of the policy's area on the whole brand. Raises: NotAllowed, DomainError (out of bounds, a past day, no
    reason), WrongState (nothing would change, or a proposal waits).
    """
    policy = known(key)
    require(can_change(actor, brand_id, policy))
    brand = lock(Brand, brand_id)
    stored = None if value is None else policy.kind.clean(value)
    _check_day(brand, effective_on)
    if policy.stored(brand, effective_on) == (policy.default if stored is None else stored):
        raise WrongState(_("This is already the value on that day."))
    if policy.needs_four_eyes and actor is not None:
        proposal = PolicyProposal(brand=brand, key=key, value=stored, effective_on=effective_on, reason=reason)
        return approvals.propose(proposal, actor=actor)
    return write_value(brand, policy, stored, effective_on, actor=actor, reason=reason)


def _check_day(brand: Brand, effective_on: dt.date) -> None:
    now = today(brand)
    if not now <= effective_on <= now + dt.timedelta(days=DAYS_AHEAD_MAX):
        raise DomainError(
            _("Enter a day from today to %(last)s: what held in the past stays as it was.")
            % {"last": formats.day(now + dt.timedelta(days=DAYS_AHEAD_MAX))}
        )


def write_value(
    brand: Brand, policy: Policy[Any], stored: Any, effective_on: dt.date, *, actor: Actor, reason: str
) -> PolicyValue:
    """Write a checked value; the caller holds the brand's lock. Raises: DomainError without a reason."""
    require_text(reason)
    before = policy.stored(brand, effective_on)
    row = PolicyValue.objects.create(
        brand=brand,
        key=policy.key,
        value=stored,
        effective_on=effective_on,
        set_by=actor,
        set_at=timezone.now(),
        reason=reason,
    )
    brand.policies_version = new_version()
    brand.save(update_fields=["policies_version"])
    audit.record(
        actor=actor,
        action=CrmAction.POLICY_CHANGED,
        target=row,
        brand_id=brand.pk,
        before={"policy": policy.key, "value": before},
        after={"policy": policy.key, "value": stored, "effective_on": effective_on.isoformat()},
        reason=reason,
    )
    return row


class PolicyApproval(approvals.ApprovalKind[PolicyProposal]):
    """A policy's new value. Who decides holds the same right as who proposes, on the whole brand."""

    model = PolicyProposal
    code = "policy"
    label = gettext_lazy("Policy")
    asks = decides = "crm.propose_policies"  # and the right of the area
    proposed, approved = CrmAction.POLICY_PROPOSED, CrmAction.POLICY_APPROVED
    rejected, withdrawn = CrmAction.POLICY_REJECTED, CrmAction.POLICY_WITHDRAWN
    notice = CrmNotice.POLICY_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("brand", "key")
    done = gettext_lazy("Policy changed.")

    def in_reach(self, rows: QuerySet[PolicyProposal], user: User) -> QuerySet[PolicyProposal]:
        keys = [policy.key for policy in all_policies() if user.has_perm(policy.right)]
        return super().in_reach(rows, user).filter(key__in=keys)

    def can_propose(self, user: User, item: PolicyProposal) -> Decision:
        return can_change(user, item.brand_id, known(item.key))

    def may_decide(self, user: User, item: PolicyProposal) -> Decision:
        return can_change(user, item.brand_id, known(item.key))

    def can_withdraw(self, user: User, item: PolicyProposal) -> Decision:
        if user.pk != item.requested_by_id:
            return no(_("Only the person who proposed this can withdraw it."))
        allowed = can_change(user, item.brand_id, known(item.key))
        return self.still_waits(item) if allowed else allowed

    def decided_by_right(self, item: PolicyProposal) -> str:
        return known(item.key).right

    def apply(self, item: PolicyProposal, actor: User, **given: Any) -> None:
        """Write the value; from today where its day has passed while it waited. Raises: DomainError."""
        brand, policy = lock(Brand, item.brand_id), known(item.key)
        effective_on = max(item.effective_on, today(brand))
        write_value(brand, policy, item.value, effective_on, actor=item.requested_by, reason=item.reason)

    def title(self, item: PolicyProposal) -> LocalizedText:
        policy = find(item.key)
        return phrase("Policy “%(policy)s” of %(brand)s") % {
            "policy": str(policy.label) if policy else item.key,
            "brand": item.brand.name,
        }

    def url(self, item: PolicyProposal) -> str:
        return f"/policies/{item.brand_id}/{item.key}/"

    def changes(self, item: PolicyProposal) -> Sequence[Change]:
        policy = known(item.key)
        after = policy.default if item.value is None else item.value
        before = policy.stored(item.brand, today(item.brand))
        return [
            Change(policy.label, policy.kind.show(after, item.brand), policy.kind.show(before, item.brand)),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def after(self, item: PolicyProposal) -> dict[str, Any]:
        return {"policy": item.key, "value": item.value, "effective_on": item.effective_on.isoformat()}


def lines_of(user: User, brand: Brand) -> list[Line]:
    """List every policy of a brand with its value of today, what is planned and what waits for a second person. Two queries."""
    day = today(brand)
    ahead: dict[str, PolicyValue] = {}
    for row in PolicyValue.objects.filter(brand=brand, effective_on__gt=day).order_by("-effective_on", "pk"):
        ahead[row.key] = row
    waiting = {row.key: row for row in approvals.kind_of(PolicyProposal).awaiting(brand.policy_proposals.all())}
    return [
        _line(user, brand, policy, day, ahead.get(policy.key), waiting.get(policy.key)) for policy in all_policies()
    ]


def line_of(user: User, brand: Brand, policy: Policy[Any]) -> Line:
    """Describe one policy of a brand as the list does."""
    return next(line for line in lines_of(user, brand) if line.policy is policy)


def _line(
    user: User,
    brand: Brand,
    policy: Policy[Any],
    day: dt.date,
    ahead: PolicyValue | None,
    waiting: PolicyProposal | None,
) -> Line:
    stored = policy.stored(brand, day)
    planned = None
    if ahead is not None:
        value = policy.default if ahead.value is None else ahead.value
        planned = (ahead.effective_on, policy.kind.show(value, brand))
    return Line(
        policy=policy,
        stored=stored,
        shown=policy.kind.show(stored, brand),
        is_default=stored == policy.default,
        planned=planned,
        proposal=waiting,
        may_change=bool(can_change(user, brand.pk, policy)),
    )


def history_of(brand: Brand, policy: Policy[Any]) -> list[tuple[PolicyValue, str]]:
    """List a policy's values with their text, the latest day first; the newest hundred."""
    rows = PolicyValue.objects.filter(brand=brand, key=policy.key).select_related("set_by")
    return [
        (row, policy.kind.show(policy.default if row.value is None else row.value, brand))
        for row in rows.order_by("-effective_on", "-pk")[:100]
    ]
