"""Due steps of an automation among all leads, each an e-mail with its timeline entry; beside bare INSERTs of as many."""

from __future__ import annotations

from bench.automations import bare_rows, enter_all, live, round_the_clock, seconds, sweep_steps
from bench.harness import Figure, analyze, at_most, say
from clients.models import Client, Message
from crm.models import Brand
from leads.models import AutomationRun

STEPS = {"tiny": 200, "quick": 10_000, "full": 100_000}
SECONDS_MAX = 60


def measure(brand: Brand, size: str) -> list[Figure]:
    """Let leads in, then do all that is due."""
    count = STEPS[size]
    round_the_clock(brand)
    bare = seconds(lambda: bare_rows(count))
    automation = live(brand, "E-mails", {"action": "email", "options": {"template": "clients.learn_welcome_1"}})
    ids = list(
        Client.objects.filter(brand=brand, stage="lead").exclude(email="").order_by("pk").values_list("pk", flat=True)
    )
    say(f"{count:,} leads enter an automation")
    entering = seconds(lambda: enter_all(automation, ids[:count]))
    analyze()
    spent = seconds(sweep_steps)
    wrong = abs(count - Message.objects.count()) + AutomationRun.objects.filter(state="active").count()
    return [
        Figure(f"{count:,} leads enter an automation", entering, "s", bare, "bare INSERTs"),
        at_most(Figure(f"{count:,} due steps that write an e-mail", spent, "s", bare, "bare INSERTs"), SECONDS_MAX),
        at_most(Figure("steps lost or done twice", wrong, "steps"), 0),
    ]
