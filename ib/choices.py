"""States and kinds of partners, plans and commissions, with labels and badge colours."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import MANDATORY, PARTNERS, NoticeGroup, NotificationKind, staff


class PartnerState(BadgeChoices):
    PENDING = "pending", "azure", _("Pending approval")
    ACTIVE = "active", "green", _("Active")
    BLOCKED = "blocked", "red", _("Blocked")
    CLOSED = "closed", "secondary", _("Closed")


PARTNER_TRANSITIONS: dict[str, set[str]] = {
    PartnerState.PENDING: {PartnerState.ACTIVE, PartnerState.CLOSED},
    PartnerState.ACTIVE: {PartnerState.BLOCKED, PartnerState.CLOSED},
    PartnerState.BLOCKED: {PartnerState.ACTIVE, PartnerState.CLOSED},
    PartnerState.CLOSED: set(),
}


class TeamRole(BadgeChoices):
    """What a member of a partner's team is there for; `ib.team.rights` says what each may do."""

    OWNER = "owner", "purple", pgettext_lazy("team role", "Owner")
    FINANCE = "finance", "green", pgettext_lazy("team role", "Finance")
    MARKETING = "marketing", "azure", pgettext_lazy("team role", "Marketing")
    READ_ONLY = "read_only", "secondary", _("Read-only")


class PartnerRight(models.TextChoices):
    """What a partner's team may see and do; the owner everything."""

    SEE_MONEY = "see_money", _("See earnings, settlements and payouts")
    PAY_OUT = "pay_out", _("Request payouts and choose their destination")
    DISPUTE = "dispute", _("Dispute commissions")
    SEE_CLIENTS = "see_clients", _("See clients")
    SEE_NETWORK = "see_network", _("See the network")
    SEE_LINKS = "see_links", _("See links and where visitors come from")
    MANAGE_LINKS = "manage_links", _("Create and switch links")
    INVITE = "invite", _("Invite sub-partners")
    USE_API = "use_api", _("Create API tokens for what they see")
    MANAGE_TEAM = "manage_team", _("Invite and remove team members")


class ApplicationSource(models.TextChoices):
    """Where somebody applied to become a partner."""

    WEBSITE = "website", _("Website")
    PORTAL = "portal", _("Client portal")
    INVITATION = "invite", _("Invited by a partner")


class ApplicantKind(models.TextChoices):
    PERSON = "person", _("Individual")
    COMPANY = "company", _("Company")


class ExpectedClients(models.TextChoices):
    """How many clients an applicant expects to refer per month."""

    FEW = "few", _("Up to 5")
    SOME = "some", _("6 to 20")
    MANY = "many", _("21 to 100")
    MORE = "more", _("More than 100")


class AttributionMethod(models.TextChoices):
    LINK = "link", _("Referral link")
    MANUAL = "manual", _("Assigned by staff")
    IMPORT = "import", _("Imported")


class VersionState(BadgeChoices):
    """A plan version is written as a draft, proposed by its maker, and activated by somebody else."""

    DRAFT = "draft", "secondary", _("Draft")
    PENDING = "pending", "yellow", _("Awaiting second approval")
    ACTIVE = "active", "green", _("Active")
    REJECTED = "rejected", "red", _("Rejected")


VERSION_TRANSITIONS: dict[str, set[str]] = {
    VersionState.DRAFT: {VersionState.PENDING},
    VersionState.PENDING: {VersionState.ACTIVE, VersionState.REJECTED, VersionState.DRAFT},
    VersionState.ACTIVE: set(),
    VersionState.REJECTED: set(),
}


class Network(models.TextChoices):
    """How the holder of a plan is paid for clients of the partners below: each ancestor has an agreement of their own."""

    INTRODUCER = "introducer", _("By the plan of the client's own partner")
    OWN = "own", _("By this plan, at the level they hold above the client")
    DIFFERENCE = "difference", _("By this plan, less what the partners below earn")


class SharedWith(models.TextChoices):
    """What a client and a partner may not both have used; values as `clients.choices.IdentifierKind`."""

    DEVICE = "device", _("Same device")
    NETWORK = "ip_prefix", _("Same network")


class ExcludedTrade(models.TextChoices):
    """Trades that a plan may leave out, by what lay beside them; values as `Reason`."""

    HEDGED = "hedged", _("Hedged by the same client")
    MIRRORED = "mirrored", _("Hedged by another client of the same partner")
    BONUS = "bonus_funded", _("Opened mostly with bonus credit")


class TierBasis(models.TextChoices):
    """Whose trades count towards a partner's rank."""

    OWN = "own", _("Trades of the partner's own clients")
    NETWORK = "network", _("Trades of all clients in the partner's network")


class Component(models.TextChoices):
    """What a plan pays for one closed trade, once for a client, for a client's month or a challenge. The levels share each."""

    LOT = "lot", _("Rebate per lot")
    PIP = "pip", _("Rebate in pips")
    POINT = "point", _("Rebate in points")
    SPREAD = "spread", _("Share of the spread mark-up")
    COMMISSION = "commission", _("Share of the platform's commission")
    LOSS = "loss", _("Share of the client's net loss")
    CPA = "cpa", _("CPA per qualified client")
    REVENUE = "revenue", _("Share of net revenue")
    NET_RESULT = "net_result", _("Share of net revenue with client losses")
    POT = "pot", _("Part of a monthly pot, by lots")
    SALE = "sale", _("CPA per challenge sold")
    SALE_SHARE = "sale_share", _("Share of a challenge’s fee")


# What rows of `PlanComponent` pay; CPA has conditions of its own (`PlanCpa`).
TRADE_COMPONENTS = [(value, label) for value, label in Component.choices if value != Component.CPA]
# Their value is a share of money, not an amount.
SHARES_OF_MONEY = (
    Component.SPREAD,
    Component.COMMISSION,
    Component.LOSS,
    Component.REVENUE,
    Component.NET_RESULT,
    Component.SALE_SHARE,
)
# Paid for a client's whole month: by what the broker earned from them, or by their part of the volume of all.
OF_REVENUE = (Component.REVENUE, Component.NET_RESULT)
MONTHLY = (*OF_REVENUE, Component.POT)
# Paid once for each prop challenge that the client buys.
OF_SALES = (Component.SALE, Component.SALE_SHARE)
# Accruals name a sold challenge by `-(SALES_FROM + its id)` in place of a deal; a client's month by the bare id below zero.
SALES_FROM = 10**15
# What rows of `PlanComponent` pay beside trades, whatever was traded on which account.
BESIDE_TRADES = (*MONTHLY, *OF_SALES)
# Fixed sums: the same at every rank and personal ratio.
FIXED = (Component.CPA, Component.POT, Component.SALE)
# What counts no trade: paid beside what the client's trades earn.
FOR_CLIENT = (Component.CPA, *BESIDE_TRADES)
# Who is paid these is paid for the client's losses; a client's gain makes them negative.
OF_LOSSES = (Component.LOSS, Component.NET_RESULT)
MAY_BE_NEGATIVE = (Component.LOSS, *OF_REVENUE)
# What may be passed on to the client: paid for their volume, never a part of what they lost.
REBATES = (Component.LOT, Component.PIP, Component.POINT, Component.SPREAD, Component.COMMISSION)


class RunKind(BadgeChoices):
    EVENT = "event", "azure", _("After a sync")
    CORRECTION = "correction", "yellow", _("After a corrected deal")
    NIGHTLY = "nightly", "blue", _("Nightly")
    REPLAY = "replay", "purple", _("Replay")
    RANKS = "ranks", "lime", _("After ranks changed")
    MONTHLY = "monthly", "cyan", _("After the end of a month")
    SALES = "sales", "indigo", _("After a challenge was sold")
    CLAWBACK = "clawback", "orange", _("Clawback")
    RESTORED = "restored", "teal", _("Restored")
    ADJUSTED = "adjusted", "pink", _("Adjustment after a dispute")


class AccrualKind(models.TextChoices):
    """Rows are never edited: what changes later is a further row with the difference."""

    ORIGINAL = "original", _("First calculation")
    DELTA = "delta", _("Correction")
    CLAWBACK = "clawback", _("Clawback")
    RESTORED = "restored", _("Restored")
    CAPPED = "capped", _("Cap")
    ADJUSTED = "adjusted", _("Adjustment")
    PASSED = "passed", _("Passed on")


class AccrualState(BadgeChoices):
    ACCRUED = "accrued", "green", _("Earned")
    EXCLUDED = "excluded", "secondary", _("Not paid")
    REVERSED = "reversed", "orange", _("Clawed back")
    CAPPED = "capped", "yellow", _("Capped")
    PASSED = "passed", "teal", _("Passed on")


class Reason(models.TextChoices):
    """Why a trade pays nothing, or why an amount was corrected: the answer to "why was this trade not paid?"."""

    NONE = "", _("Paid by the plan")
    HELD_TOO_SHORT = "held_too_short", _("Closed before the plan's minimum holding time")
    HOLD_UNKNOWN = "hold_unknown", _("The opening of the position isn't known yet")
    SYMBOL_NOT_MAPPED = "symbol_not_mapped", _("The symbol isn't assigned to a symbol group")
    NO_RATE = "no_rate", _("The plan has no rate for this symbol group")
    ACCOUNT_GROUP = "account_group", _("The account's group isn't covered by the plan")
    SELF_TRADE = "self_trade", _("Partners earn no commission on their own trading")
    PARTNER_NOT_ACTIVE = "partner_not_active", _("The partner wasn't active when the position was closed")
    NO_PLAN = "no_plan", _("The client's partner had no plan when the position was closed")
    BEYOND_LEVELS = "beyond_levels", _("The plan pays no commission at this level")
    NO_FX = "no_fx", _("No exchange rate for the day of the trade")
    NO_DIFFERENCE = "no_difference", _("A partner below earns as much or more per trade")
    TOO_FEW_PIPS = "too_few_pips", _("The price moved less than the plan's minimum")
    SYMBOL_EXCLUDED = "symbol_excluded", _("The plan pays no commission on this symbol")
    COUNTRY_EXCLUDED = "country_excluded", _("The plan pays no commission on clients from this country")
    SHARED_DEVICE = "shared_device", _("The partner and the client had signed in with the same device or network")
    HEDGED = "hedged", _("The client held an opposite position on the symbol at the same time")
    MIRRORED = "mirrored", _("Another client of the partner opened an opposite position on the symbol at the same time")
    BONUS_FUNDED = "bonus_funded", _("More bonus credit than balance when the position was opened")
    NOTHING_CHARGED = "nothing_charged", _("The platform charged the client no commission")
    NO_REVENUE = "no_revenue", _("The broker earned nothing from the client in the month")
    NOTHING_CLOSED = "nothing_closed", _("No volume was closed")
    FEE_RETURNED = "fee_returned", _("The fee of the challenge was refunded or charged back")
    RECALCULATED = "recalculated", _("Difference found in a recalculation")
    DEAL_CHANGED = "deal_changed", _("The platform changed or removed the deal")
    CAP_DAY = "cap_day", _("More than the plan pays per day")
    CAP_MONTH = "cap_month", _("More than the plan pays per month")
    CAP_REVENUE = "cap_revenue", _("More than the plan's part of what the broker earned on these trades in the month")
    CAP_UPLINE = "cap_upline", _("The plan's part of what the broker earned on this trade went to the levels below")
    DEPOSIT_REVERSED = "deposit_reversed", _("The client's deposit was charged back or refunded")
    CLIENT_FORFEITED = "client_forfeited", _("The referral no longer qualifies")
    CLIENT_REINSTATED = "client_reinstated", _("The referral qualifies again")
    DEPOSIT_RESTORED = "deposit_restored", _("The chargeback of the client's deposit was reversed")
    DISPUTE = "dispute", _("Agreed after a dispute")
    PASSED_ON = "passed_on", _("Passed on to the client by the plan")


# Reasons for which a trade as such isn't paid.
EXCLUSIONS = (Reason.SHARED_DEVICE, Reason.SELF_TRADE, Reason.SYMBOL_EXCLUDED, *map(Reason, ExcludedTrade.values))


class ReplayState(BadgeChoices):
    RUNNING = "running", "azure", _("Running")
    READY = "ready", "yellow", _("Differences found")
    SAME = "same", "green", _("No differences")
    APPLIED = "applied", "green", _("Applied")
    DISCARDED = "discarded", "secondary", _("Discarded")
    FAILED = "failed", "red", _("Failed")


REPLAY_TRANSITIONS: dict[str, set[str]] = {
    ReplayState.RUNNING: {ReplayState.READY, ReplayState.SAME, ReplayState.FAILED, ReplayState.DISCARDED},
    ReplayState.READY: {ReplayState.APPLIED, ReplayState.DISCARDED},
    ReplayState.SAME: set(),
    ReplayState.APPLIED: set(),
    ReplayState.DISCARDED: set(),
    ReplayState.FAILED: {ReplayState.RUNNING, ReplayState.DISCARDED},
}


class DifferenceCause(models.TextChoices):
    """Why a line of a replay differs from what was booked: the first that fits, in the order of `ib.replay.causes`."""

    DEAL_LATE = "deal_late", _("Deal not calculated before")
    DEAL_DELETED = "deal_deleted", _("Deal deleted on the platform")
    DEAL_EDITED = "deal_edited", _("Deal changed on the platform")
    OPENING = "opening", _("Opening of the position became known or changed")
    INTRODUCER = "introducer", _("Client referred by another partner")
    TREE = "tree", _("Partner moved in the network")
    STATUS = "status", _("Partner's status changed")
    AGREEMENT = "agreement", _("Another agreement")
    VERSION = "version", _("Another plan version")
    RATE = "rate", _("Plan's rate")
    MAPPING = "mapping", _("Symbol mapping corrected")
    ACCOUNT_TYPE = "account", _("Account group corrected")
    RANK = "rank", _("Partner's rank changed")
    FX = "fx", _("Exchange rate of the day")
    COUNTRY = "country", _("Client's country changed")
    EXCLUSION = "exclusion", _("Excluded, or no longer excluded")
    CPA = "cpa", _("Client qualified with another trade")
    REVENUE = "revenue", _("Net revenue of the month")
    POT = "pot", _("Lots that share the month's pot")
    SALE = "sale", _("Challenge sold, or its fee returned")
    BELOW = "below", _("Commission of partners below")
    CURRENCY = "currency", _("Partner's payout currency changed")
    CAP = "cap", _("Cap of the day or month")
    CLAWED_BACK = "clawed_back", _("Already clawed back")
    ROUNDING = "rounding", _("Rounding")
    UNEXPLAINED = "unexplained", _("Not explained")


class ForfeitCause(models.TextChoices):
    """Why everything that a client's trades earned is taken back."""

    KYC_REVOKED = "kyc_revoked", _("Verification revoked")
    FRAUD = "fraud", _("Fraudulent referral")


class VerdictKind(models.TextChoices):
    """What a proposed verdict about a referral does."""

    FRAUD = "fraud", _("Take the client's commissions back")
    LIFTED = "lifted", _("Restore the client's commissions")


class PeriodState(BadgeChoices):
    OPEN = "open", "azure", _("Open")
    CLOSED = "closed", "green", _("Settled")


PERIOD_TRANSITIONS: dict[str, set[str]] = {PeriodState.OPEN: {PeriodState.CLOSED}, PeriodState.CLOSED: set()}


class SettlementState(BadgeChoices):
    """What a settlement did to the partner's balance; the partner takes it out by a payout (`PayoutTo`)."""

    PAID = "paid", "green", _("Credited")
    CARRIED = "carried", "orange", _("Carried forward")
    BELOW_MINIMUM = "small", "yellow", _("Below the minimum")


class Cycle(models.TextChoices):
    """How often a partner is settled: at the end of each day, week or month in the brand's time zone."""

    INSTANT = "instant", _("Continuously")
    DAILY = "daily", pgettext_lazy("cycle", "Daily")
    WEEKLY = "weekly", pgettext_lazy("cycle", "Weekly")
    MONTHLY = "monthly", pgettext_lazy("cycle", "Monthly")


class NegativeBalance(models.TextChoices):
    """What happens where clawbacks are larger than what was earned."""

    CARRIED = "carried", _("Carried to the next settlement")
    WRITTEN_OFF = "written", _("Written off")


class VatTreatment(models.TextChoices):
    """How VAT is stated on self-billing invoices."""

    NONE = "none", _("No invoices")
    EXEMPT = "exempt", _("Exempt from VAT")
    REVERSE_CHARGE = "reverse", _("Reverse charge")
    STANDARD = "standard", _("VAT included")


class DisputeState(BadgeChoices):
    """Of a line, or of a partner, whose settlement waits."""

    OPEN = "open", "orange", _("In dispute")
    RESOLVED = "resolved", "green", _("Resolved")


DISPUTE_TRANSITIONS: dict[str, set[str]] = {DisputeState.OPEN: {DisputeState.RESOLVED}, DisputeState.RESOLVED: set()}


class PayoutTo(models.TextChoices):
    """Where a partner takes money from their balance to."""

    WALLET = "wallet", _("Wallet")
    ACCOUNT = "account", _("Trading account")
    BANK = "bank", _("Bank account")


class PayoutSchedule(models.TextChoices):
    """When a partner's balance is paid out without their request."""

    REQUEST = "request", _("On the partner's request")
    SETTLEMENT = "settled", _("After each settlement")
    WEEKLY = "weekly", pgettext_lazy("payouts", "Weekly")
    MONTHLY = "monthly", pgettext_lazy("payouts", "Monthly")


class AutomaticPayoutState(BadgeChoices):
    """How an automatic payout ended; a refused one is closed when a later one takes its place."""

    PAID = "paid", "green", pgettext_lazy("payout", "Paid")
    WAITING = "waiting", "yellow", _("Awaiting second approval")
    REFUSED = "refused", "red", pgettext_lazy("payout", "Refused")
    CLOSED = "closed", "secondary", _("Closed")


AUTOMATIC_PAYOUT_TRANSITIONS: dict[str, set[str]] = {
    AutomaticPayoutState.REFUSED: {
        AutomaticPayoutState.PAID,
        AutomaticPayoutState.WAITING,
        AutomaticPayoutState.CLOSED,
    },
    AutomaticPayoutState.PAID: set(),
    AutomaticPayoutState.WAITING: set(),
    AutomaticPayoutState.CLOSED: set(),
}


class IbNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    COMMISSION_SETTLED = (
        "ib.commission_settled",
        _("Commissions settled"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    PLAN_PROPOSED = (
        "ib.plan_proposed",
        _("Commission plans awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.approve_plan"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PLAN_DECIDED = (
        "ib.plan_decided",
        _("Decisions on your commission plans"),
        NoticeGroup.PARTNERS,
        staff("ib.propose_plan"),
        EmailChannel.OFF,
        MANDATORY,
    )
    REPLAY_PROPOSED = (
        "ib.replay_proposed",
        _("Commission replays awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    DISPUTE_OPENED = (
        "ib.dispute_opened",
        _("Commission disputes"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.DAILY,
    )
    DISPUTE_CHANGED = (
        "ib.dispute_changed",
        _("Commissions on hold"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    DISPUTE_MESSAGE = (
        "ib.dispute_message",
        _("Messages about commission disputes"),
        NoticeGroup.PARTNERS,
        PARTNERS | staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
    )
    TERMS_PROPOSED = (
        "ib.terms_proposed",
        _("Settlement terms awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    RATIO_PROPOSED = (
        "ib.ratio_proposed",
        _("Agreements awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.approve_plan"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    VERDICT_PROPOSED = (
        "ib.verdict_proposed",
        _("Verdicts on referrals awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    ATTRIBUTION_PROPOSED = (
        "ib.attribution_proposed",
        _("Assignments of clients awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CLAIM_OPENED = (
        "ib.claim_opened",
        _("Partners' claims on clients"),
        NoticeGroup.PARTNERS,
        staff("ib.manage_partners"),
        EmailChannel.DAILY,
    )
    CLAIM_DECIDED = (
        "ib.claim_decided",
        _("Answers to your claims"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    STATUS_CHANGED = (
        "ib.status_changed",
        _("Status of your partner account"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    AGREEMENT_CHANGED = (
        "ib.agreement_changed",
        _("Changes of your agreement and terms"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    NETWORK_JOINED = ("ib.network_joined", _("New sub-partners"), NoticeGroup.PARTNERS, PARTNERS, EmailChannel.DAILY)
    PARTNER_LEAVES = (
        "ib.partner_leaves",
        _("End of your partnership"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    REFERRALS_REVIEWED = (
        "ib.referrals_reviewed",
        _("Partners whose referrals need a review"),
        NoticeGroup.PARTNERS,
        staff("ib.manage_partners"),
        EmailChannel.DAILY,
    )
    PAYOUT_REQUESTED = (
        "ib.payout_requested",
        _("Commission payouts awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PAYOUT_MADE = ("ib.payout_made", _("Automatic payouts"), NoticeGroup.PARTNERS, PARTNERS, EmailChannel.AT_ONCE)
    MONTHLY_FIGURES = (
        "ib.monthly_figures",
        _("Figures of the month"),
        NoticeGroup.PARTNERS,
        PARTNERS,
        EmailChannel.AT_ONCE,
    )
    NEWS = ("ib.news", _("News from your manager"), NoticeGroup.PARTNERS, PARTNERS, EmailChannel.AT_ONCE)
    PAYOUT_REFUSED = (
        "ib.payout_refused",
        _("Refused commission payouts"),
        NoticeGroup.PARTNERS,
        staff("ib.settle_commissions"),
        EmailChannel.DAILY,
    )
    PARTNER_APPLIED = (
        "ib.partner_applied",
        _("Partner applications"),
        NoticeGroup.PARTNERS,
        staff("ib.manage_partners"),
        EmailChannel.DAILY,
    )
    APPROVAL_PROPOSED = (
        "ib.application_proposed",
        _("Partner approvals awaiting second approval"),
        NoticeGroup.PARTNERS,
        staff("ib.approve_plan"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PARTNER_TASK = (
        "ib.partner_task",
        _("Tasks about partners"),
        NoticeGroup.PARTNERS,
        staff("ib.view_partner"),
        EmailChannel.OFF,
    )
    PARTNER_MATCH = (
        "ib.partner_match",
        _("Possible watchlist matches of partners"),
        NoticeGroup.PARTNERS,
        staff("ib.view_partner"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )


class FeeReturn(models.TextChoices):
    """Why the fee of a sold challenge isn't the broker's any more."""

    REFUNDED = "refunded", _("Refunded with the first payout")
    CHARGED_BACK = "charged_back", _("Charged back")
