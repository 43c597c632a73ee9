"""The journey's steps, in order."""

from __future__ import annotations

from collections.abc import Callable

from tests.smoke import arrival, money, office, partners
from tests.smoke.journey import Journey

STEPS: list[tuple[str, Callable[[Journey], str | None]]] = [
    ("The demo's three sides agree: platforms, PSPs and ledger", office.three_sides_agree),
    ("A lead from the German landing page reaches a German-speaking agent", arrival.lead_arrives),
    ("The agent calls, writes it down and sends a registration link", arrival.agent_works_the_lead),
    ("The trader registers and sends a passport and a bill", arrival.trader_registers),
    ("Compliance approves; screening, MT5 account and welcome follow", office.officer_approves),
    ("EUR 500 come in through the PSP, once, and go to MT5, once", money.client_deposits),
    ("The MT5 server trades; the profile shows it", money.client_trades),
    ("EUR 200 are withdrawn: checks, four eyes, PSP, ledger", money.finance_pays_out),
    ("Month-end: report matched, statement, and a trail that verifies", office.month_ends),
    ("A desk head reviews the alert about 150 opened records", office.desk_head_decides),
    ("Both partners earn from the trade, explained and settled", partners.both_earn),
    ("Ledger, audit log and facts prove themselves, and name a changed row", office.books_prove_themselves),
]
