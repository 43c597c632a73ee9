"""Four eyes: what one person proposes and another decides. Each kind keeps only what is its own, above all its effect."""

from crm.approvals.deciding import approve, propose, reject, require_decider, withdraw
from crm.approvals.kinds import ApprovalKind, Change, ListedApproval, kind_of, register, require_withdrawable

__all__ = [
    "ApprovalKind",
    "Change",
    "ListedApproval",
    "approve",
    "kind_of",
    "propose",
    "register",
    "reject",
    "require_decider",
    "require_withdrawable",
    "withdraw",
]
