"""Thin Celery entry points of challenges, and what beat runs."""

from celery import shared_task

from crm.queue.for_each import for_each_isolated
from prop.judge import live


@shared_task
def judge_accounts() -> int:
    """Judge every running phase whose account was read since."""
    return for_each_isolated(live.judge_account, list(live.due_accounts().values_list("pk", flat=True)))


SCHEDULE = {"prop-judge-accounts": {"task": "prop.tasks.judge_accounts", "schedule": 1.0, "options": {"expires": 1.0}}}
