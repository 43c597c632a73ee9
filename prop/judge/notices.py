"""What traders and staff are notified of while a challenge is judged."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import EmailChannel
from crm.i18n.localized_text import phrase
from crm.money.amounts import Money, from_minor
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind
from crm.notices.notify import notify
from prop.choices import Rule
from prop.judge.rules import RuleCode
from prop.judge.state import Verdict, VerdictKind
from prop.models import PhaseAccount


class JudgeNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    LIMIT_NEAR = "prop.limit_near", _("Limits of your challenges"), NoticeGroup.CLIENTS, CLIENTS, EmailChannel.AT_ONCE
    TARGET_REACHED = (
        "prop.target_reached",
        _("Targets of your challenges that you reached"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    RULE_BREACHED = (
        "prop.rule_breached",
        _("Rules of your challenges that were breached"),
        NoticeGroup.CLIENTS,
        CLIENTS,
        EmailChannel.AT_ONCE,
        MANDATORY,
    )


TITLES = {
    RuleCode.DAILY_LOSS: phrase("80 percent of the daily loss of your challenge is used"),
    RuleCode.MAXIMUM_LOSS: phrase("80 percent of the maximum loss of your challenge is used"),
    RuleCode.MAXIMUM_DAYS: phrase("80 percent of the days of your challenge are over"),
    RuleCode.INACTIVITY: phrase("Your challenge needs a trade"),
}


KINDS = {VerdictKind.BREACH: JudgeNotice.RULE_BREACHED, VerdictKind.PASSED: JudgeNotice.TARGET_REACHED}


def notify_trader(row: PhaseAccount, verdict: Verdict, rule: Rule | None = None) -> None:
    """Notify the trader of a warning, a breach or a reached target, once for each."""
    user_id = row.challenge.client.user_id
    if user_id is None:
        return
    money = Money(from_minor(verdict.equity, row.challenge.currency), row.challenge.currency)
    if verdict.kind == VerdictKind.PASSED:
        title = phrase("You reached the target of your challenge. We review it now.")
    elif verdict.kind == VerdictKind.WARNING and verdict.rule in TITLES:
        title = TITLES[verdict.rule]
    else:
        title = phrase("A rule of your challenge was breached: %(rule)s") % {"rule": rule.label if rule else ""}
    notify(
        [user_id],
        kind=KINDS.get(verdict.kind, JudgeNotice.LIMIT_NEAR),
        title=title,
        body=phrase("Account %(login)s, equity %(equity)s") % {"login": row.account.login, "equity": money},
        url=f"/portal/challenges/{row.challenge_id}/",
        dedupe_key=f"prop.{verdict.kind}:{row.pk}:{verdict.rule}:{verdict.day}",
    )
