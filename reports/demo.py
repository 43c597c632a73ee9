"""Reports' part of the demo: the day figures of the three months, made from what the others loaded."""

import datetime as dt

from crm.demo import Demo
from reports import figures


def load(demo: Demo) -> None:
    demo.progress("Figures for dashboards", 0, 1)
    figures.rebuild(demo.since.date() - dt.timedelta(days=1), demo.now.date() + dt.timedelta(days=1))
    demo.progress("Figures for dashboards", 1, 1)
