"""Changing what a brand has set: at once, or by four eyes where money, identity or limits are concerned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
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
from crm.brand_policies.registry import new_version, segment_names, today
from crm.choices import ApprovalState
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
    """One policy of a brand, or of a segment, as the page shows it. `planned`: the next value and its day.

    is_default: nothing is set here. segments: how many segments have a value of their own.
    """

    policy: Policy[Any]
    stored: Any
    shown: str
    is_default: bool
    planned: tuple[dt.date, str] | None
    proposal: PolicyProposal | None
    may_change: bool
    segments: int = 0


def can_change(actor: Actor, brand_id: int, policy: Policy[Any]) -> Decision:
    """Change or propose: the right of the policy's area, on the whole brand."""
    return on_whole_brand(actor, policy.right, brand_id)


def known(key: str, segment: int = 0) -> Policy[Any]:
    """Look a policy up, for the brand or for a segment. Raises: NotFound."""
    policy = find(key, segment)
    if policy is None:
        raise NotFound(_("There is no such policy."))
    return policy


@transaction.atomic
def change_policy(
    *, brand_id: int, key: str, value: Any, effective_on: dt.date, actor: Actor, reason: str, segment: int = 0
) -> PolicyValue | PolicyProposal:
    """Set a policy from a day on, or propose it where four eyes are asked for.

    value: as its kind's `clean` takes it; None: the default again. segment: for its clients alone, whose brand is the same.

    Who: the right of the policy's area on the whole brand. Raises: NotAllowed, NotFound, DomainError (out of bounds, a past day,
    no reason), WrongState (nothing would change, or a proposal waits).
    """
    policy = known(key, segment)
    require(can_change(actor, brand_id, policy))
    brand = lock(Brand, brand_id)
    if segment and segment not in segment_names(brand):
        raise NotFound(_("There is no such segment."))
    stored = None if value is None else policy.kind.clean(value)
    _check_day(brand, effective_on)
    own = policy.own(brand, effective_on)
    now = own[1] if own else None if segment else policy.default
    if now == (policy.default if stored is None and not segment else stored):
        raise WrongState(_("This is already the value on that day."))
    if policy.needs_four_eyes and actor is not None:
        proposal = PolicyProposal(
            brand=brand, key=key, segment=segment, value=stored, effective_on=effective_on, reason=reason
        )
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
        segment=policy.segment,
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
        after=_audited(policy, stored, effective_on),
        reason=reason,
    )
    return row


def _audited(policy: Policy[Any], stored: Any, effective_on: dt.date) -> dict[str, Any]:
    after = {"policy": policy.key, "value": stored, "effective_on": effective_on.isoformat()}
    return {**after, "segment": policy.segment} if policy.segment else after


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
    one_open = ("brand", "key", "segment")
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
        brand, policy = lock(Brand, item.brand_id), known(item.key, item.segment)
        effective_on = max(item.effective_on, today(brand))
        write_value(brand, policy, item.value, effective_on, actor=item.requested_by, reason=item.reason)

    def title(self, item: PolicyProposal) -> LocalizedText:
        policy = find(item.key, item.segment)
        return phrase("Policy “%(policy)s” of %(brand)s") % {
            "policy": policy.name_in(item.brand) if policy else item.key,
            "brand": item.brand.name,
        }

    def url(self, item: PolicyProposal) -> str:
        return address_of(item.brand_id, item.key, item.segment)

    def changes(self, item: PolicyProposal) -> Sequence[Change]:
        policy = known(item.key, item.segment)
        before = policy.stored(item.brand, today(item.brand))
        after = _or_inherited(item.brand, policy, item.value)
        return [
            Change(
                policy.name_in(item.brand), policy.kind.show(after, item.brand), policy.kind.show(before, item.brand)
            ),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def after(self, item: PolicyProposal) -> dict[str, Any]:
        return _audited(known(item.key, item.segment), item.value, item.effective_on)


def address_of(brand_id: int, key: str, segment: int = 0) -> str:
    """Return the address of a policy's page, for the brand or for a segment."""
    return f"/policies/{brand_id}/{key}/" + (f"?segment={segment}" if segment else "")


def lines_of(user: User, brand: Brand) -> list[Line]:
    """List every policy of a brand with its value of today, what is planned and what waits for a second person. Two queries."""
    return _lines(user, brand, all_policies())


def line_of(user: User, brand: Brand, policy: Policy[Any]) -> Line:
    """Describe one policy of a brand, or of a segment, as the list does."""
    return _lines(user, brand, [policy])[0]


def segment_lines_of(user: User, brand: Brand, policy: Policy[Any]) -> list[tuple[str, Line]]:
    """List the segments that have, will have or are proposed a value of their own, by name."""
    waiting = brand.policy_proposals.filter(key=policy.key, state=ApprovalState.PENDING).exclude(segment=0)
    numbers = {*policy.segments(brand), *waiting.values_list("segment", flat=True)}
    names = segment_names(brand)
    lines = _lines(user, brand, [policy.for_segment(number) for number in numbers if number in names])
    listed = [
        (names[line.policy.segment], line) for line in lines if not line.is_default or line.planned or line.proposal
    ]
    return sorted(listed, key=lambda row: row[0].casefold())


def _lines(user: User, brand: Brand, policies: Iterable[Policy[Any]]) -> list[Line]:
    day = today(brand)
    ahead: dict[tuple[str, int], PolicyValue] = {}
    for row in PolicyValue.objects.filter(brand=brand, effective_on__gt=day).order_by("-effective_on", "pk"):
        ahead[row.key, row.segment] = row
    proposals = approvals.kind_of(PolicyProposal).awaiting(brand.policy_proposals.all())
    waiting = {(row.key, row.segment): row for row in proposals}
    return [
        _line(user, brand, policy, ahead.get((policy.key, policy.segment)), waiting.get((policy.key, policy.segment)))
        for policy in policies
    ]


def _line(
    user: User, brand: Brand, policy: Policy[Any], ahead: PolicyValue | None, waiting: PolicyProposal | None
) -> Line:
    day = today(brand)
    stored, own = policy.stored(brand, day), policy.own(brand, day)
    planned = None
    if ahead is not None:
        planned = (ahead.effective_on, policy.kind.show(_or_inherited(brand, policy, ahead.value), brand))
    return Line(
        policy=policy,
        stored=stored,
        shown=policy.kind.show(stored, brand),
        is_default=own is None if policy.segment else stored == policy.default,
        planned=planned,
        proposal=waiting,
        may_change=bool(can_change(user, brand.pk, policy)),
        segments=sum(policy.for_segment(number).own(brand, day) is not None for number in policy.segments(brand))
        if policy.per_segment and not policy.segment
        else 0,
    )


def _or_inherited(brand: Brand, policy: Policy[Any], value: Any) -> Any:
    """Return a value, or what holds where it is empty: the brand's for a segment, the default for a brand."""
    if value is not None:
        return value
    return policy.for_segment(0).stored(brand, today(brand)) if policy.segment else policy.default


def history_of(brand: Brand, policy: Policy[Any]) -> list[tuple[PolicyValue, str]]:
    """List the values of a policy, or of a segment, with their text, the latest day first; the newest hundred."""
    rows = PolicyValue.objects.filter(brand=brand, key=policy.key, segment=policy.segment).select_related("set_by")
    return [
        (row, policy.kind.show(_or_inherited(brand, policy, row.value), brand))
        for row in rows.order_by("-effective_on", "-pk")[:100]
    ]
