from dataclasses import replace

from crm.brand_policies.registry import today
from crm.choices import Role
from kyc.levels.changes import propose_levels
from kyc.levels.ladder import ladder_of
from kyc.models import LevelTable
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("kyc-levels")
def kyc_levels(cast, _use) -> Case:
    zero, *others = ladder_of(cast.brand)
    asked = propose_levels(
        brand_id=cast.brand.pk,
        levels=[replace(zero, deposits_max_minor=100_000), *others],
        effective_on=today(cast.brand),
        actor=cast.mlro,
        reason="A lower limit",
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        LevelTable.objects.count,
        "level_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
