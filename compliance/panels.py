"""What compliance puts on pages it does not own: menu, the client's compliance tab, a tile."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from compliance import queries
from compliance.aml import queries as aml_queries
from compliance.aml.rules import RuleApproval
from compliance.restrictions import LiftApproval
from compliance.retention import RIGHT as ERASES
from compliance.retention.erasing import ErasureApproval
from compliance.risk_rating.changes import RiskModelApproval
from compliance.risk_rating.overrides import RiskOverrideApproval
from compliance.sar import circle
from compliance.sar.entities import ReportingEntityApproval
from compliance.vendors import policies as vendor_policies
from compliance.vendors.setup import ScreeningVendorApproval
from compliance.views import audit_cards, client_overview, home_cards
from compliance.views.client import compliance_tab
from crm import approvals
from crm.choices import Role
from crm.models import User
from crm.ui.kpis import kpi_tile
from crm.ui.panels import MenuEntry, RecordPart, Tab, Tile, register

approvals.register(
    LiftApproval,
    RuleApproval,
    RiskModelApproval,
    RiskOverrideApproval,
    ScreeningVendorApproval,
    ReportingEntityApproval,
    ErasureApproval,
)


def open_hits(user: User) -> int | None:
    """Count the open matches in reach for the menu; None hides the badge."""
    return queries.open_hit_count(user) or None


def open_cases(user: User) -> int | None:
    """Count the open AML cases in reach for the menu; None hides the badge."""
    return aml_queries.open_case_count(user) or None


register(
    MenuEntry(
        "compliance",
        _("Possible matches"),
        "compliance:hits",
        "compliance.view_hit",
        "scan-search",
        30,
        count=open_hits,
        words="sanctions screening watchlist pep",
        group="aml",
        count_permission="compliance.decide_hit",
    ),
    MenuEntry(
        "compliance",
        _("AML cases"),
        "compliance:aml_cases",
        aml_queries.SEES_CASES,
        "badge-alert",
        32,
        count=open_cases,
        words="suspicion alert sar monitoring money laundering",
        group="aml",
        count_permission="compliance.decide_amlcase",
    ),
    MenuEntry(
        "compliance",
        _("Suspicion reports"),
        "compliance:sars",
        circle.is_member,
        "shield-x",
        33,
        words="sar str goaml fiu filing mlro",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("AML rules"),
        "compliance:aml_rules",
        aml_queries.SEES_RULES,
        "workflow",
        34,
        words="transaction monitoring back-test shadow structuring",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("Restrictions"),
        "compliance:restrictions",
        "compliance.place_restriction",
        "lock",
        40,
        words="freeze block",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("Retention"),
        "compliance:retention",
        ERASES,
        "archive",
        44,
        words="erasure erase gdpr legal hold period delete",
        group="records",
    ),
    MenuEntry(
        "compliance",
        _("Risk model"),
        "compliance:risk_models",
        "compliance.view_riskmodel",
        "calculator",
        45,
        words="rating factors points bands aml scoring override",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("Screen a name"),
        "compliance:name_check",
        "compliance.screen_client",
        "ship",
        48,
        words="check ad hoc payee director vessel imo sanctions",
        group="aml",
        # Others open it from the lists; the palette finds it.
        roles=(Role.KYC_OFFICER,),
    ),
    MenuEntry(
        "compliance",
        _("Watchlists"),
        "compliance:watchlists",
        "compliance.view_watchlistsource",
        "list-checks",
        50,
        words="sanctions lists ofac un eu import",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("Screening vendors"),
        "compliance:vendors",
        vendor_policies.sees_vendors,
        "building",
        52,
        words="opensanctions yente outside webhook connection api",
        group="aml",
    ),
    MenuEntry(
        "compliance",
        _("Controls report"),
        "compliance:controls",
        "compliance.view_controlreport",
        "signature",
        55,
        words="auditor month screening freshness four eyes ageing pdf",
        group="records",
    ),
    MenuEntry(
        "compliance",
        _("Audit log"),
        "compliance:audit",
        "crm.view_audit",
        "history",
        60,
        words="trail regulator seal",
        group="records",
    ),
    MenuEntry(
        "compliance",
        _("Access log"),
        "compliance:access_log",
        "crm.view_access_log",
        "eye",
        70,
        words="who saw viewed",
        group="records",
    ),
    RecordPart("client", "step", "compliance", client_overview.next_steps, "compliance.view_hit", 15),
    Tab("client", "compliance", _("Compliance"), compliance_tab, "compliance.view_screening", order=60),
)

MLRO = (Role.MLRO,)
DECIDES, PLACES = "compliance.decide_hit", "compliance.place_restriction"
LIST = "crm/ui/_list_card.html"
register(
    kpi_tile("mlro-hits", _("Possible matches"), home_cards.open_matches, DECIDES, 1, roles=MLRO),
    kpi_tile("mlro-oldest", _("Oldest open match"), home_cards.oldest_match, DECIDES, 2, roles=MLRO),
    kpi_tile("mlro-restrictions", _("Active restrictions"), home_cards.restrictions, PLACES, 3, roles=MLRO),
    kpi_tile("mlro-lifts", _("Lift requests"), home_cards.lift_requests, PLACES, 4, roles=MLRO),
    Tile(
        "mlro-days",
        "crm/ui/_chart_card.html",
        home_cards.matches_by_day,
        DECIDES,
        5,
        title=_("Matches found and decided by day"),
        place="main",
        roles=MLRO,
    ),
    Tile(
        "mlro-queue",
        LIST,
        home_cards.matches_by_score,
        DECIDES,
        6,
        title=_("Open matches by score"),
        place="queue",
        roles=MLRO,
    ),
    Tile("mlro-latest", LIST, home_cards.latest_restrictions, PLACES, 20, title=_("Latest restrictions"), roles=MLRO),
    Tile("mlro-risk", LIST, home_cards.risky_clients, PLACES, 21, title=_("Clients by risk"), roles=MLRO, lazy=True),
    Tile(
        "mlro-lists",
        LIST,
        home_cards.watchlists,
        "compliance.view_watchlistsource",
        22,
        title=_("Watchlist updates"),
        roles=MLRO,
    ),
)

AUDITOR, SEES_LOG, CHART = (Role.AUDITOR,), "crm.view_audit", "crm/ui/_chart_card.html"
register(
    kpi_tile("audit-sealed", _("Audit entries to seal"), audit_cards.sealed, SEES_LOG, 1, roles=AUDITOR),
    kpi_tile(
        "audit-approvals", _("Second approvals in 7 days"), audit_cards.second_approvals, SEES_LOG, 4, roles=AUDITOR
    ),
    Tile(
        "audit-days",
        CHART,
        audit_cards.actions_by_day,
        SEES_LOG,
        5,
        title=_("Audited actions by day"),
        place="main",
        roles=AUDITOR,
        lazy=True,
    ),
    Tile(
        "audit-risks",
        LIST,
        audit_cards.high_risk_actions,
        SEES_LOG,
        6,
        title=_("High-risk actions"),
        place="queue",
        roles=AUDITOR,
    ),
    Tile(
        "audit-exports",
        LIST,
        audit_cards.latest_exports,
        "crm.view_access_log",
        20,
        title=_("Latest exports"),
        roles=AUDITOR,
    ),
    Tile("audit-packs", LIST, audit_cards.audit_packs, SEES_LOG, 21, title=_("Latest audit packs"), roles=AUDITOR),
    Tile(
        "sign-ins",
        CHART,
        audit_cards.sign_ins_by_day,
        "crm.view_access_log",
        5,
        title=_("Sign-ins by day"),
        place="main",
        roles=(Role.ADMINISTRATOR,),
        lazy=True,
    ),
)
