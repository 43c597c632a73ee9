"""Kinds and states of prop challenges, each with its label and badge colour, and the transition tables."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind, staff


class VersionState(BadgeChoices):
    DRAFT = "draft", "secondary", _("Draft")
    PUBLISHED = "published", "green", pgettext_lazy("programme version", "On sale")
    RETIRED = "retired", "azure", pgettext_lazy("programme version", "Withdrawn from sale")


VERSION_TRANSITIONS: dict[str, set[str]] = {
    VersionState.DRAFT: {VersionState.PUBLISHED},
    VersionState.PUBLISHED: {VersionState.RETIRED},
    VersionState.RETIRED: set(),
}


class LossBy(models.TextChoices):
    """What a day's loss is counted from: the balance at the start of the server's day, or the equity then."""

    BALANCE = "balance", pgettext_lazy("loss counted from", "Balance")
    EQUITY = "equity", pgettext_lazy("loss counted from", "Equity")


class MaxLoss(models.TextChoices):
    """Where the floor of the maximum loss lies: below the starting balance, or below the highest balance or equity."""

    STATIC = "static", _("Static")
    TRAILING_BALANCE = "trailing_balance", _("Trailing the highest balance")
    TRAILING_EQUITY = "trailing_equity", _("Trailing the highest equity")


class Rule(models.TextChoices):
    """What an account can be closed for; the codes of `prop/judge/rules.py`."""

    DAILY_LOSS = "daily_loss", _("Daily loss")
    MAX_LOSS = "maximum_loss", _("Maximum loss")
    MAX_DAYS = "maximum_days", _("Maximum days")
    INACTIVITY = "inactivity", _("Inactivity")
    CONSISTENCY = "consistency", _("Consistency")
    NEWS = "news", _("News trading")
    WEEKEND = "weekend", _("Weekend positions")
    LOTS = "lots", _("Lot limit")
    TRADE_LOTS = "trade_lots", _("Lot limit per trade")
    LEVERAGE = "leverage", _("Leverage limit")


class CorrectionKind(models.TextChoices):
    """How a verdict changes when an account is judged again."""

    REVERSAL = "reversal", _("Reversal of a breach")
    NEW_BREACH = "new_breach", _("Breach that was missed")
    CHANGED_BREACH = "changed_breach", _("Breach for another reason")
    COMPLETION_WITHDRAWN = "completion_withdrawn", _("Target wasn’t reached")
    NEW_COMPLETION = "new_completion", _("Target was reached")
    CHANGED_COMPLETION = "changed_completion", _("Target reached at another time")


class ChallengeState(BadgeChoices):
    """How far a challenge is, from its payment to its end."""

    ACTIVE = "active", "blue", pgettext_lazy("challenge", "In evaluation")
    REVIEW = "review", "orange", pgettext_lazy("challenge", "Pending review")
    FUNDED = "funded", "green", pgettext_lazy("challenge", "Funded")
    BREACHED = "breached", "red", pgettext_lazy("challenge", "Rule breached")
    EXPIRED = "expired", "secondary", pgettext_lazy("challenge", "Expired")
    REJECTED = "rejected", "red", pgettext_lazy("challenge", "Not approved")
    ENDED = "ended", "red", pgettext_lazy("challenge", "Ended")


CHALLENGE_TRANSITIONS: dict[str, set[str]] = {
    # Funded from the start: instant funding has no evaluation.
    ChallengeState.ACTIVE: {
        ChallengeState.REVIEW,
        ChallengeState.FUNDED,
        ChallengeState.BREACHED,
        ChallengeState.EXPIRED,
        ChallengeState.ENDED,
    },
    ChallengeState.REVIEW: {
        ChallengeState.ACTIVE,
        ChallengeState.FUNDED,
        ChallengeState.REJECTED,
        ChallengeState.BREACHED,
    },
    ChallengeState.FUNDED: {ChallengeState.BREACHED, ChallengeState.EXPIRED, ChallengeState.ENDED},
    # Bought again at the reset price: the same phase on a new account. Or the breach was reversed: it goes on where it was.
    ChallengeState.BREACHED: {ChallengeState.ACTIVE, ChallengeState.FUNDED},
    ChallengeState.EXPIRED: {ChallengeState.ACTIVE, ChallengeState.FUNDED},
    ChallengeState.REJECTED: set(),
    # Its fee was charged back and not settled, or a forbidden style was confirmed: an upheld appeal gives that one back.
    ChallengeState.ENDED: {ChallengeState.ACTIVE},
}


class StageState(BadgeChoices):
    """How far the account of a phase is."""

    OPENING = "opening", "azure", pgettext_lazy("phase of a challenge", "Opening account")
    RUNNING = "running", "blue", pgettext_lazy("phase of a challenge", "Running")
    REVIEW = "review", "orange", pgettext_lazy("phase of a challenge", "Target reached")
    PASSED = "passed", "green", pgettext_lazy("phase of a challenge", "Passed")
    REJECTED = "rejected", "red", pgettext_lazy("phase of a challenge", "Not approved")
    BREACHED = "breached", "red", pgettext_lazy("phase of a challenge", "Breached")
    EXPIRED = "expired", "secondary", pgettext_lazy("phase of a challenge", "Expired")
    ENDED = "ended", "red", pgettext_lazy("phase of a challenge", "Ended")


STAGE_TRANSITIONS: dict[str, set[str]] = {
    StageState.OPENING: {StageState.RUNNING},
    StageState.RUNNING: {StageState.REVIEW, StageState.BREACHED, StageState.EXPIRED, StageState.ENDED},
    # Running again: judged again, the target wasn't reached, or no rule was breached.
    StageState.REVIEW: {StageState.PASSED, StageState.REJECTED, StageState.BREACHED, StageState.RUNNING},
    StageState.PASSED: set(),
    StageState.REJECTED: set(),
    StageState.BREACHED: {StageState.RUNNING},
    StageState.EXPIRED: {StageState.RUNNING},
    StageState.ENDED: set(),
}


class CorrectionState(BadgeChoices):
    """How a correction ends that was found by judging an account again."""

    OPEN = "open", "orange", pgettext_lazy("correction of a judgement", "Pending review")
    CORRECTED = "corrected", "green", pgettext_lazy("correction of a judgement", "Corrected")
    KEPT = "kept", "secondary", pgettext_lazy("correction of a judgement", "Verdict kept")
    OUTDATED = "outdated", "secondary", pgettext_lazy("correction of a judgement", "Outdated")


CORRECTION_TRANSITIONS: dict[str, set[str]] = {
    # Outdated: the deals changed again, and it comes out differently or as before.
    CorrectionState.OPEN: {CorrectionState.CORRECTED, CorrectionState.KEPT, CorrectionState.OUTDATED},
    CorrectionState.CORRECTED: set(),
    CorrectionState.KEPT: set(),
    CorrectionState.OUTDATED: set(),
}


class PauseState(BadgeChoices):
    """How far a pause of a challenge is whose fee was charged back."""

    OPEN = "open", "orange", pgettext_lazy("pause of a challenge", "Paused")
    RESUMED = "resumed", "green", pgettext_lazy("pause of a challenge", "Resumed")
    ENDED = "ended", "red", pgettext_lazy("pause of a challenge", "Challenge ended")


PAUSE_TRANSITIONS: dict[str, set[str]] = {
    PauseState.OPEN: {PauseState.RESUMED, PauseState.ENDED},
    PauseState.RESUMED: set(),
    PauseState.ENDED: set(),
}


class FundingState(BadgeChoices):
    """How it ends that the platform kept refusing an account's starting balance."""

    OPEN = "open", "orange", pgettext_lazy("funding of a challenge account", "Balance refused")
    SENT = "sent", "green", pgettext_lazy("funding of a challenge account", "Sent again")
    CLOSED = "closed", "secondary", pgettext_lazy("funding of a challenge account", "Closed without a balance")


FUNDING_TRANSITIONS: dict[str, set[str]] = {
    FundingState.OPEN: {FundingState.SENT, FundingState.CLOSED},
    FundingState.SENT: set(),
    FundingState.CLOSED: set(),
}


class PayoutState(BadgeChoices):
    """How far a payout of a funded challenge is."""

    REQUESTED = "requested", "orange", pgettext_lazy("payout of a challenge", "Pending review")
    SENDING = "sending", "blue", pgettext_lazy("payout of a challenge", "Being paid")
    PAID = "paid", "green", pgettext_lazy("payout of a challenge", "Paid")
    REJECTED = "rejected", "red", pgettext_lazy("payout of a challenge", "Not approved")
    FAILED = "failed", "red", pgettext_lazy("payout of a challenge", "Failed")


PAYOUT_TRANSITIONS: dict[str, set[str]] = {
    PayoutState.REQUESTED: {PayoutState.SENDING, PayoutState.REJECTED},
    # Paid only once the platform has confirmed that the profit left the trading account.
    PayoutState.SENDING: {PayoutState.PAID, PayoutState.FAILED},
    PayoutState.PAID: set(),
    # Reviewed again after an upheld appeal.
    PayoutState.REJECTED: {PayoutState.REQUESTED},
    PayoutState.FAILED: set(),
}


class ShownAs(models.TextChoices):
    """Under which name a trader agreed to be on the leaderboard."""

    NICKNAME = "nickname", _("By nickname")
    NAME = "name", _("By full name, as on certificates")


class BoardPeriod(models.TextChoices):
    """Which days a leaderboard counts."""

    MONTH = "month", _("This month")
    ALL = "all", pgettext_lazy("days of a leaderboard", "All time")


class GrowthState(BadgeChoices):
    """How far a step of scaling is."""

    PROPOSED = "proposed", "orange", pgettext_lazy("scaling of a challenge", "Pending review")
    SENDING = "sending", "blue", pgettext_lazy("scaling of a challenge", "Being booked")
    BOOKED = "booked", "green", pgettext_lazy("scaling of a challenge", "Booked")
    REJECTED = "rejected", "red", pgettext_lazy("scaling of a challenge", "Not approved")
    FAILED = "failed", "red", pgettext_lazy("scaling of a challenge", "Failed")


GROWTH_TRANSITIONS: dict[str, set[str]] = {
    GrowthState.PROPOSED: {GrowthState.SENDING, GrowthState.REJECTED},
    # The account has its new size only once the platform has confirmed the deposit.
    GrowthState.SENDING: {GrowthState.BOOKED, GrowthState.FAILED},
    GrowthState.BOOKED: set(),
    GrowthState.REJECTED: set(),
    GrowthState.FAILED: set(),
}


class MergeState(BadgeChoices):
    """How far a merge of two funded accounts is."""

    REQUESTED = "requested", "orange", pgettext_lazy("merge of accounts", "Pending review")
    CLOSING = "closing", "blue", pgettext_lazy("merge of accounts", "Closing account")
    SENDING = "sending", "blue", pgettext_lazy("merge of accounts", "Being booked")
    MERGED = "merged", "green", pgettext_lazy("merge of accounts", "Merged")
    REJECTED = "rejected", "red", pgettext_lazy("merge of accounts", "Not approved")
    FAILED = "failed", "red", pgettext_lazy("merge of accounts", "Failed")


MERGE_TRANSITIONS: dict[str, set[str]] = {
    MergeState.REQUESTED: {MergeState.CLOSING, MergeState.REJECTED},
    # The balance is raised only once trading on the closed account is off and its last trades were judged.
    MergeState.CLOSING: {MergeState.SENDING, MergeState.FAILED},
    MergeState.SENDING: {MergeState.MERGED, MergeState.FAILED},
    MergeState.MERGED: set(),
    MergeState.REJECTED: set(),
    MergeState.FAILED: set(),
}


class MergeProblem(models.TextChoices):
    """Why an approved merge came to nothing."""

    STOP = "stop", _("Trading on the account couldn’t be stopped within a day")
    CHANGED = "changed", _("One of the accounts changed before the merge was done")
    REFUSED = "refused", _("The platform refused the deposit")


class AppealState(BadgeChoices):
    """How an appeal of a trader ends."""

    OPEN = "open", "orange", pgettext_lazy("appeal", "Pending review")
    UPHELD = "upheld", "green", pgettext_lazy("appeal", "Upheld")
    DISMISSED = "dismissed", "secondary", pgettext_lazy("appeal", "Dismissed")


APPEAL_TRANSITIONS: dict[str, set[str]] = {
    AppealState.OPEN: {AppealState.UPHELD, AppealState.DISMISSED},
    AppealState.UPHELD: set(),
    AppealState.DISMISSED: set(),
}


class PropNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    PAYOUT_NEWS = (
        "prop.payout_news",
        _("Payouts of your challenges"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    ACCOUNT_GREW = (
        "prop.account_grew",
        _("Scaling of your funded accounts"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    MERGE_NEWS = (
        "prop.merge_news",
        _("Merges of your funded accounts"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    APPEAL_DECIDED = (
        "prop.appeal_decided",
        _("Decisions on your appeals"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    CHALLENGE_PAUSED = (
        "prop.challenge_paused",
        _("Pauses of your challenges"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    CHALLENGE_ENDED = (
        "prop.challenge_ended",
        _("Challenges of yours that were ended"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    VERDICT_CORRECTED = (
        "prop.verdict_corrected",
        _("Corrections of your challenges"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CORRECTION_FOUND = (
        "prop.correction_found",
        _("Challenges that are judged differently after their deals changed"),
        NoticeGroup.TRADING,
        staff("prop.decide_challenge"),
        EmailChannel.AT_ONCE,
    )
    FEE_CHARGED_BACK = (
        "prop.fee_charged_back",
        _("Challenges whose fee was charged back"),
        NoticeGroup.TRADING,
        staff("prop.decide_challenge"),
        EmailChannel.AT_ONCE,
    )
    APPEAL_FILED = (
        "prop.appeal_filed",
        _("Appeals of traders"),
        NoticeGroup.TRADING,
        staff("prop.decide_appeal"),
        EmailChannel.OFF,
    )
    FUNDING_FAILED = (
        "prop.funding_failed",
        _("Challenge accounts that couldn't be funded"),
        NoticeGroup.TRADING,
        staff("prop.decide_challenge"),
        EmailChannel.AT_ONCE,
    )
    PAYOUT_FAILED = (
        "prop.payout_failed",
        _("Challenge payouts that failed"),
        NoticeGroup.TRADING,
        staff("prop.pay_challenge"),
        EmailChannel.AT_ONCE,
    )

    PUBLICATION_PROPOSED = (
        "prop.publication_proposed",
        _("Challenge programmes awaiting second approval"),
        NoticeGroup.TRADING,
        staff("prop.publish_programme"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
