from crm.choices import Role
from crm.security.roles import grants

WORKS = ["view_ticket", "work_ticket"]
grants(
    "support",
    {
        Role.AGENT: WORKS,
        Role.RETENTION: WORKS,
        Role.DESK_HEAD: [*WORKS, "report_tickets"],
        Role.KYC_OFFICER: WORKS,
        Role.FINANCE: WORKS,
        Role.SUPPORT: [*WORKS, "manage_macro", "report_tickets"],
        Role.MLRO: ["view_ticket"],
        Role.IB_MANAGER: ["view_ticket"],
        Role.AUDITOR: ["view_ticket", "report_tickets"],
        Role.ADMINISTRATOR: ["view_ticket", "manage_macro", "report_tickets"],
    },
)
