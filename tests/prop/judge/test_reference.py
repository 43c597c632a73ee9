"""Every rule against a slow, obvious reference, over random paths with days of 23 and 25 hours."""

import datetime as dt
import json

from hypothesis import given, settings

from prop.judge.judging import Judge
from prop.judge.state import State, VerdictKind
from tests.examples import examples
from tests.prop.judge.reference import decision
from tests.prop.judge.worlds import worlds

DECISIVE = (VerdictKind.BREACH, VerdictKind.PASSED)
LOSSES = ("maximum_loss", "daily_loss")


@settings(max_examples=examples(60), deadline=None)
@given(worlds())
def test_breach_pass_and_warnings_are_the_references(world):
    rules, start_at, inputs, news = world
    judge = Judge(rules, news)
    verdicts = judge.judge(judge.start(start_at), inputs)
    found = [(v.kind, v.rule, v.at, v.value, v.threshold) for v in verdicts if v.kind in DECISIVE]
    warned = {
        (v.rule, dt.date.fromordinal(v.day)): v.at
        for v in verdicts
        if v.kind == VerdictKind.WARNING and v.rule in LOSSES
    }
    expected, warnings = decision(rules, start_at, inputs, news)
    assert found == ([expected] if expected else [])
    assert warned == warnings


@settings(max_examples=40, deadline=None)
@given(worlds(40))
def test_a_state_saved_at_any_step_goes_on_alike(world):
    rules, start_at, inputs, news = world
    judge = Judge(rules, news)
    straight = judge.judge(judge.start(start_at), inputs)
    text, resumed = json.dumps(judge.start(start_at).to_json()), []
    for each in inputs:  # another process every time
        state = State.from_json(json.loads(text))
        resumed += Judge(rules, news).step(state, each)
        text = json.dumps(state.to_json())
    assert resumed == straight
    assert [type(v).from_json(json.loads(json.dumps(v.to_json()))) for v in straight] == straight
