"""Thin Celery entry points of monitoring, and what beat runs."""

from celery import shared_task

from monitoring import alerts, baselines, bursts
from monitoring.anomalies import raising
from monitoring.retention import deleting


@shared_task
def close_days() -> int:
    """Count, score and learn the days that are over, and raise what stands out."""
    scored = baselines.close_days()
    return len(alerts.raise_alerts(scored))


@shared_task
def score_open_days() -> int:
    """Score the days that are still running: most of the harm of a bad day is done before it is over."""
    return len(alerts.raise_alerts(baselines.score_open_days()))


@shared_task
def score_bursts() -> int:
    """Score people who opened, revealed or exported much within minutes, without waiting for the quarter of an hour."""
    agent_ids = bursts.agents_in_a_burst()
    if not agent_ids:
        return 0
    return len(alerts.raise_alerts(baselines.score_open_days(agent_ids=agent_ids)))


@shared_task
def watch_days() -> int:
    """Judge the days of clients and partners that are over."""
    return raising.watch_days()


@shared_task
def watch_services() -> int:
    """Judge the last ten minutes of payment methods, trading servers and queues."""
    return len(raising.watch_services())


@shared_task
def delete_old_figures() -> int:
    """Delete counts, scores and figures of alerts that were kept for as long as each brand's policies say."""
    return deleting.delete_old_figures()


SCHEDULE = {
    "delete-old-monitoring": {
        "task": "monitoring.tasks.delete_old_figures",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "watch-days": {"task": "monitoring.tasks.watch_days", "schedule": 3600.0, "options": {"expires": 3600}},
    "watch-services": {"task": "monitoring.tasks.watch_services", "schedule": 600.0, "options": {"expires": 600}},
    "close-monitored-days": {"task": "monitoring.tasks.close_days", "schedule": 3600.0, "options": {"expires": 3600}},
    "score-open-days": {"task": "monitoring.tasks.score_open_days", "schedule": 900.0, "options": {"expires": 900}},
    "score-bursts": {"task": "monitoring.tasks.score_bursts", "schedule": 30.0, "options": {"expires": 30}},
}
