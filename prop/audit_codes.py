"""What happens to programmes and challenges, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class PropAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    PROGRAMME_CREATED = "prop.programme_created", _("Programme created"), "plus"
    VERSION_DRAFTED = "prop.version_drafted", _("Programme version drafted"), "pencil"
    VERSION_CHANGED = "prop.version_changed", _("Draft of a programme changed"), "pencil"
    PUBLICATION_PROPOSED = "prop.publication_proposed", _("Publication of a programme proposed"), "send"
    PUBLICATION_APPROVED = "prop.publication_approved", _("Programme published"), "check"
    PUBLICATION_REJECTED = "prop.publication_rejected", _("Publication of a programme rejected"), "x"
    PUBLICATION_WITHDRAWN = "prop.publication_withdrawn", _("Publication of a programme withdrawn"), "x"
    VERSION_RETIRED = "prop.version_retired", _("Programme withdrawn from sale"), "archive"
    COUPON_CREATED = "prop.coupon_created", _("Coupon created"), "tag"
    CHALLENGE_BOUGHT = "prop.challenge_bought", _("Challenge bought"), "wallet"
    PHASE_STARTED = "prop.phase_started", _("Phase of a challenge started"), "play"
    TARGET_REACHED = "prop.target_reached", _("Target of a challenge reached"), "target"
    PHASE_DECIDED = "prop.phase_decided", _("Phase of a challenge decided"), "gavel"
    RULE_BREACHED = "prop.rule_breached", _("Rule of a challenge breached"), "circle-x", "danger"
    DEALS_CHANGED = "prop.deals_changed", _("Deals of a challenge changed after they were judged"), "history", "warning"
    PAYOUT_REQUESTED = "prop.payout_requested", _("Challenge payout requested"), "hand-coins"
    PAYOUT_DECIDED = "prop.payout_decided", _("Challenge payout decided"), "gavel"
    PAYOUT_PAID = "prop.payout_paid", _("Challenge payout paid"), "check", "success"
    PAYOUT_FAILED = "prop.payout_failed", _("Challenge payout failed"), "circle-x", "danger"
    GROWTH_PROPOSED = "prop.growth_proposed", _("Scaling of a funded account proposed"), "trending-up"
    GROWTH_DECIDED = "prop.growth_decided", _("Scaling of a funded account decided"), "gavel"
    GROWTH_BOOKED = "prop.growth_booked", _("Funded account scaled"), "trending-up", "success"
    GROWTH_FAILED = "prop.growth_failed", _("Scaling of a funded account failed"), "circle-x", "danger"
    CHALLENGE_PAUSED = "prop.challenge_paused", _("Challenge paused"), "circle-pause", "warning"
    PAUSE_DECIDED = "prop.pause_decided", _("Pause of a challenge decided"), "gavel"
    FUNDING_FAILED = "prop.funding_failed", _("Challenge account couldn't be funded"), "circle-x", "danger"
    FUNDED_AGAIN = "prop.funded_again", _("Funding of a challenge account sent again"), "rotate-ccw"
    CHALLENGE_RESET = "prop.challenge_reset", _("Challenge reset"), "rotate-ccw"
    LEADERBOARD_CONSENT = "prop.leaderboard_consent", _("Leaderboard consent changed"), "star"
    CERTIFICATE_ISSUED = "prop.certificate_issued", _("Certificate issued"), "badge-check"
    CERTIFICATE_CHANGED = "prop.certificate_changed", _("Name on a certificate shown or hidden"), "badge-check"
    APPEAL_FILED = "prop.appeal_filed", _("Appeal filed"), "gavel"
    APPEAL_DECIDED = "prop.appeal_decided", _("Appeal decided"), "gavel"
