"""Thin Celery entry points of challenges, and what beat runs."""

from celery import shared_task

from prop.challenges import days


@shared_task
def note_days() -> int:
    """Take the last read balance and equity of challenge accounts into the figures of their server days."""
    return days.note_days()


SCHEDULE = {"note-days-of-challenges": {"task": "prop.tasks.note_days", "schedule": 60.0, "options": {"expires": 60}}}
