from crm.choices import Role
from crm.security.roles import grants

SELLS = ["view_client", "change_client", "reveal_contact", "log_call"]
grants(
    "clients",
    {
        Role.AGENT: SELLS,
        Role.RETENTION: SELLS,
        Role.DESK_HEAD: [
            *SELLS,
            "move_client",
            "export_client",
            "close_client",
            "merge_client",
            "view_linked_clients",
            "view_past_owners",
        ],
        Role.KYC_OFFICER: [
            "view_client",
            "change_client",
            "correct_identity",
            "log_call",
            "merge_client",
            "view_linked_clients",
        ],
        Role.MLRO: [
            "view_client",
            "change_client",
            "correct_identity",
            "log_call",
            "export_client",
            "close_client",
            "merge_client",
            "view_phoneevent",
            "exempt_client",
            "view_linked_clients",
            "view_past_owners",
        ],
        Role.FINANCE: ["view_client", "log_call", "export_client", "view_linked_clients"],
        Role.IB_MANAGER: ["view_client", "log_call"],
        Role.SUPPORT: ["view_client", "reveal_contact", "log_call"],
        Role.MARKETING: ["view_client"],
        Role.AUDITOR: ["view_client", "view_linked_clients", "view_past_owners"],
        Role.ADMINISTRATOR: [
            "view_client",
            "exempt_client",
            "view_phoneevent",
            "change_client",
            "move_client",
            "export_client",
            "close_client",
            "merge_client",
            "view_linked_clients",
            "view_past_owners",
        ],
    },
)
