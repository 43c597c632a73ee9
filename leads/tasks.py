"""Thin Celery entry points of the leads app, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from leads.automations import entering
from leads.duplicates import finding
from leads.scores import rescoring


@shared_task
def compare_records_nightly() -> int:
    """Compare records that may be one person; returns how many were compared."""
    return finding.compare_nightly()


@shared_task
def start_automations_by_date() -> int:
    """Let in those whose date came, for every automation that waits for one; returns how many entered."""
    return entering.enter_by_date()


@shared_task
def fade_scores() -> int:
    """Have leads scored again whose engagement is too old for a rule by now; returns how many."""
    return rescoring.fade()


SCHEDULE = {
    "fade-lead-scores": {
        "task": "leads.tasks.fade_scores",
        "schedule": crontab(hour=3, minute=10),
        "options": {"expires": 3600},
    },
    "start-automations-by-date": {
        "task": "leads.tasks.start_automations_by_date",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "compare-records-nightly": {
        "task": "leads.tasks.compare_records_nightly",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 3600},
    },
}
