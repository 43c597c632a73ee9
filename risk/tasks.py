"""Thin Celery entry points of retention, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from risk.retention import cases, dormancy


@shared_task
def move_inactive_clients() -> int:
    """Move clients who are inactive for longer than their rhythm explains to dormant."""
    return dormancy.move_inactive()


@shared_task
def judge_all_clients() -> int:
    """Judge all clients by the flags of retention: what no event tells, as inactivity, is found by it."""
    return cases.judge_all()


SCHEDULE = {
    "move-inactive-clients": {
        "task": "risk.tasks.move_inactive_clients",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "judge-retention": {
        "task": "risk.tasks.judge_all_clients",
        "schedule": crontab(hour=2, minute=20),
        "options": {"expires": 6 * 3600},
    },
}
