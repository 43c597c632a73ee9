"""Thin Celery entry points of the leads app, and what beat runs."""

from celery import shared_task

from leads import sla


@shared_task
def route_waiting() -> int:
    """Route leads that wait in a pool. Every minute; beat runs it itself while the broker is away."""
    return sla.route_waiting()


WITHOUT_BROKER = ("route_waiting",)
SCHEDULE = {"route-waiting-leads": {"task": "leads.tasks.route_waiting", "schedule": 60.0, "options": {"expires": 60}}}
