from crm.choices import Role
from crm.security.roles import grants

grants(
    "reports",
    {
        Role.DESK_HEAD: ["view_sales", "view_performance", "export_performance", "set_target"],
        Role.MARKETING: ["view_sales"],
        Role.FINANCE: ["view_money", "view_performance", "export_performance"],
        Role.KYC_OFFICER: ["view_compliance"],
        Role.MLRO: ["view_compliance", "view_money"],
        Role.AUDITOR: ["view_sales", "view_money", "view_compliance", "view_performance"],
        Role.ADMINISTRATOR: [
            "view_sales",
            "view_money",
            "view_compliance",
            "view_performance",
            "export_performance",
            "set_target",
        ],
    },
)
