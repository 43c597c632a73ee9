"""Kinds of abuse, how to handle them, and the states of an episode."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import NoticeGroup, NotificationKind, staff


class Abuse(models.TextChoices):
    """What a detector looks for."""

    LATENCY = "latency", _("Latency arbitrage")
    TOXIC = "toxic", _("Toxic flow")
    SCALPING = "scalping", _("Scalping below the minimum")
    HEDGE = "hedge", _("Opposite hedging across accounts")
    COPY = "copy", _("Copy cluster")
    BONUS = "bonus", _("Bonus abuse")
    SWAP = "swap", _("Swap abuse")
    GAP = "gap", _("Gap trading")
    NEWS = "news", _("News trading")
    SIZE = "size", _("Unusual trade size")
    LAUNDERING = "laundering", _("Deposit, little trading, withdrawal")
    MULTI = "multi", _("Several accounts of one person")


class Handling(models.TextChoices):
    """What is usually done about it. Nothing of this happens without a person."""

    MARKUP = "markup", _("Move the account to a group with wider spreads or slower execution")
    HEDGE_OUT = "hedge_out", _("Pass the client's flow on to the liquidity provider (A-book)")
    WARN = "warn", _("Warn the client in writing, citing the terms of business")
    VOID_BONUS = "void_bonus", _("Withdraw the bonus, and review withdrawals before they are paid")
    REVIEW_WITHDRAWALS = "review_withdrawals", _("Review withdrawals of all accounts involved before they are paid")
    REVIEW_SWAP = "review_swap", _("Review swap-free terms and margin over the weekend")
    REPORT_AML = "report_aml", _("Report to the AML officer")
    MERGE = "merge", _("Verify the identity again; keep one account and close the others")
    WATCH = "watch", pgettext_lazy("handling", "Watch; no action yet")


HANDLING: dict[Abuse, Handling] = {
    Abuse.LATENCY: Handling.MARKUP,
    Abuse.TOXIC: Handling.HEDGE_OUT,
    Abuse.SCALPING: Handling.WARN,
    Abuse.HEDGE: Handling.REVIEW_WITHDRAWALS,
    Abuse.COPY: Handling.HEDGE_OUT,
    Abuse.BONUS: Handling.VOID_BONUS,
    Abuse.SWAP: Handling.REVIEW_SWAP,
    Abuse.GAP: Handling.REVIEW_SWAP,
    Abuse.NEWS: Handling.MARKUP,
    Abuse.SIZE: Handling.WATCH,
    Abuse.LAUNDERING: Handling.REPORT_AML,
    Abuse.MULTI: Handling.MERGE,
}


class Measure(models.TextChoices):
    """What is done to a client of confirmed abuse, once a second person has approved it."""

    WITHDRAWALS = "withdrawals", _("Block withdrawals")
    BONUSES = "bonuses", _("Revoke all bonuses")
    TYPE = "type", _("Change the account type")


# Which measure carries out what was decided; the rest is done elsewhere: the execution book, a letter, the AML case, a merge.
MEASURES: dict[str, Measure] = {
    Handling.MARKUP: Measure.TYPE,
    Handling.VOID_BONUS: Measure.BONUSES,
    Handling.REVIEW_WITHDRAWALS: Measure.WITHDRAWALS,
    Handling.REVIEW_SWAP: Measure.TYPE,
}


class EpisodeState(BadgeChoices):
    OPEN = "open", "red", pgettext_lazy("abuse", "Open")
    CONFIRMED = "confirmed", "orange", _("Abuse confirmed")
    ALLOWED = "allowed", "teal", _("Within the terms")
    NOT_ABUSE = "not_abuse", "secondary", _("Not abuse")


EPISODE_TRANSITIONS: dict[str, set[str]] = {
    EpisodeState.OPEN: {EpisodeState.CONFIRMED, EpisodeState.ALLOWED, EpisodeState.NOT_ABUSE},
    EpisodeState.CONFIRMED: set(),
    EpisodeState.ALLOWED: set(),
    EpisodeState.NOT_ABUSE: set(),
}


class Lost(models.TextChoices):
    """Why the evidence of an episode no longer holds."""

    DELETED = "deleted", _("Evidence deals were deleted on the platform.")
    EDITED = "edited", _("Evidence deals were changed on the platform after they were judged.")
    MERGED = "merged", _("The clients involved were merged: they are one person's record now.")
    ERASED = "erased", _("The client's data was erased; what the accounts share can't be checked any more.")


class RiskNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    ABUSE = (
        "risk.abuse",
        _("Suspected abuse by traders"),
        NoticeGroup.COMPLIANCE,
        staff("risk.decide_abuseepisode"),
        EmailChannel.DAILY,
    )
    MEASURE_PROPOSED = (
        "risk.measure_proposed",
        _("Measures against abuse awaiting a second approval"),
        NoticeGroup.COMPLIANCE,
        staff("risk.decide_abuseepisode"),
        EmailChannel.DAILY,
    )
    ROUTING_PROPOSED = (
        "risk.routing_proposed",
        _("Execution books awaiting a second approval"),
        NoticeGroup.COMPLIANCE,
        staff("risk.decide_clientrouting"),
        EmailChannel.DAILY,
    )
    DAY_RESULT = (
        "risk.day_result",
        _("Clients’ result of the day above a step"),
        NoticeGroup.COMPLIANCE,
        staff("risk.view_dayresultalert"),
        EmailChannel.OFF,
    )
