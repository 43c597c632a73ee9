from crm.choices import Role
from crm.security.roles import grants

# Sales roles see that a passport is missing or was rejected, so that they can ask for it; nobody of them opens one.
SEES_STATES = ["view_document"]
REVIEWS = [
    "view_document",
    "open_document",
    "review_document",
    "send_document",
    "manage_company",
    "review_client",
    "manage_questionnaires",
    "view_answers",
    "request_answers",
    "view_category",
    "propose_category",
]
grants(
    "kyc",
    {
        Role.AGENT: SEES_STATES,
        Role.RETENTION: SEES_STATES,
        Role.DESK_HEAD: SEES_STATES,
        Role.SUPPORT: SEES_STATES,
        Role.FINANCE: SEES_STATES,
        Role.KYC_OFFICER: REVIEWS,
        Role.MLRO: [*REVIEWS, "decide_edd", "decide_category"],
        Role.AUDITOR: ["view_document", "open_document", "view_answers", "view_category"],
    },
)
