"""Thin Celery entry points of risk, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from risk.abuse import grounds, quotes, scoring
from risk.retention import cases, dormancy
from risk.retention.churn.scoring import score_all
from risk.retention.churn.training import train


@shared_task
def move_inactive_clients() -> int:
    """Move clients who are inactive for longer than their rhythm explains to dormant."""
    return dormancy.move_inactive()


@shared_task
def judge_all_clients() -> int:
    """Judge all clients by the flags of retention: what no event tells, as inactivity, is found by it."""
    return cases.judge_all()


@shared_task
def score_deals() -> int:
    """Judge the deals that have come, look again at the evidence of open episodes, and keep quotes around deals only."""
    judged = scoring.score_all()
    grounds.recheck()
    quotes.prune()
    return judged


@shared_task
def forget_pairs() -> int:
    """Delete counts of accounts that haven't met for long, and quotes that are older than what is judged."""
    return scoring.forget() + quotes.forget_old()


@shared_task
def train_churn_model() -> int:
    """Train the churn score on the months that are over. Returns the new version, 0 where too few clients departed."""
    row = train()
    return row.pk if row is not None else 0


@shared_task
def score_clients() -> int:
    """Score all clients who traded lately, before the night's flags open cases in the order of what is at risk."""
    return score_all()


SCHEDULE = {
    "score-deals-for-abuse": {"task": "risk.tasks.score_deals", "schedule": 300.0, "options": {"expires": 300}},
    "forget-pairs-of-accounts": {"task": "risk.tasks.forget_pairs", "schedule": 86400.0, "options": {"expires": 86400}},
    "move-inactive-clients": {
        "task": "risk.tasks.move_inactive_clients",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "train-churn-model": {
        "task": "risk.tasks.train_churn_model",
        "schedule": crontab(day_of_week="sun", hour=1, minute=45),
        "options": {"expires": 6 * 3600},
    },
    "score-clients": {
        "task": "risk.tasks.score_clients",
        "schedule": crontab(hour=2, minute=5),
        "options": {"expires": 6 * 3600},
    },
    "judge-retention": {
        "task": "risk.tasks.judge_all_clients",
        "schedule": crontab(hour=2, minute=20),
        "options": {"expires": 6 * 3600},
    },
}
