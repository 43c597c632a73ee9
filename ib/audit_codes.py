"""What happens to partners, plans and commissions, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class IbAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    ACCESS_GRANTED = "ib.access_granted", _("Access to a partner granted"), "key-round"
    ACCESS_TAKEN = "ib.access_taken", _("Access to a partner removed"), "user-x"
    AGREEMENT_ACCEPTED = "ib.agreement_accepted", _("Partner agreement accepted"), "file-check"
    APPLICATION_APPROVED = "ib.application_approved", _("Partner application approved"), "circle-check", "success"
    APPLICATION_PROPOSED = "ib.application_proposed", _("Partner approval proposed"), "send", "info"
    APPLICATION_REJECTED = "ib.application_rejected", _("Partner approval rejected"), "circle-x", "warning"
    APPLICATION_WITHDRAWN = "ib.application_withdrawn", _("Partner approval withdrawn"), "x"
    CLIENT_ATTRIBUTED = "ib.client_attributed", _("Client assigned to a partner"), "handshake"
    COMMISSION_PAID_OUT = "ib.commission_paid_out", _("Commission paid out"), "banknote", "success"
    COMMISSIONS_GIVEN_BACK = "ib.commissions_given_back", _("Commissions restored"), "redo-2"
    COMMISSIONS_RUN = "ib.commissions_run", _("Commissions calculated"), "calculator"
    COMMISSIONS_TAKEN_BACK = "ib.commissions_taken_back", _("Commissions clawed back"), "undo-2", "warning"
    DISPUTE_OPENED = "ib.dispute_opened", _("Commission disputed or put on hold"), "lock", "warning"
    DISPUTE_RESOLVED = "ib.dispute_resolved", _("Commission dispute resolved"), "circle-check"
    LINK_CREATED = "ib.link_created", _("Referral link created"), "link"
    LINK_SWITCHED = "ib.link_switched", _("Referral link activated or deactivated"), "link"
    PARTNER_APPLIED = "ib.partner_applied", _("Partner applied"), "user-plus", "info"
    PARTNER_INVITED = "ib.partner_invited", _("Partner invited"), "mail"
    PARTNER_MOVED = "ib.partner_moved", _("Partner moved in the tree"), "network"
    PARTNER_REGISTERED = "ib.partner_registered", _("Partner registered"), "user-plus"
    PARTNER_SCREENED = "ib.partner_screened", _("Partner's watchlist matches changed"), "scan-search", "warning"
    PARTNER_STATE_CHANGED = "ib.partner_state_changed", _("Partner status changed"), "handshake"
    PERIOD_SETTLED = "ib.period_settled", _("Commission period settled"), "calendar", "success"
    PAYOUT_APPROVED = "ib.payout_approved", _("Commission payout approved"), "circle-check", "success"
    PAYOUT_REFUSED = "ib.payout_refused", _("Automatic commission payout refused"), "circle-x", "warning"
    PAYOUT_TARGET_CHOSEN = (
        "ib.payout_target_chosen",
        _("Destination of automatic payouts chosen"),
        "landmark",
        "warning",
    )
    PAYOUT_REJECTED = "ib.payout_rejected", _("Commission payout rejected"), "circle-x", "warning"
    PAYOUT_REQUESTED = "ib.payout_requested", _("Commission payout awaiting approval"), "send", "info"
    PAYOUT_WITHDRAWN = "ib.payout_withdrawn", _("Commission payout request withdrawn"), "x"
    PLAN_ACTIVATED = "ib.plan_activated", _("Commission plan activated"), "circle-check", "success"
    PLAN_TRIED_OUT = "ib.plan_tried_out", _("Plan version tried out on past trades"), "calculator"
    PLAN_ASSIGNED = "ib.plan_assigned", _("Commission plan assigned"), "user-check"
    PLAN_CREATED = "ib.plan_created", _("Commission plan created"), "file-text"
    PLAN_DRAFT_CHANGED = "ib.plan_draft_changed", _("Commission plan draft changed"), "pencil"
    PLAN_DRAFTED = "ib.plan_drafted", _("Commission plan drafted"), "pencil"
    PLAN_LEVEL_SET = "ib.plan_level_set", _("Partner level set"), "target"
    PLAN_PROPOSED = "ib.plan_proposed", _("Commission plan proposed"), "send", "info"
    PLAN_REJECTED = "ib.plan_rejected", _("Commission plan rejected"), "circle-x", "warning"
    PLAN_WITHDRAWN = "ib.plan_withdrawn", _("Commission plan withdrawn"), "x"
    RANKS_REVIEWED = "ib.ranks_reviewed", _("Partner ranks changed"), "target"
    RATIO_APPROVED = "ib.ratio_approved", _("Personal ratio approved"), "circle-check", "success"
    RATIO_PROPOSED = "ib.ratio_proposed", _("Personal ratio proposed"), "send", "info"
    RATIO_REJECTED = "ib.ratio_rejected", _("Personal ratio rejected"), "circle-x", "warning"
    RATIO_WITHDRAWN = "ib.ratio_withdrawn", _("Personal ratio withdrawn"), "x"
    REPLAY_APPROVED = "ib.replay_approved", _("Commission replay applied"), "circle-check", "success"
    REPLAY_DISCARDED = "ib.replay_discarded", _("Commission replay discarded"), "trash-2"
    REPLAY_PROPOSED = "ib.replay_proposed", _("Commission replay proposed"), "send", "info"
    REPLAY_REJECTED = "ib.replay_rejected", _("Commission replay rejected"), "circle-x", "warning"
    REPLAY_STARTED = "ib.replay_started", _("Commission replay started"), "calculator"
    REPLAY_WITHDRAWN = "ib.replay_withdrawn", _("Commission replay proposal withdrawn"), "x"
    TERMS_APPROVED = "ib.terms_approved", _("Settlement terms approved"), "circle-check", "success"
    TERMS_PROPOSED = "ib.terms_proposed", _("Settlement terms proposed"), "send", "info"
    TERMS_REJECTED = "ib.terms_rejected", _("Settlement terms rejected"), "circle-x", "warning"
    TERMS_WITHDRAWN = "ib.terms_withdrawn", _("Settlement terms withdrawn"), "x"
    VERDICT_APPROVED = "ib.verdict_approved", _("Verdict on a referral approved"), "circle-check", "warning"
    VERDICT_PROPOSED = "ib.verdict_proposed", _("Verdict on a referral proposed"), "send", "info"
    VERDICT_REJECTED = "ib.verdict_rejected", _("Verdict on a referral rejected"), "circle-x", "warning"
    VERDICT_WITHDRAWN = "ib.verdict_withdrawn", _("Verdict on a referral withdrawn"), "x"
    WALLET_LINKED = "ib.wallet_linked", _("Partner's wallet linked"), "wallet"
