"""Thin Celery entry points of retention, and what beat runs."""

from celery import shared_task

from risk.retention import dormancy


@shared_task
def move_inactive_clients() -> int:
    """Move clients who are inactive for longer than their rhythm explains to dormant."""
    return dormancy.move_inactive()


SCHEDULE = {
    "move-inactive-clients": {
        "task": "risk.tasks.move_inactive_clients",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    }
}
