"""Thin Celery entry points of the leads app, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from crm.queue.for_each import for_each_isolated
from leads.automations import entering
from leads.duplicates import finding
from leads.learned import scoring as learned
from leads.learned import training
from leads.scores import rescoring
from leads.signing import requests

SCORED_AT_ONCE = 500


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


@shared_task
def train_lead_model() -> int:
    """Train the learned score on the months that are over. Returns the new version, 0 where too few leads deposited."""
    row = training.train()
    return row.pk if row is not None else 0


@shared_task
def score_open_leads() -> int:
    """Score the leads of the last month again, some hundred at a time; returns how many."""
    ids = learned.open_leads()
    steps = [ids[start : start + SCORED_AT_ONCE] for start in range(0, len(ids), SCORED_AT_ONCE)]
    for_each_isolated(rescoring.rescore, steps)
    return len(ids)


@shared_task
def forget_signed_requests() -> int:
    """Delete the ids of signed requests that are too old to be sent again; returns how many."""
    return requests.forget_old_requests()


SCHEDULE = {
    "forget-signed-requests": {
        "task": "leads.tasks.forget_signed_requests",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "train-lead-model": {
        "task": "leads.tasks.train_lead_model",
        "schedule": crontab(day_of_week="sun", hour=1, minute=15),
        "options": {"expires": 6 * 3600},
    },
    "score-open-leads": {
        "task": "leads.tasks.score_open_leads",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 3600},
    },
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
