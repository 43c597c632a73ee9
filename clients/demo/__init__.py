"""The clients' part of the demo: everyone the brokerage knows, and three months of work with them.

Leaves for the parts above in `demo.extra`: `journeys`, one `clients.demo.journeys.Journey` per person with `client_id` set.
`finish` runs after all parts: it tells the steps between stages at the times at which money and trades really moved.
"""

from __future__ import annotations

from clients.demo import countries, custom_fields, links, messages, record_views, segments, write
from clients.demo.journeys import Journey, plan_journeys
from crm.demo import Demo


def load(demo: Demo) -> None:
    demo.progress("People, calls and follow-ups", 0, 3)
    countries.write_rules_of_brands(demo)
    custom_fields.write_fields(demo)
    journeys: list[Journey] = plan_journeys(demo)
    demo.extra["journeys"] = journeys
    write.write_people(demo, journeys)
    custom_fields.write_values(demo)
    demo.progress("People, calls and follow-ups", 1, 3)
    write.write_work(demo, journeys)
    messages.write_messages(demo, journeys)
    demo.progress("People, calls and follow-ups", 2, 3)
    record_views.write_access(demo, journeys)
    demo.progress("People, calls and follow-ups", 3, 3)


def finish(demo: Demo) -> None:
    write.write_stages(demo, demo.extra["journeys"])
    links.write_identifiers(demo)
    segments.write_segments(demo)
