"""Thin Celery entry points of challenges, and what beat runs."""

from celery import shared_task

from crm.queue.for_each import for_each_isolated
from prop.judge import live, rounds, sampling, storing
from prop.merging import settling
from prop.scaling import proposing
from trading.models import TradingServer


@shared_task
def judge_accounts() -> int:
    """Judge what was sampled, and every other running phase whose account was read since."""
    done = for_each_isolated(rounds.judge_server, rounds.servers_to_judge())
    return done + for_each_isolated(live.judge_account, list(live.due_accounts().values_list("pk", flat=True)))


@shared_task
def judge_server(server_id: int) -> int:
    """Judge what was sampled of one server."""
    return rounds.judge_server(server_id)


@shared_task
def sample_server(server_id: int) -> int:
    """Read a sample of each running challenge account of one server."""
    return sampling.sample_server(TradingServer.objects.get(pk=server_id))


@shared_task
def sample_servers() -> None:
    """Start one task per server, so that a slow one holds up no other."""
    for server_id in sampling.servers_to_sample():
        sample_server.apply_async((server_id,), expires=1, queue="sync")


@shared_task
def forget_minutes() -> int:
    """Delete samples that are older than their brand keeps them."""
    return storing.forget_minutes()


@shared_task
def propose_growths() -> int:
    """Propose the next step of every funded account that met its terms for scaling."""
    return for_each_isolated(_propose_growth, list(proposing.candidates().values_list("pk", flat=True)))


def _propose_growth(phase_account_id: int) -> bool:
    return proposing.propose_growth(phase_account_id=phase_account_id) is not None


@shared_task
def continue_merges() -> int:
    """Raise the balance of accounts that others are merged into, as far as those are stopped and read."""
    return for_each_isolated(_continue_merge, list(settling.closing_merges().values_list("pk", flat=True)))


def _continue_merge(merge_id: int) -> bool:
    return settling.continue_merge(merge_id=merge_id) is not None


SCHEDULE = {
    "prop-sample-accounts": {"task": "prop.tasks.sample_servers", "schedule": 1.0, "options": {"expires": 1.0}},
    "prop-judge-accounts": {"task": "prop.tasks.judge_accounts", "schedule": 1.0, "options": {"expires": 1.0}},
    "prop-propose-growths": {"task": "prop.tasks.propose_growths", "schedule": 900.0, "options": {"expires": 900.0}},
    "prop-continue-merges": {"task": "prop.tasks.continue_merges", "schedule": 10.0, "options": {"expires": 10.0}},
    "prop-forget-minutes": {"task": "prop.tasks.forget_minutes", "schedule": 600.0, "options": {"expires": 600}},
}
