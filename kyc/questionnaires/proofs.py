"""Answered questionnaires as proofs that a KYC level may require: by kind, while the answers count."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clients.proofs import Proof
from crm.models import Brand
from kyc.levels.ladder import is_required, ladder_of, planned_ladder
from kyc.levels.reaching import note_level
from kyc.questionnaires.choices import QuestionnaireKind
from kyc.questionnaires.obligations import published_of

STEP: Final = "portal_questionnaires"
PASSED: Final = "appropriateness_passed"
KIND_OF: Final = {
    "questionnaire_appropriateness": QuestionnaireKind.APPROPRIATENESS,
    PASSED: QuestionnaireKind.APPROPRIATENESS,
    "questionnaire_source_of_funds": QuestionnaireKind.SOURCE_OF_FUNDS,
    "questionnaire_tax": QuestionnaireKind.TAX,
    "questionnaire_pep": QuestionnaireKind.PEP,
}
PROOFS: Final = {
    "questionnaire_appropriateness": Proof(_("Appropriateness test completed"), STEP, for_companies=None),
    PASSED: Proof(_("Appropriateness test passed without a warning"), STEP, for_companies=None),
    "questionnaire_source_of_funds": Proof(_("Source of funds questionnaire completed"), STEP, for_companies=None),
    "questionnaire_tax": Proof(_("Tax self-certification completed"), STEP, for_companies=None),
    "questionnaire_pep": Proof(_("PEP declaration completed"), STEP),
}
# The newest answers to each questionnaire count while they are valid, no later version asks for them again, and their warning is
# acknowledged. An enhanced review that is open or declined holds back all answers of its kind.
SQL: Final = """
SELECT k.client_id, p.proof FROM (
  SELECT n.client_id, n.kind, bool_or(n.is_settled) AS is_settled,
    bool_or(n.is_settled AND NOT n.needs_acknowledgement) AS is_passed
  FROM (
    SELECT DISTINCT ON (s.client_id, s.questionnaire_id) s.client_id, q.kind, s.needs_acknowledgement,
      coalesce(r.state <> 'cleared', false) AS is_held,
      (s.valid_until IS NULL OR s.valid_until > now()) AND v.number >= coalesce(again.number, 0)
        AND (a.id IS NOT NULL OR NOT s.needs_acknowledgement) AS is_settled
    FROM kyc_submission s JOIN kyc_questionnaire q ON q.id = s.questionnaire_id
    JOIN kyc_questionnaireversion v ON v.id = s.version_id
    LEFT JOIN (SELECT questionnaire_id, max(number) AS number FROM kyc_questionnaireversion WHERE asks_again GROUP BY 1) again
      ON again.questionnaire_id = s.questionnaire_id
    LEFT JOIN kyc_warningacknowledgement a ON a.submission_id = s.id
    LEFT JOIN kyc_enhancedreview r ON r.submission_id = s.id
    ORDER BY s.client_id, s.questionnaire_id, s.id DESC
  ) n GROUP BY n.client_id, n.kind HAVING NOT bool_or(n.is_held)
) k CROSS JOIN LATERAL (VALUES
  ('questionnaire_' || k.kind, k.is_settled AND k.kind <> 'other'),
  ('appropriateness_passed', k.is_passed AND k.kind = 'appropriateness')
) p(proof, holds) WHERE p.holds
"""


def is_kind_required(brand: Brand, kind: str) -> bool:
    """Tell whether any of the brand's levels asks for a questionnaire of this kind."""
    return any(is_required(brand, code) for code, of in KIND_OF.items() if of == kind)


def note_answers(client: Client, kind: str) -> None:
    """Recompute the level of a client whose answers of a kind came, went or were decided on, where a level asks for them.

    The caller holds the client's lock; the client's brand is loaded.
    """
    if is_kind_required(client.brand, kind):
        note_level(client=client)


def is_last_for_levels(brand: Brand, questionnaire_id: int, kind: str) -> bool:
    """Tell whether a level, in force or planned, asks for a kind that only this questionnaire of the brand is of."""
    levels = (*ladder_of(brand), *planned_ladder(brand))
    codes = {code for level in levels for group in (*level.requires, *level.company_requires) for code in group}
    others = [row for row in published_of(brand) if row.kind == kind and row.questionnaire_id != questionnaire_id]
    return not others and any(KIND_OF.get(code) == kind for code in codes)
