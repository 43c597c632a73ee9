from crm.choices import Role
from crm.security.roles import grants

ABUSE = ["view_abuseepisode", "decide_abuseepisode"]
RETENTION = ["view_retentioncase", "work_retentioncase"]
grants(
    "risk",
    {
        Role.RETENTION: RETENTION,
        Role.DESK_HEAD: [*RETENTION, "export_retention", *ABUSE],
        Role.MLRO: ["view_abuseepisode"],
        Role.FINANCE: ABUSE,
        Role.AUDITOR: ["view_retentioncase", "view_abuseepisode"],
        Role.ADMINISTRATOR: ["view_retentioncase", "export_retention", "view_abuseepisode"],
    },
)
