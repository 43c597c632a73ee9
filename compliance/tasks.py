"""Thin Celery entry points of compliance, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from compliance import rescreening
from compliance.aml import running


@shared_task
def screen_everybody() -> int:
    """Screen all clients against everything in force. Returns the number of new possible matches."""
    return rescreening.screen_everybody().hit_count


@shared_task
def run_aml_rules() -> int:
    """Have the AML rules see what moved since they last ran. Returns the number of new alerts."""
    return running.run_pending()


SCHEDULE = {
    "run-aml-rules": {"task": "compliance.tasks.run_aml_rules", "schedule": 10.0},
    "screen-everybody": {"task": "compliance.tasks.screen_everybody", "schedule": crontab(hour="1", minute="20")},
}
