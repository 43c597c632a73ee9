"""Thin Celery entry points of the leads app, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from leads.duplicates import finding


@shared_task
def compare_records_nightly() -> int:
    """Compare records that may be one person; returns how many were compared."""
    return finding.compare_nightly()


SCHEDULE = {
    "compare-records-nightly": {
        "task": "leads.tasks.compare_records_nightly",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 3600},
    }
}
