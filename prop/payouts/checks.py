"""What a payout is checked for: shown to its trader before the request, and to those who review it with the findings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.money.amounts import to_minor
from kyc.levels.ladder import allowance_of
from prop.challenges.pending import Pending, pending_of
from prop.choices import ChallengeState, StageState
from prop.models import ChallengePayout, PhaseAccount
from prop.payouts.terms import next_payout_on, profit_of, server_day, state_of
from prop.policies import NO_CHALLENGES
from prop.programmes.styles import findings_on, forbidden_text
from prop.sentences import percent


@dataclass(frozen=True, slots=True)
class PayoutCheck:
    """One check. is_binding: nothing is paid while it fails; else it is for the reviewer to judge."""

    label: str
    is_passed: bool
    text: str
    is_binding: bool = True


def checks_of(
    row: PhaseAccount,
    payout: ChallengePayout | None = None,
    *,
    pending: Pending | None = None,
    next_on: dt.date | None = None,
) -> list[PayoutCheck]:
    """Check an account for a payout: a new one, or `payout`, which was requested before.

    pending, next_on: what is under way on it and when the next payout is possible, where they were read already.
    """
    pending = pending or pending_of([row.pk])[row.pk]
    day = next_on or next_payout_on(row, but=payout.pk if payout else None)
    checks = [_rules(row, pending), _positions(row, pending), _profit(row, payout), _schedule(row, payout, day)]
    return [*checks, *_objectives(row), _client(row)]


def review_checks(payout: ChallengePayout) -> list[PayoutCheck]:
    """Check a requested payout for its review, with what was found about the style of trading."""
    return [*checks_of(payout.phase_account, payout), _style(payout.phase_account)]


def phase_checks(row: PhaseAccount, pending: Pending) -> list[PayoutCheck]:
    """Check a reached target for its review: the rules as judged, the style of trading, and whether payouts will be possible.

    An unverified client goes on; who is paid has to be verified.
    """
    problem = _("This challenge is paused because its payment was reversed.") if row.challenge.paused_at else ""
    if pending.has_correction:
        problem = _("This account is being judged again. Wait for the decision on it first.")
    rules = PayoutCheck(_("Rules"), not problem, problem or _("No rule was breached."))
    return [rules, _style(row), replace(_client(row), is_binding=False)]


def _style(row: PhaseAccount) -> PayoutCheck:
    found = findings_on(row)
    forbidden = forbidden_text(row, found)
    others = [each.text for each in found if not forbidden or each.style not in row.phase.forbidden_styles]
    also = [_("Also found:")] if forbidden and others else []
    text = " ".join(filter(None, [forbidden, *also, *others])) or _("No findings.")
    return PayoutCheck(_("Trading style"), not found, text, is_binding=bool(forbidden))


def problem_of(checks: list[PayoutCheck]) -> str:
    """Return what stands in the way of a payout; empty where nothing does."""
    return next((check.text for check in checks if check.is_binding and not check.is_passed), "")


def _rules(row: PhaseAccount, pending: Pending) -> PayoutCheck:
    if row.challenge.paused_at is not None:
        return PayoutCheck(_("Rules"), False, _("This challenge is paused because its payment was reversed."))
    if pending.merge_id is not None:
        text = _("This account is being merged with another one. Wait until that is done.")
        return PayoutCheck(_("Rules"), False, text)
    if pending.has_correction:
        return PayoutCheck(
            _("Rules"), False, _("This account is being judged again. Wait for the decision on it first.")
        )
    holds = row.challenge.state == ChallengeState.FUNDED and row.state == StageState.RUNNING and row.phase.is_funded
    return PayoutCheck(
        _("Rules"), holds, _("No rule was breached.") if holds else _("Only a running funded account pays out.")
    )


def _positions(row: PhaseAccount, pending: Pending) -> PayoutCheck:
    state = state_of(row)
    is_open = pending.has_positions or bool(state and state.positions)
    text = _("Close all positions first.") if is_open else _("No position is open.")
    return PayoutCheck(_("Open positions"), not is_open, text)


def _profit(row: PhaseAccount, payout: ChallengePayout | None) -> PayoutCheck:
    profit, currency, minimum = profit_of(row), row.challenge.currency, row.challenge.version.payout_minimum
    shown = {"profit": formats.money(profit, currency)}
    if payout is not None:
        text = _("The closed profit is %(profit)s; the request was for %(requested)s.") % {
            **shown,
            "requested": formats.money(payout.profit, currency),
        }
        return PayoutCheck(_("Profit"), profit >= payout.profit, text)
    if profit <= 0:
        return PayoutCheck(_("Profit"), False, _("There is no closed profit since the last payout."))
    if profit < minimum:
        text = _("Payouts begin at a profit of %(amount)s.") % {"amount": formats.money(minimum, currency)}
        return PayoutCheck(_("Profit"), False, text)
    return PayoutCheck(_("Profit"), True, _("The closed profit is %(profit)s.") % shown)


def _schedule(row: PhaseAccount, payout: ChallengePayout | None, day: dt.date | None) -> PayoutCheck:
    if day is None:
        return PayoutCheck(_("Schedule"), False, _("The first payout is counted from your first trade."))
    at = payout.requested_on if payout else server_day(row, timezone.now())
    text = _("Payouts can be requested from %(day)s.") % {"day": formats.day(day)}
    return PayoutCheck(_("Schedule"), at >= day, text)


def _objectives(row: PhaseAccount) -> list[PayoutCheck]:
    """Check what the funded phase itself asks: traded days, and the best day's share of the profit."""
    phase, state, checks = row.phase, state_of(row), []
    if phase.min_days:
        text = ngettext("Trade on at least %(count)s day.", "Trade on at least %(count)s days.", phase.min_days)
        traded = state.days_traded if state else 0
        checks.append(
            PayoutCheck(_("Trading days"), traded >= phase.min_days, text % {"count": formats.number(phase.min_days)})
        )
    if phase.consistency is not None and state is not None:
        best = max(state.best_day, state.balance - state.day_balance)
        profit = to_minor(profit_of(row), row.challenge.currency)
        text = _("The best day may make up at most %(share)s of the profit.") % {"share": percent(phase.consistency)}
        checks.append(PayoutCheck(_("Consistency"), best * 100 <= phase.consistency * profit, text))
    return checks


def _client(row: PhaseAccount) -> PayoutCheck:
    client = row.challenge.client
    if not allowance_of(client).withdraws:
        return PayoutCheck(_("Client"), False, _("Identity isn't verified yet. Please upload the requested documents."))
    if client.stage == "closed" or NO_CHALLENGES & set(client.restrictions):
        return PayoutCheck(_("Client"), False, _("Payouts are not available at the moment. Please contact support."))
    return PayoutCheck(
        _("Client"), True, _("Verified to level %(level)s.") % {"level": formats.number(client.kyc_level)}
    )
