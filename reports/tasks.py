"""Thin Celery entry points of reports, and what beat runs."""

from celery import shared_task

from reports import upkeep


@shared_task
def refresh_figures() -> int:
    """Bring the figures up to date with what changed since the last run. Returns how many clients were refreshed."""
    return upkeep.refresh()


@shared_task
def check_figures() -> int:
    """Recompute figures from their sources and repair what differs. Returns how many did."""
    return upkeep.check()


SCHEDULE = {
    "refresh-figures": {"task": "reports.tasks.refresh_figures", "schedule": 300.0, "options": {"expires": 300}},
    "check-figures": {"task": "reports.tasks.check_figures", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
}
