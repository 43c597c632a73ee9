"""Reports' part of the demo: the day figures of the three months, made from what the others loaded."""

from crm.demo import Demo
from reports import upkeep


def load(demo: Demo) -> None:
    """Compute the figures of the demo's days once everything else is loaded."""
    demo.progress("Figures for dashboards", 0, 1)
    upkeep.rebuild()
    demo.progress("Figures for dashboards", 1, 1)
