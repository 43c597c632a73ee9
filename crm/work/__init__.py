"""Work that people take from a queue and decide: claims that expire, take-overs, assignment, priority, service levels, undo,
comments and files. An app declares its kind beside its verbs and keeps its pages:

    class DocumentReview(WorkKind[Document]): ...            # kyc/work.py
    document.work = work.open_item(REVIEW, client_id=…, brand=…, opened_at=…)
    work.claim(item_id=document.work_id, actor=officer)
    work.decide(document, actor=officer, outcome="approved", reason=note)    # in the verb that decides

See docs/work-items.md.
"""

from crm.work.assigning import assign, plan, set_priority
from crm.work.bulk import DECIDED_AT_ONCE_MAX, DecisionLine, decide_each, preview_decisions
from crm.work.claims import claim, claim_next, extend, release, take_over
from crm.work.deciding import SETTLING, decide, settle, undo
from crm.work.entries import comment
from crm.work.hours import hours_of
from crm.work.items import close_items, is_free, is_held, is_held_by_other, may_decide, new_item, open_item
from crm.work.kinds import Outcome, WorkKind, all_kinds, kind_of, register
from crm.work.proposals import needs_second_person, propose
from crm.work.waiting import leave_with

__all__ = [
    "DECIDED_AT_ONCE_MAX",
    "SETTLING",
    "DecisionLine",
    "Outcome",
    "WorkKind",
    "all_kinds",
    "assign",
    "claim",
    "claim_next",
    "close_items",
    "comment",
    "decide",
    "decide_each",
    "extend",
    "hours_of",
    "is_free",
    "is_held",
    "is_held_by_other",
    "kind_of",
    "leave_with",
    "may_decide",
    "needs_second_person",
    "new_item",
    "open_item",
    "plan",
    "preview_decisions",
    "propose",
    "register",
    "release",
    "set_priority",
    "settle",
    "take_over",
    "undo",
]
