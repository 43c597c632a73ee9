from crm.choices import Role
from crm.security.roles import grants

WORKS = ["view_ticket", "work_ticket"]
grants(
    "support",
    {
        Role.AGENT: WORKS,
        Role.RETENTION: WORKS,
        Role.DESK_HEAD: WORKS,
        Role.KYC_OFFICER: WORKS,
        Role.FINANCE: WORKS,
        Role.SUPPORT: WORKS,
        Role.MLRO: ["view_ticket"],
        Role.IB_MANAGER: ["view_ticket"],
        Role.AUDITOR: ["view_ticket"],
        Role.ADMINISTRATOR: ["view_ticket"],
    },
)
