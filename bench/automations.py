"""`bench automations`: clients entered and their due steps done, beside a bare INSERT of as many rows.

Each step is real: an e-mail queued with its timeline entry, or a follow-up with its audit row, notification and reminder. The
yardstick inserts as many rows as there are steps, in batches of the same size, in a transaction each.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.db import connection, transaction
from guardian.shortcuts import assign_perm

from bench.harness import Figure, analyze, at_most, own_database, say
from clients.models import Client, Message, Task
from crm.choices import UserKind
from crm.due import sweep
from crm.due.kinds import BATCH, KINDS
from crm.models import Book, Brand, Desk, User
from crm.staff.policy_changes import write_value
from leads.automations import verbs
from leads.automations.definition import new_definition
from leads.automations.entering import STEP_DUE, Arrival, enter
from leads.brand_policies import AUTOMATION_HOUR_FROM, AUTOMATION_HOUR_UNTIL
from leads.models import Automation, AutomationRun, AutomationRunStep

SIZES = {"tiny": (1_000, 200), "quick": (100_000, 10_000), "full": (100_000, 100_000)}
SECONDS_MAX = 60
FOREVER = 3_600.0
CHUNK = 2_000
PEOPLE = """
INSERT INTO clients_client (brand_id, book_id, owner_id, stage, kind, first_name, last_name, email, phone, country, language,
  time_zone, nationality, address_line, city, postal_code, marketing_consent, sales_status, score, kyc_level, risk_rating,
  category, restrictions, net_deposits, source, campaign, created_at, registered_at)
SELECT %(brand)s, %(book)s, %(owner)s, 'registered', 'person', 'Clara', 'Weber ' || n, 'bench' || n || '@x.example', '', 'DE',
  'en', 'UTC', '', '', '', '', true, 'converted', 0, 0, 'unrated', 'retail', '{}', 0, '', '', now(), now()
FROM generate_series(1, %(count)s) n
"""
BARE = """
INSERT INTO bench_bare SELECT n, now(), 'done', '' FROM generate_series(1, %s) n
"""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(size: str) -> list[Figure]:
    with own_database("automations"):
        return measure(size)


def measure(size: str) -> list[Figure]:
    many, few = SIZES[size]
    brand = _people(many)
    bare = seconds(lambda: bare_rows(many))
    email = {"action": "email", "options": {"template": "clients.learn_welcome_1"}}
    task = {"action": "task", "options": {"text": "Call {{ first_name }}", "days": 2, "person": None}}
    letters, tasks = live(brand, "E-mails", email), live(brand, "Follow-ups", task)
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    say(f"{many:,} clients enter")
    entering = seconds(lambda: enter_all(letters, ids))
    analyze()
    say("e-mails")
    sent = seconds(sweep_steps)
    say("follow-ups")
    enter_all(tasks, ids[:few])
    added = seconds(sweep_steps)
    steps = AutomationRunStep.objects.filter(state="done").count()
    wrong = abs(many + few - steps) + abs(many - Message.objects.count()) + abs(few - Task.objects.count())
    open_runs = AutomationRun.objects.filter(state="active").count()
    return [
        Figure(f"{many:,} clients enter", entering, "s", bare, "bare INSERTs"),
        at_most(Figure(f"{many:,} due steps that write an e-mail", sent, "s", bare, "bare INSERTs"), SECONDS_MAX),
        Figure("one due step that adds a follow-up", added / few * 1000, "ms", bare / many * 1000, "a bare INSERT"),
        at_most(Figure("steps lost or done twice", wrong + open_runs, "steps"), 0),
    ]


def _people(count: int) -> Brand:
    say(f"{count:,} clients")
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    round_the_clock(brand)
    desk = Desk.objects.create(brand=brand, name="Desk")
    owner = User.objects.create(username="bench", kind=UserKind.STAFF, brand=brand, first_name="Alice")
    book = Book.objects.create(brand=brand, desk=desk, name="Book", owner=owner)
    assign_perm("crm.access_brand", owner, brand)
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"brand": brand.pk, "book": book.pk, "owner": owner.pk, "count": count})
    return brand


def round_the_clock(brand: Brand) -> None:
    """Let automations act at every hour."""
    for policy, hour in ((AUTOMATION_HOUR_FROM, 0), (AUTOMATION_HOUR_UNTIL, 24)):
        write_value(brand, policy, hour, dt.date(2000, 1, 1), actor=None, reason="Round the clock")


def live(brand: Brand, name: str, step: dict[str, object]) -> Automation:
    draft = {**new_definition(), "steps": [step]}
    row = verbs.create_automation(brand_id=brand.pk, name=name, actor=None, draft=draft)
    verbs.activate_automation(automation_id=row.pk, actor=None)
    row.refresh_from_db()
    return row


def enter_all(automation: Automation, ids: list[int]) -> None:
    for first in range(0, len(ids), CHUNK):
        with transaction.atomic():
            enter(automation, [Arrival(pk, "bench") for pk in ids[first : first + CHUNK]])


def sweep_steps() -> None:
    sweep(kinds=[KINDS[STEP_DUE]], seconds=FOREVER)


def bare_rows(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (n bigint, at timestamptz, state text, note text)")
        for _first in range(0, count, BATCH):
            cursor.execute(BARE, [BATCH])
