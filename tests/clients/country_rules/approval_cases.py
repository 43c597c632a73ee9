from clients.country_rules.changes import propose_country_rules
from clients.country_rules.exemptions import propose_exemption
from clients.models import CountryRule, Exemption
from crm.brand_policies.registry import today
from crm.choices import Role
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("country-rule")
def country_rule(cast, _use) -> Case:
    asked = propose_country_rules(
        brand_id=cast.brand.pk,
        countries=["DE"],
        band="high",
        accepted=["withdrawal"],
        effective_on=today(cast.brand),
        actor=cast.mlro,
        reason="No licence there",
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        CountryRule.objects.count,
        "country_rule_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("exemption")
def exemption(cast, _use) -> Case:
    asked = propose_exemption(
        client_id=cast.client.pk, gates=["deposit"], ends_on=today(cast.brand), actor=cast.mlro, reason="Known to us"
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("third.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        lambda: Exemption.objects.filter(state="approved").count(),
        "exemption_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
