import datetime as dt
from dataclasses import replace

from django.utils import timezone

from compliance import hits, restrictions, screening
from compliance.aml import backtesting, rules
from compliance.models import Hit, RiskAssessment, RiskModel
from compliance.retention.erasing import propose_erasure
from compliance.risk_rating import changes, drafts, overrides, rating
from compliance.risk_rating.content import shipped
from compliance.sar.entities import propose_reporting_entity
from compliance.sar.models import ReportingEntity
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.models import AuditEvent, LegalEntity, SubjectKey, WorkProposal
from tests.cast import make_staff
from tests.compliance.aml.factories import draft, moved
from tests.compliance.factories import load
from tests.compliance.retention.factories import ended
from tests.compliance.sar.factories import VALUES
from tests.compliance.test_restrictions import place
from tests.crm.approvals.cases import Case, approval_case


@approval_case("restriction-lift")
def lifting(cast, _use) -> Case:
    asked = restrictions.ask_to_lift(restriction_id=place(cast).pk, actor=cast.kyc_officer, reason="Documents arrived")
    return Case(
        asked,
        cast.kyc_officer,
        cast.mlro,
        AuditEvent.objects.filter(action="compliance.restriction_lifted").count,
        "restriction_is_lifted_by_two_people",
        forged={"lifted_by": cast.kyc_officer, "lifted_at": timezone.now()},
        role=Role.MLRO,
    )


@approval_case("work")
def true_match(cast, use) -> Case:
    load(use("tmp_path"), {"first": "Klara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    hits.confirm_hit(hit_id=Hit.objects.get().pk, actor=cast.kyc_officer, reason="The passport number agrees")
    return Case(
        WorkProposal.objects.get(),
        cast.kyc_officer,
        cast.mlro,
        AuditEvent.objects.filter(action="compliance.hit_confirmed").count,
        "work_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("aml-rule")
def going_live(cast, _use) -> Case:
    moved(cast.client, "deposit", 1900, timezone.now() - dt.timedelta(days=60))
    version = draft(cast.brand, "structuring", 2)
    start, end = timezone.now() - dt.timedelta(days=30), timezone.now()
    backtesting.run_backtest(version=version, start=start, end=end, actor=cast.kyc_officer)
    return Case(
        rules.propose(version_id=version.pk, act="go_live", reason="Few alerts", actor=cast.kyc_officer),
        cast.kyc_officer,
        cast.mlro,
        AuditEvent.objects.filter(action="compliance.aml_rule_went_live").count,
        "aml_rule_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("risk-model")
def risk_model(cast, _use) -> Case:
    content = replace(shipped(), medium_from=20)
    drafts.save_draft(brand_id=cast.brand.pk, content=content, revision=0, actor=cast.mlro)
    asked = changes.propose_model(
        brand_id=cast.brand.pk, effective_on=today(cast.brand), actor=cast.mlro, reason="Medium earlier"
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        RiskModel.objects.count,
        "risk_model_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("risk-override")
def risk_override(cast, _use) -> Case:
    rating.assess(client_id=cast.client.pk)
    asked = overrides.propose_override(
        client_id=cast.client.pk,
        rating="high",
        ends_on=today(cast.brand) + dt.timedelta(days=30),
        actor=cast.kyc_officer,
        reason="Adverse media",
    )
    return Case(
        asked,
        cast.kyc_officer,
        cast.mlro,
        RiskAssessment.objects.filter(rating="high").count,
        "risk_override_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("reporting-entity")
def reporting_entity(cast, _use) -> Case:
    legal_entity = LegalEntity.objects.create(
        name=cast.brand.legal_name, jurisdiction=cast.brand.jurisdiction, licence_number=cast.brand.licence_number
    )
    cast.brand.legal_entity = legal_entity
    cast.brand.save()
    asked = propose_reporting_entity(
        legal_entity_id=legal_entity.pk, actor=cast.mlro, values=VALUES, reason="Registered with the FIU"
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        ReportingEntity.objects.count,
        "reporting_entity_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )


@approval_case("erasure")
def erasure(cast, _use) -> Case:
    ended(cast.client)
    asked = propose_erasure(client_id=cast.client.pk, actor=cast.mlro, reason="Five years are over")
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        SubjectKey.objects.filter(destroyed_at__isnull=False).count,
        "erasure_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
