from crm.choices import Role
from kyc.questionnaires import drafts, publishing
from kyc.questionnaires.models import QuestionnaireVersion
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("questionnaire")
def questionnaire(cast, _use) -> Case:
    made = drafts.create_questionnaire(brand_id=cast.brand.pk, kind="pep", name="PEP", actor=cast.mlro)
    asked = publishing.propose_version(questionnaire_id=made.pk, revision=1, actor=cast.mlro, reason="First version")
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        QuestionnaireVersion.objects.count,
        "questionnaire_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
