"""A call's state follows from all reports about it, in whatever order they come and however often."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.choices import CallDirection
from clients.models import PhoneCall, PhoneLeg
from clients.telephony.choices import ENDS, PHONE_TRANSITIONS, LegEnd, PhoneState
from clients.telephony.legs import note_report, standing_of
from clients.telephony.protocol import LegReport, Step

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def _report(leg: str, step: Step, second: int, end: LegEnd | None = None, seconds: int | None = None) -> LegReport:
    parent = "" if leg == "first" else "first"
    return LegReport(leg, step, NOW + dt.timedelta(seconds=second), parent, end, seconds)


ANSWERED = [
    _report("first", Step.RINGING, 0),
    _report("first", Step.ANSWERED, 3),
    _report("second", Step.RINGING, 4),
    _report("second", Step.ANSWERED, 9),
    _report("second", Step.HELD, 20),
    _report("second", Step.RESUMED, 30),
    _report("second", Step.ENDED, 70, LegEnd.COMPLETED, 61),
    _report("first", Step.ENDED, 71, LegEnd.COMPLETED, 68),
]
BUSY = [*ANSWERED[:3], _report("second", Step.ENDED, 9, LegEnd.BUSY), ANSWERED[-1]]
NOT_PICKED_UP = [ANSWERED[0], _report("first", Step.ENDED, 30, LegEnd.NO_ANSWER)]
MISSED = [
    _report("first", Step.RINGING, 0),
    _report("second", Step.RINGING, 1),
    _report("second", Step.ENDED, 30, LegEnd.NO_ANSWER),
    _report("first", Step.ENDED, 31, LegEnd.COMPLETED),
]
STORIES = [
    (CallDirection.OUTBOUND, ANSWERED, PhoneState.ENDED, 61),
    (CallDirection.OUTBOUND, BUSY, PhoneState.MISSED, 0),
    (CallDirection.OUTBOUND, NOT_PICKED_UP, PhoneState.MISSED, 0),
    (CallDirection.INBOUND, ANSWERED, PhoneState.ENDED, 61),
    (CallDirection.INBOUND, MISSED, PhoneState.MISSED, 0),
]


def _play(direction: str, reports: list[LegReport]) -> tuple[list[PhoneState], int]:
    """The states that a call goes through, and its seconds."""
    call = PhoneCall(direction=direction, state=PhoneState.SENT if direction == "outbound" else PhoneState.RINGING)
    legs: dict[str, PhoneLeg] = {}
    states, seconds = [], 0
    for report in reports:
        leg = legs.setdefault(report.leg_id, PhoneLeg(leg_id=report.leg_id, is_first=not report.parent_id))
        note_report(leg, report)
        standing = standing_of(call, list(legs.values()))
        if standing.state is not None and standing.state != call.state:
            call.move_to(standing.state)  # a step that the table lacks is an error
            states.append(PhoneState(call.state))
        seconds = standing.seconds
    return states, seconds


@given(st.sampled_from(STORIES), st.randoms(use_true_random=False))
def test_any_order_and_any_repeats_end_the_same(story, rng):
    direction, reports, state, seconds = story
    repeated = [*reports, *rng.choices(reports, k=4)]
    rng.shuffle(repeated)
    states, counted = _play(direction, repeated)
    assert (states[-1], counted) == (state, seconds)


@pytest.mark.parametrize(("direction", "reports", "state", "seconds"), STORIES)
def test_each_story_in_its_order(direction, reports, state, seconds):
    states, counted = _play(direction, reports)
    assert (states[-1], counted) == (state, seconds)
    assert not set(states[:-1]) & ENDS


def test_hold_is_seen_and_left():
    assert _play("outbound", ANSWERED)[0] == ["agent_ringing", "ringing", "answered", "held", "answered", "ended"]


def test_an_end_of_the_first_leg_alone_says_nothing():
    """Whether the client was reached is looked up, not guessed."""
    leg = PhoneLeg(leg_id="first", is_first=True)
    for report in (ANSWERED[0], ANSWERED[1], ANSWERED[-1]):
        note_report(leg, report)
    call = PhoneCall(direction="outbound", state=PhoneState.AGENT_RINGING)
    standing = standing_of(call, [leg])
    assert standing.state is None and standing.must_look_up
    assert standing_of(call, [leg], is_whole=True).state == PhoneState.MISSED


def test_a_voicemail_is_one_whenever_it_is_reported():
    legs = [PhoneLeg(leg_id="first", is_first=True), PhoneLeg(leg_id="second", is_first=False)]
    for report in MISSED:
        note_report(legs[report.leg_id == "second"], report)
    call = PhoneCall(direction="inbound", state=PhoneState.MISSED, has_voicemail=True)
    assert standing_of(call, legs).state == PhoneState.VOICEMAIL and call.can_move_to(PhoneState.VOICEMAIL)


def test_no_end_leads_back():
    assert {state for state in ENDS if PHONE_TRANSITIONS[state] - ENDS} == set()
