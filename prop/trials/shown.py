"""A kept what-if as its page shows it, in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm.i18n import formats
from prop.choices import MaxLoss, Rule
from prop.models import ProgrammeTrial
from prop.trials.challenges import Money, Outcome
from prop.trials.reasons import Reason

AMOUNTS = (Rule.DAILY_LOSS, Rule.MAX_LOSS)


@dataclass(frozen=True, slots=True)
class PhaseEnds:
    """How the accounts of a phase ended: label, number as it was, number as it would have been."""

    name: str
    rows: list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class TriedLine:
    """A challenge with a different outcome."""

    challenge: int
    programme: str
    size: Decimal
    phase: str
    was: str
    now: str
    reason: str
    is_open: bool
    difference: Decimal


def money_of(kept: ProgrammeTrial) -> tuple[Money, Money]:
    """Return what the challenges brought and cost, as it was and as it would have been."""
    return Money.from_json(kept.figures["before"]), Money.from_json(kept.figures["after"])


def pass_rates(kept: ProgrammeTrial) -> tuple[int | None, int | None]:
    """Return the percentage of evaluation accounts that ended and had reached their target: as it was, as it would have been."""
    was, now = (_rate(kept, side) for side in ("was", "now"))
    return was, now


def _rate(kept: ProgrammeTrial, side: str) -> int | None:
    passed = lost = 0
    for phase in kept.figures["phases"]:
        if not phase["is_funded"]:
            passed += phase[side].get(Outcome.PASSED, 0)
            lost += sum(number for end, number in phase[side].items() if end.startswith(Outcome.LOST))
    return round(100 * passed / (passed + lost)) if passed + lost else None


def phases_of(kept: ProgrammeTrial) -> list[PhaseEnds]:
    """List the phases with how their accounts ended; each kind of end once."""
    return [
        PhaseEnds(
            _phase(phase),
            [
                (_end(*_parts(end)), phase["was"].get(end, 0), phase["now"].get(end, 0))
                for end in sorted(phase["was"].keys() | phase["now"].keys(), key=_order)
            ],
        )
        for phase in kept.figures["phases"]
    ]


def not_tried(kept: ProgrammeTrial) -> list[tuple[str, int]]:
    """List why challenges couldn't be judged, and how many."""
    return [(str(Reason(code).label), number) for code, number in sorted(kept.figures["not_tried"].items())]


def lines_of(kept: ProgrammeTrial) -> list[TriedLine]:
    """List the kept challenges with a different outcome, with the reason."""
    return [
        TriedLine(
            challenge=line["challenge"],
            programme=line["programme"],
            size=Decimal(line["size"]),
            phase=_phase({"is_funded": line["is_funded"], "number": line["phase"]}),
            was=_end(line["was"], line["was_rule"]),
            now=_end(line["now"], line["now_rule"]),
            reason=_reason(line, kept.version.currency),
            is_open=line["is_open"],
            difference=Decimal(line["after"]) - Decimal(line["before"]),
        )
        for line in kept.lines
    ]


def limits_of(kept: ProgrammeTrial) -> list[str]:
    """Say what the figures don't tell."""
    figures, limits = kept.figures, []
    if figures["open"]:
        limits.append(
            ngettext(
                "Of %(count)s challenge it isn’t known what would have come after; it isn’t in the figures.",
                "Of %(count)s challenges it isn’t known what would have come after; it isn’t in the figures.",
                figures["open"],
            )
            % {"count": formats.number(figures["open"])}
        )
    if figures["unseen"]:
        limits.append(
            ngettext(
                "%(count)s challenge wasn’t seen for more than an hour in all; nothing is concluded from those times.",
                "%(count)s challenges weren’t seen for more than an hour in all; nothing is concluded from those times.",
                figures["unseen"],
            )
            % {"count": formats.number(figures["unseen"])}
        )
    if any(phase.max_loss_kind == MaxLoss.TRAILING_EQUITY for phase in kept.version.phases.all()):
        limits.append(
            _(
                "Of a quiet minute only the first, lowest, highest and last equity are kept: a fall below a limit that trails "
                "the highest equity may be missed where it rose and fell within a minute."
            )
        )
    limits.append(
        _(
            "Traders are taken to have traded as they did, whatever the rules. Payouts count at the time they were requested; "
            "what the version pays only later is added to the next one."
        )
    )
    return limits


def _phase(phase: Mapping[str, Any]) -> str:
    return _("Funded account") if phase["is_funded"] else _("Phase %(number)s") % {"number": phase["number"]}


def _parts(end: str) -> tuple[str, str]:
    outcome, _colon, rule = end.partition(":")
    return outcome, rule


def _order(end: str) -> tuple[int, str]:
    outcome, rule = _parts(end)
    return list(Outcome).index(Outcome(outcome)), rule


def _end(outcome: str, rule: str) -> str:
    if outcome == Outcome.PASSED:
        return _("Target reached")
    if outcome == Outcome.RUNNING:
        return pgettext("phase of a challenge", "Running")
    return (
        _("Breached: %(rule)s") % {"rule": Rule(rule).label} if rule else pgettext("phase of a challenge", "Breached")
    )


def _reason(line: Mapping[str, Any], currency: str) -> str:
    """Say what decided it: when, the figure and the limit that it was compared with."""
    evidence = line["evidence"]
    if evidence is None:
        return _("No rule would have been breached and no target reached by its last kept sample.")
    amounts = line["now"] == Outcome.PASSED or line["now_rule"] in AMOUNTS
    value, limit = (
        formats.money(Decimal(evidence[name]), currency) if amounts else formats.number(Decimal(evidence[name]))
        for name in ("value", "threshold")
    )
    shown = {"at": formats.moment(dt.datetime.fromisoformat(evidence["occurred_at"])), "value": value, "limit": limit}
    if line["now"] == Outcome.PASSED:
        return _("On %(at)s the balance was %(value)s; the target is %(limit)s.") % shown
    return _("On %(at)s: %(value)s; the limit is %(limit)s.") % shown
