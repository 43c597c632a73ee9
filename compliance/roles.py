from crm.choices import Role
from crm.security.roles import grants

SEES = ["view_screening", "view_hit", "view_restriction", "view_riskassessment"]
OFFICER = [*SEES, "screen_client", "decide_hit", "place_restriction", "lift_restriction", "view_watchlistsource"]
grants(
    "compliance",
    {
        # Sales roles see that something is not possible, never why: a hint could reach the client.
        Role.FINANCE: ["view_restriction"],
        Role.SUPPORT: ["view_restriction"],
        Role.KYC_OFFICER: OFFICER,
        Role.MLRO: [*OFFICER, "import_watchlist"],
        Role.AUDITOR: [*SEES, "view_watchlistsource"],
        Role.ADMINISTRATOR: ["view_watchlistsource", "import_watchlist"],
    },
)
