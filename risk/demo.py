"""Risk's part of the demo: flags and cases as the night's run finds them; each retention agent has decided a few."""

from __future__ import annotations

from itertools import cycle

from crm.choices import Role
from crm.demo import Demo
from risk.retention import cases
from risk.retention.choices import CaseState
from risk.retention.deciding import decide_retention
from risk.retention.kind import RETENTION

DECIDED = 3  # by each agent
OUTCOMES = [
    (CaseState.REACHED, "Was on holiday until last week; trades again from Monday.", True),
    (CaseState.HELPED, "Went through the last losing trades together; booked the webinar on risk.", True),
    (CaseState.CONTENT, "Pauses on purpose after a good month. Nothing is wrong.", False),
    (CaseState.LOST, "Has moved to another broker because of the spreads on gold.", True),
]


def load(demo: Demo) -> None:
    """Nothing yet: flags need all trades and payments, which `finish` finds."""


def finish(demo: Demo) -> None:
    """Judge all clients, then decide the heaviest cases of each agent."""
    if not demo.brands:
        return
    demo.progress("Clients who may leave", 0, 1)
    cases.judge_all()
    outcomes = cycle(OUTCOMES)
    for agent in demo.by_role.get(Role.RETENTION.value, []):
        mine = RETENTION.visible_to(agent).filter(state=CaseState.OPEN).order_by("-weight", "pk")
        for case_id in mine.values_list("pk", flat=True)[:DECIDED]:
            outcome, reason, was_useful = next(outcomes)
            decide_retention(case_id=case_id, actor=agent, outcome=outcome, reason=reason, was_useful=was_useful)
    demo.progress("Clients who may leave", 1, 1)
