"""The leads' part of the demo: where everyone came from, what they were worth and who got them, by the real scorer."""

from __future__ import annotations

from crm.demo import Demo
from leads.demo import automations, duplicates, setup, write


def load(demo: Demo) -> None:
    demo.progress("Campaigns, leads and the pipeline", 0, 3)
    house = setup.set_up(demo)
    write.write_leads(demo, house)
    demo.progress("Campaigns, leads and the pipeline", 1, 3)
    write.write_pipeline(demo)
    demo.progress("Campaigns, leads and the pipeline", 2, 3)
    write.write_facts()
    demo.progress("Campaigns, leads and the pipeline", 3, 3)


def finish(demo: Demo) -> None:
    """Write the people who came twice, once their identifiers are known, and the runs of automations."""
    duplicates.write_duplicates(demo)
    automations.write_automations(demo)
