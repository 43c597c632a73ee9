"""Files with one doubt: every check passed but one that was unclear, and nothing else keeps the policy from approving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kyc.choices import IssueCode, Outcome, Verdict

if TYPE_CHECKING:
    from kyc.examination.sheet import Result
    from kyc.models import MachineDecision

# What a person sees at a glance in the picture. Nothing about forgery, other clients or who somebody is can be among them.
HARMLESS: Final = (
    IssueCode.NAME_NEAR,
    IssueCode.NAME_CUT,
    IssueCode.PRINT_NEAR,
    IssueCode.NOT_READ,
    IssueCode.LOW_RESOLUTION,
    IssueCode.BLUR,
    IssueCode.GLARE,
    IssueCode.FACE_NOT_FOUND,
    IssueCode.POA_ISSUER,
)


def only_doubt(decision: MachineDecision, results: Sequence[Result]) -> str:
    """Name the one harmless doubt about a file; "" where anything failed, more is unclear, or the policy has another reason."""
    unclear = {str(result.code) for result in results if result.verdict != Verdict.PASS}
    if decision.outcome != Outcome.QUEUE or len(unclear) != 1 or set(decision.reasons) != unclear:
        return ""
    if any(result.verdict == Verdict.FAIL for result in results):
        return ""
    code = unclear.pop()
    return code if code in HARMLESS else ""
