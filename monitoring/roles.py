from crm.choices import Role
from crm.security.roles import grants

grants(
    "monitoring",
    {
        Role.DESK_HEAD: [
            "view_alert",
            "decide_alert",
            "view_baselines",
            "see_agent_names",
            "manage_watchlist",
            "limit_agents",
            "offboard_agents",
            "view_anomaly",
            "decide_anomaly",
        ],
        Role.MLRO: [
            "view_alert",
            "decide_alert",
            "view_baselines",
            "see_agent_names",
            "manage_watchlist",
            "decide_escalation",
            "score_history",
            "limit_agents",
            "view_anomaly",
            "decide_anomaly",
        ],
        Role.FINANCE: ["view_anomaly", "decide_anomaly"],
        Role.IB_MANAGER: ["view_anomaly", "decide_anomaly"],
        # They check that the process works; for that they need no names.
        Role.AUDITOR: ["view_alert", "view_baselines", "view_anomaly"],
        # Somebody has to look at compliance, too.
        Role.ADMINISTRATOR: [
            "view_alert",
            "decide_alert",
            "view_baselines",
            "see_agent_names",
            "limit_agents",
            "offboard_agents",
            "score_history",
            "view_anomaly",
            "decide_anomaly",
        ],
    },
)
