from crm.choices import Role
from crm.security.roles import grants

READS = ["view_partner", "view_plan", "view_accrual", "view_settlement"]
grants(
    "ib",
    {
        Role.IB_MANAGER: [*READS, "manage_partners", "propose_plan", "approve_plan", "run_commissions"],
        # Who writes plans doesn't pay them out: finance settles.
        Role.FINANCE: [*READS, "approve_plan", "settle_commissions"],
        Role.MLRO: READS,
        Role.DESK_HEAD: ["view_partner"],
        Role.AUDITOR: READS,
        Role.ADMINISTRATOR: [*READS, "manage_partners", "approve_plan"],
    },
)
