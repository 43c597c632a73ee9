"""Thin Celery entry points of the ground floor, and what beat runs."""

import time

from celery import shared_task

from crm import due
from crm.accounts import link_requests
from crm.api import writing
from crm.db import partitions
from crm.events import delivery
from crm.events.publishing import enqueue_delivery
from crm.files import file_sweep, jobs, storage
from crm.notices import email_channel, mail
from crm.outbound import pruning, sending
from crm.privacy import erasures
from crm.security import audit


@shared_task
def deliver_events() -> int:
    """Deliver what is due. Woken by every commit that published, and by beat every few seconds (the sweeper).

    What is left when its time is over goes behind what waits for the same worker: a client's e-mail waits for no backlog.
    """
    until = time.monotonic() + delivery.DELIVER_SECONDS
    worked = delivery.deliver_due(seconds=delivery.DELIVER_SECONDS)
    if time.monotonic() >= until:
        enqueue_delivery()
    return worked


@shared_task
def sweep_due() -> int:
    """Handle what is due, of all kinds. Every three seconds; several may run at once."""
    return due.sweep()


@shared_task
def prune_due() -> int:
    """Delete old due rows that are done or cancelled. Returns how many."""
    return due.prune()


@shared_task
def forget_api_requests() -> int:
    """Delete the API's idempotency keys whose time is over. Returns how many."""
    return writing.forget_old_requests()


@shared_task
def seal_audit() -> int | None:
    """Seal the audit rows since the last seal. Returns the seal's id; None where there was nothing to seal."""
    seal = audit.seal_pending()
    if seal:
        file_sweep.note_newest_seal()
    return seal.pk if seal else None


@shared_task
def hand_over_jobs() -> int:
    """Hand over the jobs that the broker doesn't know, and fail those whose worker died."""
    return jobs.requeue_forgotten()


@shared_task
def expire_job_results() -> int:
    """Delete the results of old jobs. Returns how many."""
    return jobs.expire_results()


@shared_task
def watch_storage() -> bool:
    """Notify administrators when the private store runs short of room. Returns whether it does."""
    return storage.notify_when_short()


@shared_task
def sweep_orphans() -> int:
    """Delete stored files that no row names, unless the sweep is refused. Returns how many were deleted."""
    return file_sweep.sweep_orphans().total


@shared_task
def make_partitions() -> None:
    """Create the partitions of the months to come."""
    partitions.ensure_upcoming()


@shared_task
def send_mail(mail_id: int) -> bool:
    """Send one e-mail right after the transaction that wrote it. Returns whether one was sent."""
    return mail.deliver(mail_id=mail_id)


@shared_task
def send_due_mail() -> int:
    """Send the e-mails that a crash, or a mail server that was away, left waiting."""
    return mail.deliver_due()


@shared_task
def email_notifications() -> int:
    """E-mail the notifications that are due and unread."""
    return email_channel.send_due()


@shared_task
def answer_link_requests() -> int:
    """Answer requests for links, started by whoever asks for one, and by beat for those left while the broker was away."""
    return link_requests.answer_due()


@shared_task
def send_webhooks() -> int:
    """Send the webhooks that are due. Woken by what writes one, and every few seconds for what is retried or was left."""
    return sending.send_due()


@shared_task
def prune_webhooks() -> int:
    """Delete old webhooks from the delivery log. Returns how many."""
    return pruning.prune()


@shared_task
def register_erasures() -> int:
    """Register the erasures that a crash between their commit and the register's line left out."""
    return erasures.register_new()


# Done in beat's process while the broker is away (crm.queue.without_broker).
WITHOUT_BROKER = ("deliver_events", "sweep_due", "send_due_mail")
SCHEDULE = {
    "sweep-events": {
        "task": "crm.tasks.deliver_events",
        "schedule": 3.0,
        "options": {"queue": "events", "expires": 10},
    },
    "sweep-due": {"task": "crm.tasks.sweep_due", "schedule": 3.0, "options": {"queue": "events", "expires": 3}},
    "forget-api-requests": {
        "task": "crm.tasks.forget_api_requests",
        "schedule": 86_400.0,
        "options": {"expires": 3600},
    },
    "prune-due": {"task": "crm.tasks.prune_due", "schedule": 3600.0, "options": {"expires": 3600}},
    "seal-audit": {"task": "crm.tasks.seal_audit", "schedule": 60.0, "options": {"expires": 60}},
    "send-due-mail": {"task": "crm.tasks.send_due_mail", "schedule": 15.0, "options": {"expires": 30}},
    "email-notifications": {"task": "crm.tasks.email_notifications", "schedule": 60.0, "options": {"expires": 60}},
    "hand-over-jobs": {"task": "crm.tasks.hand_over_jobs", "schedule": 10.0, "options": {"expires": 10}},
    "expire-job-results": {"task": "crm.tasks.expire_job_results", "schedule": 3600.0, "options": {"expires": 3600}},
    "answer-link-requests": {"task": "crm.tasks.answer_link_requests", "schedule": 15.0, "options": {"expires": 30}},
    "send-webhooks": {"task": "crm.tasks.send_webhooks", "schedule": 5.0, "options": {"expires": 5}},
    "prune-webhooks": {"task": "crm.tasks.prune_webhooks", "schedule": 3600.0, "options": {"expires": 3600}},
    "register-erasures": {"task": "crm.tasks.register_erasures", "schedule": 3600.0, "options": {"expires": 3600}},
    "watch-storage": {"task": "crm.tasks.watch_storage", "schedule": 300.0, "options": {"expires": 300}},
    "sweep-orphaned-files": {"task": "crm.tasks.sweep_orphans", "schedule": 24 * 3600.0},
    "make-partitions": {"task": "crm.tasks.make_partitions", "schedule": 6 * 3600.0},
}
