"""What a correction does once two people approved it: the breach or the reached target is taken back or placed."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import work
from prop.challenges.reviews import ask_for_review
from prop.choices import AppealState, ChallengeState, PauseState, StageState
from prop.judge.again import Rejudgement
from prop.judge.days import to_msc
from prop.judge.judging import Judge
from prop.judge.kept import Keeper, Minute
from prop.judge.live import as_read, count_deals, place_breach, rules_of, save_judged
from prop.judge.state import Verdict, VerdictKind
from prop.judge.storing import keep_closed_day, keep_today
from prop.models import Breach, JudgementCorrection, PhaseAccount
from trading.accounts.changes import allow_trading_again
from trading.choices import AccountState


def problem_of(correction: JudgementCorrection) -> str:
    """Return why a correction can't be carried out; empty where nothing stands against it."""
    row = correction.phase_account
    challenge = row.challenge
    if row.state == StageState.PASSED or challenge.accounts.filter(pk__gt=row.pk).exists():
        return _("The challenge goes on on another account already, so this verdict stays.")
    if challenge.pauses.filter(state=PauseState.ENDED).exists():
        return _("The challenge was ended because its payment was reversed, so this verdict stays.")
    if row.appeals.filter(payout=None, state=AppealState.OPEN).exists():
        return _("Decide on the trader’s appeal first.")
    if correction.now is None and row.account.state != AccountState.OPEN:
        return _("The account isn’t open on the platform any more, so trading can’t go on.")
    return ""


def go_on_from(row: PhaseAccount, again: Rejudgement) -> None:
    """Let a locked account go on from the state that judging it again gave, with the figures of its days; the caller saves it."""
    if again.state.at != row.judged["state"]["at"]:
        return
    row.judged["state"] = again.state.to_json()
    row.quiet_balance = None  # its next sample is judged, whatever it says
    _keep_days(row, again)


def _keep_days(row: PhaseAccount, again: Rejudgement) -> None:
    for verdict in again.verdicts:
        if verdict.kind == VerdictKind.DAY:
            keep_closed_day(row, verdict, None)
    keep_today(row, again.state, None)


def carry_out(correction: JudgementCorrection, again: Rejudgement) -> None:
    """Take back what was decided of a locked account, and decide it as judged again."""
    row, now = correction.phase_account, again.now
    correction.breach = _take_back(row, again.was)
    ended_at = row.ended_at
    if again.was is not None:
        _run_again(row)
    _keep_days(row, again)
    if now is not None:
        _decide(row, now)
    elif ended_at is not None:
        _count_idle_days(row, to_msc(ended_at))
        allow_trading_again(account_id=row.account_id)
    kept = row.judged.get("minute")
    keeper = Keeper(Minute.from_json(kept) if kept else None)
    known = {"waiting": row.judged.get("waiting", []), "deals": count_deals(row, again.state.at)}
    save_judged(row, again.state, [now] if now else [], keeper, known)


def _take_back(row: PhaseAccount, was: Verdict | None) -> Breach | None:
    if was is None:
        return None
    if was.kind == VerdictKind.PASSED:
        work.close_items([row.work_id])
        return None
    breach = Breach.objects.get(phase_account=row)
    breach.phase_account = None
    breach.save(update_fields=["phase_account"])
    return breach


def _run_again(row: PhaseAccount) -> None:
    challenge = row.challenge
    row.move_to(StageState.RUNNING)
    row.ended_at = None
    challenge.move_to(ChallengeState.FUNDED if row.phase.is_funded else ChallengeState.ACTIVE)
    challenge.ended_at = None
    challenge.save(update_fields=["state", "ended_at"])


def _decide(row: PhaseAccount, verdict: Verdict) -> None:
    if verdict.kind == VerdictKind.BREACH:
        place_breach(row, verdict)
    else:
        ask_for_review(row, now=timezone.now(), evidence=as_read(verdict, row.challenge.currency))


def _count_idle_days(row: PhaseAccount, ended_at: int) -> None:
    """Leave out the days on which the account couldn't be traded: maximum days and inactivity don't count them."""
    days = Judge(rules_of(row)).days
    row.idle_days += days.day(to_msc(timezone.now())) - days.day(ended_at)
    row.save(update_fields=["idle_days"])
