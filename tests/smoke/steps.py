"""The journey's steps, in order."""

from __future__ import annotations

from collections.abc import Callable

from tests.smoke import arrival, money
from tests.smoke.journey import Journey

STEPS: list[tuple[str, Callable[[Journey], str | None]]] = [
    ("A lead from the German landing page reaches a German-speaking agent", arrival.lead_arrives),
    ("The agent reveals the number, logs a call, follows up", arrival.agent_works_the_lead),
    ("The trader registers and sends a passport and a bill", arrival.trader_registers),
    ("A deposit of EUR 500 is booked once", money.client_deposits),
    ("A withdrawal of EUR 200 needs two pairs of eyes", money.finance_pays_out),
]
