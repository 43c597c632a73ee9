"""What the shipped policy decides from the verdicts: approve, ask the client, or hand to the review queue.

Approved only where every check that the kind and side require has passed and none has failed. Where all that is wrong can be put
right by a better picture or another document, the client is asked for it; everything else is for a person. Brands may set
other rules: `kyc.verdicts`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kyc.choices import (
    REASON_FOR_ISSUE,
    REJECT_TEMPLATES,
    DocumentKind,
    IssueCode,
    Outcome,
    RejectReason,
    Side,
    Verdict,
)
from kyc.examination.sheet import Result

_HOLDER = ("kind", "name", "birth", "age", "expiry", "original", "tampering", "duplicates")
_ZONE = ("zone", "state", "nationality")
_PRINT = ("printed_number", "printed_name", "printed_birth", "printed_expiry", "printed_sex", "printed_nationality")
# Checks that must have passed, by kind and side. What is not named here may be unclear, but must not fail.
REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    (DocumentKind.PASSPORT, Side.FRONT): (*_HOLDER, *_ZONE, *_PRINT, "face"),
    (DocumentKind.ID_CARD, Side.FRONT): (*_HOLDER, "face"),
    (DocumentKind.ID_CARD, Side.BACK): (*_HOLDER, *_ZONE),
    (DocumentKind.RESIDENCE_PERMIT, Side.FRONT): (*_HOLDER, "face"),
    (DocumentKind.RESIDENCE_PERMIT, Side.BACK): (*_HOLDER, *_ZONE),
    (DocumentKind.DRIVING_LICENCE, Side.FRONT): (*_HOLDER, "face", "licence"),
    (DocumentKind.DRIVING_LICENCE, Side.BACK): ("legibility", "original", "tampering", "duplicates"),
    (DocumentKind.PROOF_OF_ADDRESS, Side.FRONT): ("legibility", "address", "tampering", "duplicates"),
}
# What the client puts right with a better picture or another document.
FIXABLE = frozenset(
    {
        IssueCode.BLUR,
        IssueCode.GLARE,
        IssueCode.TOO_SMALL,
        IssueCode.CROPPED,
        IssueCode.NO_MRZ,
        IssueCode.NOT_READ,
        IssueCode.LOW_RESOLUTION,
        IssueCode.EXPIRED,
        IssueCode.UNSUPPORTED_TYPE,
        IssueCode.FACE_NOT_FOUND,
        IssueCode.SCREEN_PHOTO,
        IssueCode.SCREENSHOT,
        IssueCode.NO_COLOUR,
        IssueCode.POA_TOO_OLD,
        IssueCode.POA_NO_DATE,
    }
)
# Which of several fixable flaws the client is told: the first says most.
TOLD_FIRST = (
    RejectReason.EXPIRED,
    RejectReason.WRONG_KIND,
    RejectReason.TOO_OLD,
    RejectReason.NOT_A_PHOTO,
    RejectReason.CUT_OFF,
    RejectReason.UNREADABLE,
)


@dataclass(frozen=True)
class Decision:
    """The outcome, the results it rests on, and what the client is asked for."""

    outcome: Outcome
    because: tuple[Result, ...] = ()
    request: str = ""


def decide(
    kind: str,
    side: str,
    results: Sequence[Result],
    *,
    waived: frozenset[str] = frozenset(),
    required: Sequence[str] | None = None,
    fixable: Collection[str] = FIXABLE,
) -> Decision:
    """Decide about one page. waived: required checks that could not run here, such as duplicates without a database.

    required, fixable: the rules of a brand's own policy instead of the shipped ones.
    """
    required = [
        name for name in (REQUIRED.get((kind, side), ()) if required is None else required) if name not in waived
    ]
    wrong = [result for result in results if result.verdict == Verdict.FAIL]
    wrong += [result for result in results if result.verdict == Verdict.UNSURE and result.check in required]
    ran = {result.check for result in results}
    if not required:
        return Decision(Outcome.QUEUE, tuple(wrong))
    # Without a zone its checks don't run: that the picture is blurred is reason enough to ask for another one.
    if wrong and all(result.code in fixable for result in wrong):
        # An unclear picture explains what wasn't read.
        hints = [result for result in results if result.is_issue and result.code in fixable]
        reasons = {REASON_FOR_ISSUE.get(result.code, RejectReason.UNREADABLE) for result in (*wrong, *hints)}
        reason = next((reason for reason in TOLD_FIRST if reason in reasons), RejectReason.UNREADABLE)
        return Decision(Outcome.ASK, tuple(wrong), str(REJECT_TEMPLATES[reason]))
    if not wrong and set(required) <= ran:
        return Decision(Outcome.APPROVE)
    return Decision(Outcome.QUEUE, tuple(wrong))


def worst(decisions: Sequence[Decision]) -> Decision:
    """Combine the pages of one person: a person decides before the client is asked, both before an approval."""
    order = (Outcome.QUEUE, Outcome.ASK, Outcome.APPROVE)
    return min(decisions, key=lambda decision: order.index(decision.outcome))
