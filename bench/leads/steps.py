"""One e-mail to many, and due steps of an automation among all leads, each an e-mail; beside bare INSERTs of as many rows."""

from __future__ import annotations

from bench.automations import bare_rows, enter_all, live, round_the_clock, seconds, sweep_steps
from bench.harness import Figure, analyze, at_most, say
from clients.models import Client, Message
from clients.texts.to_many import send_letters
from crm.models import Brand
from leads.models import AutomationRun

LETTERS = {"tiny": 100, "quick": 2_000, "full": 10_000}
LETTERS_AT_ONCE = 500
STEPS = {"tiny": 200, "quick": 10_000, "full": 100_000}
SECONDS_MAX = 60


def measure(brand: Brand, size: str) -> list[Figure]:
    """Let leads in, then do all that is due."""
    count = STEPS[size]
    round_the_clock(brand)
    bare = seconds(lambda: bare_rows(count))
    letters = LETTERS[size]
    people = list(Client.objects.filter(brand=brand, stage="lead").exclude(email="").order_by("-pk")[:letters])
    for client in people:
        client.brand = brand
    written = seconds(lambda: _write(people))
    automation = live(brand, "E-mails", {"action": "email", "options": {"template": "clients.learn_welcome_1"}})
    ids = list(
        Client.objects.filter(brand=brand, stage="lead").exclude(email="").order_by("pk").values_list("pk", flat=True)
    )
    say(f"{count:,} leads enter an automation")
    entering = seconds(lambda: enter_all(automation, ids[:count]))
    analyze()
    spent = seconds(sweep_steps)
    wrong = abs(count + letters - Message.objects.count()) + AutomationRun.objects.filter(state="active").count()
    return [
        Figure(f"one e-mail to {letters:,} people, each with their own values", written, "s"),
        Figure(f"{count:,} leads enter an automation", entering, "s", bare, "bare INSERTs"),
        at_most(Figure(f"{count:,} due steps that write an e-mail", spent, "s", bare, "bare INSERTs"), SECONDS_MAX),
        at_most(Figure("steps lost or done twice", wrong, "steps"), 0),
    ]


def _write(people: list[Client]) -> None:
    for first in range(0, len(people), LETTERS_AT_ONCE):
        some = people[first : first + LETTERS_AT_ONCE]
        send_letters(template="clients.learn_welcome_1", recipients=[(client, f"bench:{client.pk}") for client in some])
