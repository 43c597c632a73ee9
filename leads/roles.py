from crm.choices import Role
from crm.security.roles import grants

WORKS = ["view_automation", "view_lead", "add_lead", "change_sales_status", "send_invitation"]
SETS_UP = [
    "view_campaign",
    "add_campaign",
    "change_campaign",
    "view_landingpage",
    "add_landingpage",
    "change_landingpage",
    "manage_sources",
    "manage_rules",
    "manage_automation",
]
grants(
    "leads",
    {
        Role.AGENT: [*WORKS, "receive_lead"],
        Role.RETENTION: WORKS,
        Role.DESK_HEAD: [
            *WORKS,
            "assign_lead",
            "import_lead",
            "lift_do_not_call",
            "view_campaign",
            "view_landingpage",
            "manage_rules",
        ],
        Role.SUPPORT: ["view_automation", "view_lead"],
        Role.IB_MANAGER: ["view_lead"],
        Role.MARKETING: ["view_automation", "view_lead", "import_lead", *SETS_UP],
        Role.AUDITOR: ["view_automation", "view_lead", "view_campaign", "view_landingpage"],
        Role.MLRO: ["view_automation", "view_lead"],
        Role.ADMINISTRATOR: [
            "view_automation",
            "view_lead",
            "assign_lead",
            "import_lead",
            "lift_do_not_call",
            *SETS_UP,
        ],
    },
)
