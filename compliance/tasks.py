"""Thin Celery entry points of compliance, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from compliance import rescreening


@shared_task
def screen_everybody() -> int:
    """Screen all clients against everything in force. Returns the number of new possible matches."""
    return rescreening.screen_everybody().hit_count


SCHEDULE = {
    "screen-everybody": {"task": "compliance.tasks.screen_everybody", "schedule": crontab(hour="1", minute="20")}
}
