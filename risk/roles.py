from crm.choices import Role
from crm.security.roles import grants

ABUSE = ["view_abuseepisode", "decide_abuseepisode"]
RETENTION = ["view_retentioncase", "work_retentioncase"]
ROUTING = ["view_clientrouting", "decide_clientrouting", "export_clientrouting"]
RESULTS = ["view_dayresultalert"]
grants(
    "risk",
    {
        Role.RETENTION: RETENTION,
        Role.DESK_HEAD: [*RETENTION, "export_retention", *ABUSE],
        Role.MLRO: ["view_abuseepisode", "view_clientrouting"],
        Role.FINANCE: [*ABUSE, *ROUTING, *RESULTS],
        Role.AUDITOR: ["view_retentioncase", "view_abuseepisode", "view_clientrouting", *RESULTS],
        Role.ADMINISTRATOR: [
            "view_retentioncase",
            "export_retention",
            "view_abuseepisode",
            "view_clientrouting",
            *RESULTS,
        ],
    },
)
