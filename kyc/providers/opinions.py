"""What a provider's result counts when a document is judged: beside the built-in checks, or in their place.

| brand | no result | passed | refused |
|---|---|---|---|
| built-in | the checks decide | the checks decide | the checks decide |
| provider | a person | approved, unless the registration differs or another client has the document | a person |
| both | a person, where the checks approve | approved where the checks approve, else a person | a person |

High risk is for a person in every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clients.choices import RiskRating
from kyc.choices import IDENTITY_KINDS, DocumentKind, Outcome, QueueReason, Verdict
from kyc.examination.sheet import Result
from kyc.models import Document, ProviderCheck, ProviderPicture
from kyc.providers.choices import ProviderCheckState, VerifiedBy
from kyc.providers.modes import verified_by
from kyc.providers.steps import REGISTRATION

COVERED: Final = frozenset({*IDENTITY_KINDS, DocumentKind.PROOF_OF_ADDRESS, DocumentKind.SELFIE})
DUPLICATES: Final = "duplicates"


@dataclass(frozen=True)
class ProviderWord:
    """Who decides at the brand, and what the provider said about this document; no check: nothing."""

    decides: VerifiedBy
    picture: ProviderPicture | None = None

    @property
    def check(self) -> ProviderCheck | None:
        return self.picture.check_at_provider if self.picture is not None else None

    @property
    def is_alone(self) -> bool:
        """Whether the provider's result takes the place of our own checks: sides aren't compared then."""
        return self.decides == VerifiedBy.PROVIDER


BUILT_IN: Final = ProviderWord(VerifiedBy.BUILT_IN)


def word_on(document: Document) -> ProviderWord:
    """Find what the brand's provider said about a document. No query where the built-in checks decide."""
    decides = verified_by(document.client.brand)
    if decides == VerifiedBy.BUILT_IN or document.kind not in COVERED:
        return BUILT_IN
    pictures = ProviderPicture.objects.select_related("check_at_provider__provider")
    return ProviderWord(decides, pictures.filter(document=document).first())


def combined(
    word: ProviderWord, outcome: Outcome, reasons: tuple[str, ...], *, results: Sequence[Result], risk: str
) -> tuple[Outcome, tuple[str, ...]] | None:
    """Combine the provider's word with what our checks make of a document; None where these alone decide."""
    if word.decides == VerifiedBy.BUILT_IN:
        return None
    state = word.check.state if word.check is not None else ""
    if state == ProviderCheckState.PASSED:
        return _passed(word, outcome, reasons, results, risk)
    if state == ProviderCheckState.REFUSED:
        disagrees = outcome == Outcome.APPROVE and not word.is_alone
        return Outcome.QUEUE, (QueueReason.PROVIDER_DISAGREES if disagrees else QueueReason.PROVIDER_REFUSED, *reasons)
    if word.is_alone or outcome == Outcome.APPROVE:
        return Outcome.QUEUE, (QueueReason.PROVIDER_MISSING,)
    return None


def _passed(
    word: ProviderWord, outcome: Outcome, reasons: tuple[str, ...], results: Sequence[Result], risk: str
) -> tuple[Outcome, tuple[str, ...]]:
    assert word.check is not None
    if risk == RiskRating.HIGH:
        return Outcome.QUEUE, (QueueReason.HIGH_RISK,)
    ours = [step for step in word.check.results if step["name"] == REGISTRATION]
    doubts = [str(step["code"]) for step in ours if step["verdict"] != Verdict.PASS.value] if ours else [""]
    # What a provider can't know: whether another client of ours has sent the same document.
    doubts += [str(row.code) for row in results if row.check == DUPLICATES and row.verdict == Verdict.FAIL]
    if doubts:
        return Outcome.QUEUE, tuple(doubt or QueueReason.CHECKS_INCOMPLETE for doubt in doubts)
    if word.is_alone or outcome == Outcome.APPROVE:
        return Outcome.APPROVE, ()
    if reasons == (QueueReason.NOT_COVERED,):
        return Outcome.APPROVE, ()  # a selfie: our policy has no checks that could agree
    return Outcome.QUEUE, (QueueReason.PROVIDER_DISAGREES, *reasons)
