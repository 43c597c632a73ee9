"""Thin Celery entry points of compliance, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from compliance import rescreening
from compliance.aml import running
from compliance.controls.months import keep_ended_months
from compliance.lists import keying, own_lists, refresh
from compliance.retention import periods
from compliance.risk_rating.rating import rate_every_brand
from compliance.vendors import asking, notices


@shared_task
def screen_everybody() -> int:
    """Screen all clients against everything in force. Returns the number of new possible matches."""
    own_lists.forget_uploads()
    return rescreening.screen_everybody().hit_count


@shared_task
def screen_lists() -> int:
    """Compare all clients with the lists in force. Returns the number of new possible matches."""
    return rescreening.screen_lists().hit_count


@shared_task
def note_ended_relations() -> int:
    """Note the relations that ended, from which on records are kept for a time. Returns how many."""
    return periods.note_ended()


@shared_task
def run_aml_rules() -> int:
    """Have the AML rules see what moved since they last ran. Returns the number of new alerts."""
    return running.run_pending()


@shared_task
def refresh_lists() -> int:
    """Check the lists whose time has come at their publishers. Returns how many have a new version.

    Lists that an earlier version of the matcher keyed get new keys first, so that nobody waits for the night after an upgrade.
    """
    keying.refresh()
    return refresh.refresh_due()


@shared_task
def rate_all_clients() -> int:
    """Have all rated clients rated again, after the night's screening. Returns the number of brands."""
    return rate_every_brand()


@shared_task
def keep_control_reports() -> int:
    """Keep the controls report of the month before, once it has ended. Returns how many were kept."""
    return keep_ended_months()


@shared_task
def ask_vendors() -> int:
    """Ask screening vendors about whoever is due. Returns how many were answered."""
    return asking.ask_due()


@shared_task
def process_vendor_notices() -> int:
    """Act on webhooks of screening vendors that wait. Returns how many were processed."""
    return notices.process_due()


SCHEDULE = {
    "note-ended-relations": {
        "task": "compliance.tasks.note_ended_relations",
        "schedule": crontab(hour="3", minute="50"),
    },
    "ask-screening-vendors": {"task": "compliance.tasks.ask_vendors", "schedule": 15.0},
    "process-screening-notices": {"task": "compliance.tasks.process_vendor_notices", "schedule": 30.0},
    "keep-control-reports": {
        "task": "compliance.tasks.keep_control_reports",
        "schedule": crontab(hour="4", minute="10"),
    },
    "run-aml-rules": {"task": "compliance.tasks.run_aml_rules", "schedule": 10.0},
    "refresh-watchlists": {"task": "compliance.tasks.refresh_lists", "schedule": crontab(minute="*/20")},
    "screen-everybody": {"task": "compliance.tasks.screen_everybody", "schedule": crontab(hour="1", minute="20")},
    "rate-all-clients": {"task": "compliance.tasks.rate_all_clients", "schedule": crontab(hour="2", minute="40")},
}
