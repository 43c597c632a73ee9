from crm.choices import Role
from crm.security.roles import grants

RETENTION = ["view_retentioncase", "work_retentioncase"]
grants(
    "risk",
    {
        Role.RETENTION: RETENTION,
        Role.DESK_HEAD: RETENTION,
        Role.AUDITOR: ["view_retentioncase"],
        Role.ADMINISTRATOR: ["view_retentioncase"],
    },
)
