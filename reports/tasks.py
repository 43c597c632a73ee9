"""Thin Celery entry points of reports, and what beat runs."""

from celery import shared_task

from reports import figures


@shared_task
def rebuild_recent_figures() -> int:
    return figures.rebuild_recent()


@shared_task
def rebuild_figures() -> int:
    """More days once a night: settlements, reversals and moved clients change the past."""
    return figures.rebuild_recent(figures.NIGHTLY_DAYS)


SCHEDULE = {
    "rebuild-recent-figures": {
        "task": "reports.tasks.rebuild_recent_figures",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "rebuild-figures": {"task": "reports.tasks.rebuild_figures", "schedule": 6 * 3600.0, "options": {"expires": 3600}},
}
