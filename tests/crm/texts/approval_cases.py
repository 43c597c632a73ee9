from crm.choices import Role
from crm.models import TextVersion
from crm.texts.catalogue import Text
from crm.texts.publishing import publish_text
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("text")
def text(cast, _use) -> Case:
    asked = publish_text(
        brand_id=cast.brand.pk,
        key="portal.terms",
        language="en",
        text=Text("I agree.", "Our terms"),
        actor=cast.mlro,
        reason="Reviewed by counsel",
    )
    return Case(
        item=asked,
        maker=cast.mlro,
        checker=make_staff("mlro-of-texts@keelson.example", Role.MLRO, brand=cast.brand),
        effects=TextVersion.objects.count,
        check="text_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
        outsider=cast.finance,
    )
