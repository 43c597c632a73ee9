"""Risk's part of the demo: flags and cases as the night's run finds them; each retention agent has decided a few."""

from __future__ import annotations

from itertools import cycle

from django.db import transaction
from django.db.models import Q

from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand
from risk.abuse.loading import WINDOW
from risk.abuse.scoring import score_accounts
from risk.retention import cases
from risk.retention.choices import CaseState
from risk.retention.deciding import decide_retention
from risk.retention.kind import RETENTION
from trading.models import TradingAccount

DECIDED = 3  # by each agent
OUTCOMES = [
    (CaseState.REACHED, "Was on holiday until last week; trades again from Monday.", True),
    (CaseState.HELPED, "Went through the last losing trades together; booked the webinar on risk.", True),
    (CaseState.CONTENT, "Pauses on purpose after a good month. Nothing is wrong.", False),
    (CaseState.LOST, "Has moved to another broker because of the spreads on gold.", True),
]


def load(demo: Demo) -> None:
    """Nothing yet: flags need all trades and payments, which `finish` finds."""


@transaction.atomic
def find_abuse(demo: Demo) -> None:
    """Judge the accounts that traded lately, as the worker does when their deals come; it finds the same again and adds nothing."""
    for brand in Brand.objects.filter(pk__in=[brand.pk for brand in demo.brands]).order_by("pk"):
        accounts = TradingAccount.objects.filter(
            Q(is_demo=False) | Q(challenge_phase__isnull=False),
            client__brand=brand,
            last_trade_at__gte=demo.now - WINDOW,
        )
        score_accounts(brand, list(accounts.order_by("pk").values_list("pk", flat=True)), now=demo.now)


def finish(demo: Demo) -> None:
    """Judge all clients, then decide the heaviest cases of each agent."""
    if not demo.brands:
        return
    find_abuse(demo)
    demo.progress("Clients who may leave", 0, 1)
    cases.judge_all()
    outcomes = cycle(OUTCOMES)
    for agent in demo.by_role.get(Role.RETENTION.value, []):
        mine = RETENTION.visible_to(agent).filter(state=CaseState.OPEN).order_by("-weight", "pk")
        for case_id in mine.values_list("pk", flat=True)[:DECIDED]:
            outcome, reason, was_useful = next(outcomes)
            decide_retention(case_id=case_id, actor=agent, outcome=outcome, reason=reason, was_useful=was_useful)
    demo.progress("Clients who may leave", 1, 1)
