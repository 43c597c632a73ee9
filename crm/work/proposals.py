"""Outcomes that need a second person: the first one's decision is a proposal, in the queue and in the list of approvals.

The verb that decides asks before it changes anything, and leaves the rest to `WorkKind.carry_out`:

    if work.needs_second_person(hit, outcome):
        work.propose(hit, actor=actor, outcome=outcome, reason=reason, given={"reason_code": code})
        return hit
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals.kinds import by_another
from crm.audit_codes import AuditCode, CrmAction
from crm.choices import ApprovalState, WorkAct, WorkState
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import User, WorkItem, WorkProposal
from crm.notices.kinds import CrmNotice
from crm.security.policies import Decision, no, require
from crm.work.deciding import require_reason
from crm.work.entries import add_entry
from crm.work.items import items_visible_to, may_decide, may_second
from crm.work.kinds import all_kinds, kind_of

# The reason as it was entered: the approval's own column holds its first 300 characters.
REASON = "reason"


def needs_second_person(subject: Any, outcome: str) -> bool:
    """Decide whether an outcome of a subject's item needs a second person; False where it is in no queue."""
    item = WorkItem.objects.filter(pk=subject.work_id).first() if subject.work_id else None
    return item is not None and kind_of(item).outcomes[outcome].needs_second_person(subject)


def propose(
    subject: Any, *, actor: User, outcome: str, reason: str, given: Mapping[str, Any] = MappingProxyType({})
) -> WorkProposal:
    """Propose the outcome of a subject that the caller has locked and not changed; a second person decides on it.

    given: what `carry_out` takes later, as JSON. Raises: NotAllowed when a colleague has the claim or it is missing,
    WrongState when something is proposed already, DomainError without a reason.
    """
    item = lock(WorkItem, subject.work_id, "claimed_by", "brand")
    kind = kind_of(item)
    if not item.awaits_second:
        require(may_decide(actor, item))
    require_reason(kind, outcome, reason)
    proposal = WorkProposal(item=item, outcome=outcome, given={**given, REASON: reason.strip()}, reason=reason.strip())
    proposal.subject = subject
    approvals.propose(proposal, actor=actor)
    item.proposed_outcome, item.proposed_by, item.proposed_at = outcome, actor, proposal.requested_at
    item.claimed_by = item.claimed_at = item.claimed_until = None
    item.save()
    add_entry(item, WorkAct.PROPOSED, actor, text=_with_outcome(proposal))
    return proposal


def proposal_of(item: WorkItem) -> WorkProposal | None:
    """Find what is proposed for an item; None where nothing awaits a second person."""
    if not item.awaits_second:
        return None
    return WorkProposal.objects.select_related("requested_by").filter(item=item, state=ApprovalState.PENDING).first()


def _with_outcome(proposal: WorkProposal) -> str:
    label = kind_of(proposal.item).outcomes[proposal.outcome].label
    return f"{label}: {proposal.given[REASON]}" if proposal.given[REASON] else str(label)


class WorkApproval(approvals.ApprovalKind[WorkProposal]):
    """What somebody proposed about work: whoever may do that work decides, but not who proposed it."""

    model = WorkProposal
    code: ClassVar[str] = "work"
    label = gettext_lazy("Decisions on work")
    proposed: ClassVar[AuditCode] = CrmAction.WORK_PROPOSED
    approved: ClassVar[AuditCode] = CrmAction.WORK_PROPOSAL_APPROVED
    rejected: ClassVar[AuditCode] = CrmAction.WORK_PROPOSAL_REJECTED
    withdrawn: ClassVar[AuditCode] = CrmAction.WORK_PROPOSAL_WITHDRAWN
    notice = CrmNotice.WORK_PROPOSED
    brand_path = "item__brand_id"
    one_open = ("item",)
    related = ("item__brand", "item__claimed_by")

    def is_decider(self, user: User) -> bool:
        return any(user.has_perm(kind.right) for kind in _kinds())

    def takes_part(self, user: User) -> bool:
        return self.is_decider(user)

    def in_reach(self, rows: QuerySet[WorkProposal], user: User) -> QuerySet[WorkProposal]:
        seen = Q(pk__in=[])
        for kind in _kinds():
            if user.has_perm(kind.right):
                seen |= Q(item__in=items_visible_to(user, kind).order_by().values("pk"))
        return rows.filter(seen)

    def client_id(self, item: WorkProposal) -> int | None:
        return item.item.client_id

    def decided_by_right(self, item: WorkProposal) -> str:
        return kind_of(item.item).right

    def awaiting(self, rows: QuerySet[WorkProposal]) -> QuerySet[WorkProposal]:
        """Leave out what nobody has to decide any more: its item was closed, as when a match is outdated."""
        return rows.filter(state=ApprovalState.PENDING, item__state=WorkState.OPEN)

    def is_pending(self, item: WorkProposal) -> bool:
        return item.state == ApprovalState.PENDING and item.item.state == WorkState.OPEN

    def still_waits(self, item: WorkProposal) -> Decision:
        if item.state == ApprovalState.PENDING and item.item.state != WorkState.OPEN:
            return no(_("This isn't open any more: it was decided or closed."))
        return super().still_waits(item)

    def may_decide(self, user: User, item: WorkProposal) -> Decision:
        return kind_of(item.item).may_work(user, self.subject(item))

    def can_propose(self, user: User, item: WorkProposal) -> Decision:
        return self.may_decide(user, item)

    def can_decide(self, user: User, item: WorkProposal) -> Decision:
        allowed = self.may_decide(user, item)
        allowed = by_another(user, self.maker_id(item)) if allowed else allowed
        allowed = self.still_waits(item) if allowed else allowed
        return may_second(user, item.item) if allowed else allowed

    def can_withdraw(self, user: User, item: WorkProposal) -> Decision:
        if user.pk != self.maker_id(item):
            return no(_("Only the person who proposed this can withdraw it."))
        allowed = self.may_decide(user, item)
        return self.still_waits(item) if allowed else allowed

    def lock(self, pk: int) -> WorkProposal:
        kind, subject = self._found(pk)
        subject = kind.lock(subject.pk)
        proposal = lock(self.rows(), pk)
        proposal.subject = subject
        return proposal

    def _found(self, pk: int) -> tuple[Any, Any]:
        item = self.rows().get(pk=pk).item
        return kind_of(item), kind_of(item).subject(item)

    def apply(self, item: WorkProposal, actor: User, **given: Any) -> None:
        reason = item.given[REASON]
        kind_of(item.item).carry_out(self.subject(item), item.outcome, actor=actor, reason=reason, given=item.given)

    def give_back(self, item: WorkProposal, actor: User) -> None:
        row = lock(WorkItem, item.item_id)
        row.proposed_outcome, row.proposed_by, row.proposed_at = "", None, None
        row.save(update_fields=["proposed_outcome", "proposed_by", "proposed_at"])
        if item.state == ApprovalState.REJECTED:
            add_entry(row, WorkAct.REJECTED, actor, text=item.decision_note, other=item.requested_by)
        else:
            add_entry(row, WorkAct.WITHDRAWN, actor, text=item.decision_note)

    def read_subjects(self, items: Sequence[WorkProposal]) -> None:
        for kind in {kind_of(item.item) for item in items}:
            same = [item for item in items if item.item.kind == kind.code]
            subjects = kind.subjects([item.item for item in same])
            for item in same:
                item.subject = subjects[item.item_id]

    def subject(self, item: WorkProposal) -> Any:
        if not hasattr(item, "subject"):
            item.subject = kind_of(item.item).subject(item.item)
        return item.subject

    def title(self, item: WorkProposal) -> LocalizedText:
        kind = kind_of(item.item)
        return joined([kind.outcomes[item.outcome].label, kind.title(self.subject(item))], ": ")

    def url(self, item: WorkProposal) -> str:
        return kind_of(item.item).url(self.subject(item))

    def changes(self, item: WorkProposal) -> Sequence[approvals.Change]:
        kind = kind_of(item.item)
        label = kind.outcomes[item.outcome].label
        whole = [approvals.Change(_("Explanation"), item.given[REASON])] if item.given[REASON] != item.reason else []
        return [approvals.Change(_("Decision"), label), *kind.described(self.subject(item), item.given), *whole]

    def after(self, item: WorkProposal) -> dict[str, Any]:
        return {"outcome": item.outcome, "item": item.item_id}


def _kinds() -> list[Any]:
    """List the kinds of work with an outcome that may need a second person."""
    return [kind for kind in all_kinds() if any(outcome.second_person for outcome in kind.outcomes.values())]
