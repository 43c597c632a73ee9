"""What the legs of a call say about the call: the same whatever the order in which they were reported.

The outcome is that of the other side's leg. Where only the first leg is known to have ended well, nobody knows whether the other
side was reached: then the call is looked up at the exchange.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from clients.models import PhoneCall, PhoneLeg
from clients.telephony.choices import LegEnd, PhoneState
from clients.telephony.protocol import LegReport, Step

COLUMNS = {
    Step.STARTED: "started_at",
    Step.RINGING: "ringing_at",
    Step.ANSWERED: "answered_at",
    Step.HELD: "held_at",
    Step.RESUMED: "resumed_at",
    Step.ENDED: "ended_at",
}
LATEST = (Step.HELD, Step.RESUMED)


def note_report(leg: PhoneLeg, report: LegReport) -> bool:
    """Write a report down on its leg: the earliest time of a step, the latest of a hold. Tells whether anything is new."""
    column, before = COLUMNS[report.step], getattr(leg, COLUMNS[report.step])
    pick = max if report.step in LATEST else min
    at = report.at if before is None else pick(before, report.at)
    is_new: bool = at != before
    setattr(leg, column, at)
    if report.step == Step.ENDED:
        if report.end is not None and not leg.end:
            leg.end, is_new = report.end, True
        if report.seconds is not None and leg.seconds is None:
            leg.seconds, is_new = report.seconds, True
    return is_new


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a call. state: None where the legs say nothing yet. must_look_up: it ended, and how isn't known."""

    state: PhoneState | None
    end: str = ""
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    seconds: int = 0
    was_dialled: bool = False
    must_look_up: bool = False


def standing_of(call: PhoneCall, legs: Sequence[PhoneLeg], *, is_whole: bool = False) -> Standing:
    """Derive a call's standing from its legs. is_whole: the exchange was asked, so that a leg it doesn't name never was."""
    first = next((leg for leg in legs if leg.is_first), None)
    further = [leg for leg in legs if not leg.is_first]
    is_over = first is not None and first.ended_at is not None
    was_dialled = bool(further) or not call.is_outbound
    reached = [leg for leg in further if _began(leg) or leg.end == LegEnd.COMPLETED]
    if reached:
        return _connected(reached)
    if further and all(leg.ended_at for leg in further):
        ended_at, end = max(leg.ended_at for leg in further if leg.ended_at), further[-1].end
        if call.is_outbound or is_over:
            return Standing(_missed(call, end), end, ended_at=ended_at, was_dialled=True)
        return Standing(PhoneState.RINGING, was_dialled=True)  # the caller may be leaving a message
    if is_over:
        assert first is not None
        if first.end in ("", LegEnd.COMPLETED) and not call.has_voicemail and not is_whole:
            return Standing(None, was_dialled=was_dialled, must_look_up=True)
        return Standing(_missed(call, first.end), first.end, ended_at=first.ended_at, was_dialled=was_dialled)
    if further:
        return Standing(PhoneState.RINGING, was_dialled=True)
    if first is not None and first.ringing_at and not first.answered_at:
        return Standing(PhoneState.AGENT_RINGING if call.is_outbound else PhoneState.RINGING, was_dialled=was_dialled)
    return Standing(None, was_dialled=was_dialled)


def _connected(reached: Sequence[PhoneLeg]) -> Standing:
    began = [at for leg in reached if (at := _began(leg))]
    ended = [leg.ended_at for leg in reached if leg.ended_at]
    if len(ended) < len(reached):
        talking = [leg for leg in reached if not leg.ended_at]
        is_held = any(leg.held_at and (not leg.resumed_at or leg.held_at > leg.resumed_at) for leg in talking)
        return Standing(PhoneState.HELD if is_held else PhoneState.ANSWERED, "", min(began), None, 0, True)
    seconds = sum(_seconds(leg) for leg in reached)
    ended_at = max(ended)
    answered_at = min(began) if began else ended_at - dt.timedelta(seconds=seconds)
    return Standing(PhoneState.ENDED, LegEnd.COMPLETED, min(answered_at, ended_at), ended_at, seconds, True)


def _began(leg: PhoneLeg) -> dt.datetime | None:
    """Since when somebody is on a leg: who is put on hold has answered, though that may not be reported yet."""
    return min((at for at in (leg.answered_at, leg.held_at, leg.resumed_at) if at), default=None)


def _seconds(leg: PhoneLeg) -> int:
    if leg.seconds is not None:
        return leg.seconds
    return max(0, round((leg.ended_at - leg.answered_at).total_seconds())) if leg.answered_at and leg.ended_at else 0


def _missed(call: PhoneCall, end: str) -> PhoneState:
    if call.has_voicemail:
        return PhoneState.VOICEMAIL
    return PhoneState.FAILED if end == LegEnd.FAILED else PhoneState.MISSED
