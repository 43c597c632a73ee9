"""bench leads: leads shared and captured, a file imported, a segment counted, automations' steps, and the learned score.

All parts work on one sales floor: 1.2 million leads of the last eleven months with their clients and timeline, 200 agents on ten
desks of two brands. Each names its own yardstick, measured on the same rows.
"""

from __future__ import annotations

from django.db import connection

from bench.harness import Figure, analyze, own_database, say
from bench.leads import distribution, importing, learning, segments, steps
from bench.web import fill, make_house
from crm.db import partitions
from crm.models import Brand, User

FILLED = {"tiny": 1_000, "quick": 20_000, "full": 1_200_000}
AGENTS = 200
MONTHS_DAYS = 330
# Two or three entries a person, so that three million rows are there at the full size.
TIMELINE = """
INSERT INTO clients_timelineentry (client_id, at, kind, title, body, url, data, dedupe_key, is_visible_to_client)
SELECT c.id, c.created_at + make_interval(days => k), 'call', 'Call', '', '', '{}', 'bench:' || k, false
FROM clients_client c CROSS JOIN LATERAL generate_series(1, 2 + (c.id % 2)::int) k
"""


def run(size: str) -> list[Figure]:
    """Build the floor, then measure part after part: what changes the most rows comes last."""
    with own_database("leads"):
        people = build(size)
        return measure(size, people["whole brand"])


def build(size: str) -> dict[str, User]:
    """Fill the floor of two brands."""
    partitions.ensure_upcoming()
    people = make_house(AGENTS)
    User.objects.update(languages=["de", "en"], lead_capacity_per_day=1_000_000)
    distribution.add_rules(Brand.objects.get(code="b0"))
    say(f"filling up to {FILLED[size]:,} leads")
    fill(1, FILLED[size], seconds_apart=MONTHS_DAYS * 86_400 / FILLED[size])
    with connection.cursor() as cursor:
        cursor.execute(TIMELINE)
    analyze()
    return people


def measure(size: str, user: User) -> list[Figure]:
    """Measure every part; `user` sees the whole of the first brand."""
    brand = Brand.objects.get(code="b0")
    figures = segments.measure(user, size)
    figures += importing.measure(brand, user, size)
    figures += distribution.measure(brand, size)
    analyze()
    figures += learning.measure(size)
    return figures + steps.measure(brand, size)
