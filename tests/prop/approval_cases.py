from crm.choices import Role
from prop.models import ProgrammeVersion
from tests.crm.approvals.cases import Case, approval_case
from tests.prop.factories import make_draft, proposed


@approval_case("programme-publication")
def publication(cast, _use) -> Case:
    return Case(
        proposed(cast, make_draft(cast)),
        cast.administrator,
        cast.finance,
        ProgrammeVersion.objects.filter(state="published").count,
        "programme_publication_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )
