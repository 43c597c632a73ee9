"""Why a client has their rating: the factors that counted, in the model of that day."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.models import RiskAssessment
from compliance.risk_rating.content import Content, Factor


@dataclass(frozen=True, slots=True)
class Explanation:
    """The factors that counted, those that alone make the rating first, and the bands of the model."""

    factors: tuple[Factor, ...]
    medium_from: int
    high_from: int
    capped: int = 0  # points that caps of groups left out


def explained(assessment: RiskAssessment | None) -> Explanation | None:
    """Explain a rating, which is read with its model; None without one. No query."""
    if assessment is None:
        return None
    content = Content.read(assessment.model.content)
    counted = [factor for code in assessment.factors if (factor := content.factor(code)) is not None]
    total = max(0, sum(factor.points for factor in counted))
    order = sorted(counted, key=lambda factor: (factor.at_least == "", -factor.points))
    return Explanation(tuple(order), content.medium_from, content.high_from, max(0, total - assessment.points))
