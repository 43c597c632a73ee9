"""The fast path over many accounts: its verdicts and states are the plain step's."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import prop
from prop.judge.fleet import Fleet
from prop.judge.inputs import Clock, Sample
from prop.judge.judging import Judge
from prop.judge.state import State, Status
from tests.prop.judge.worlds import make_world


def rounds(seeds, steps):
    """Several accounts on one clock: each round has a sample of every account, and perhaps something else of some before it."""
    made = [make_world(seed, steps) for seed in seeds]
    first = made[0]
    for number in range(min(len(inputs) for _rules, _at, inputs, _news in made)):
        at = first[2][number].at
        yield at, [inputs[number] for _rules, _at, inputs, _news in made]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=4), st.integers(5, 60))
def test_fleet_gives_the_plain_steps_verdicts_and_states(seeds, steps):
    worlds = [make_world(seed, steps) for seed in seeds]
    start = max(world[1] for world in worlds)
    judges = [Judge(rules, news) for rules, _at, _inputs, news in worlds]
    plain = [judge.start(start) for judge in judges]
    fleet = Fleet(judges, [judge.start(start) for judge in judges])
    shown = [Sample(start, 100_000, 100_000, 100_000) for _judge in judges]
    for at, inputs in rounds(seeds, steps):
        if at < start:
            continue
        expected, found = [], []
        for place, each in enumerate(inputs):
            if isinstance(each, Sample):
                shown[place] = replace(each, worst=each.equity if each.worst is None else each.worst)
            elif not isinstance(each, Clock):
                expected += [(place, v) for v in judges[place].step(plain[place], replace(each, at=at))]
                found += [(place, v) for v in fleet.step(place, replace(each, at=at))]
        for place, judge in enumerate(judges):
            expected += [(place, v) for v in judge.step(plain[place], replace(shown[place], at=at))]
        columns = [np.array([getattr(each, name) for each in shown]) for name in ("balance", "equity", "worst")]
        found += fleet.sample(at, *columns)
        assert sorted(found, key=by_account) == sorted(expected, key=by_account)
    for place, state in enumerate(plain):
        if state.status == Status.RUNNING:
            assert State.from_json(fleet.state(place).to_json()) == state


def by_account(pair):
    return pair[0]


def test_bench_judges_a_small_fleet_through_a_cut_off_and_a_restart():
    measured = {figure.name: figure for figure in prop.measure("tiny")}
    assert measured["verdicts that a restart changed"].value == 0
    assert measured["memory grown in the second half"].ok
