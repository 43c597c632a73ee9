from crm.choices import Role
from crm.security.roles import grants

SEES = ["view_screening", "view_hit", "view_restriction", "view_riskassessment", "view_riskmodel", "view_controlreport"]
AML_SEES = ["view_amlcase", "view_amlrule"]
AML_OFFICER = [*AML_SEES, "decide_amlcase", "write_amlrule", "approve_amlrule"]
OFFICER = [
    *SEES,
    *AML_OFFICER,
    "screen_client",
    "decide_hit",
    "place_restriction",
    "lift_restriction",
    "view_watchlistsource",
    "override_risk",
]
grants(
    "compliance",
    {
        # Sales roles see that something is not possible, never why: a hint could reach the client.
        Role.FINANCE: ["view_restriction"],
        Role.SUPPORT: ["view_restriction"],
        Role.KYC_OFFICER: OFFICER,
        # Whether a suspicion was reported is the MLRO's to know.
        Role.MLRO: [*OFFICER, "import_watchlist", "see_amlreports", "erase_client"],
        Role.AUDITOR: [*SEES, *AML_SEES, "view_watchlistsource"],
        Role.ADMINISTRATOR: ["view_watchlistsource", "import_watchlist", "view_riskmodel", "view_controlreport"],
    },
)
