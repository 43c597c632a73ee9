"""Four eyes: what one person proposes and another decides. Each kind keeps only what is its own, above all its effect."""

from crm.approvals.deciding import approve, propose, reject, withdraw
from crm.approvals.kinds import ApprovalKind, Change, ListedApproval, kind_of, register

__all__ = [
    "ApprovalKind",
    "Change",
    "ListedApproval",
    "approve",
    "kind_of",
    "propose",
    "register",
    "reject",
    "withdraw",
]
