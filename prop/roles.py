from crm.choices import Role
from crm.security.roles import grants

SEES = ["view_programme", "view_challenge"]
grants(
    "prop",
    {
        Role.IB_MANAGER: SEES,
        Role.FINANCE: [*SEES, "publish_programme", "decide_challenge", "pay_challenge", "decide_appeal"],
        Role.DESK_HEAD: ["view_challenge"],
        Role.MLRO: SEES,
        Role.AUDITOR: SEES,
        Role.ADMINISTRATOR: [*SEES, "write_programme", "publish_programme", "decide_challenge", "decide_appeal"],
    },
)
