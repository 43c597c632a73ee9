"""Thin Celery entry points of the KYC app, and what beat runs."""

from celery import shared_task

from kyc import documents, incoming
from kyc.urgency.order import refresh_order


@shared_task
def check_document(document_id: int) -> bool:
    """Check a document in a worker; False where there was nothing to check."""
    from kyc import pipeline  # image libraries: only the worker that looks at pictures loads them

    return pipeline.check(document_id) is not None


@shared_task
def take_in_file(incoming_id: int) -> bool:
    """Open a received file in a worker; True where it became a document."""
    return incoming.take_in(incoming_id) is not None


@shared_task
def hand_over_incoming() -> int:
    """Hand files to workers that none has opened, or that one left behind."""
    ids = incoming.due(waited_seconds=10)
    for incoming_id in ids:
        take_in_file.apply_async([incoming_id], retry=False, expires=30)
    return len(ids)


@shared_task
def drop_old_incoming() -> int:
    """Delete the rows of received files that were opened or refused a month ago."""
    return incoming.drop_old()


@shared_task
def hand_over_unchecked() -> int:
    """Hand documents to workers that none has taken (the broker was away) or one left behind (it was killed)."""
    ids = documents.waiting_for_checks(limit=200, waited_seconds=15)
    for document_id in ids:
        check_document.apply_async([document_id], retry=False)
    return len(ids)


@shared_task
def refresh_queue_order() -> int:
    """Put what waits for review in order again: equity and deposits have moved meanwhile."""
    return refresh_order()


@shared_task
def look_up_provider_check(check_id: int) -> bool:
    """Look a check up at its KYC provider; True where it answered."""
    from kyc.providers import lookups  # with the parsers of pictures

    return lookups.look_up(check_id)


@shared_task
def process_provider_messages() -> int:
    """Act on webhooks of KYC providers that wait."""
    from kyc.providers import webhooks

    return webhooks.process_due()


@shared_task
def hand_over_provider_checks() -> int:
    """Hand checks at KYC providers that are due for a look-up to workers, and act on messages that a crash left waiting."""
    from kyc.providers import lookups

    process_provider_messages()
    ids = lookups.claim_due(limit=200)
    for check_id in ids:
        look_up_provider_check.apply_async([check_id], retry=False, expires=60)
    return len(ids)


@shared_task
def probe_failing_providers() -> int:
    """Ask KYC providers that stopped answering whether they do again."""
    from kyc.providers.calls import probe_failing

    return probe_failing()


@shared_task
def delete_erased_at_providers() -> int:
    """Delete erased clients at their KYC providers."""
    from kyc.providers.erasure import delete_erased

    return delete_erased()


@shared_task
def plan_missing_reviews() -> int:
    """Set the next periodic review of verified clients who have none."""
    from kyc.client_reviews.schedule import schedule_missing

    return schedule_missing()


SCHEDULE = {
    "plan-missing-client-reviews": {"task": "kyc.tasks.plan_missing_reviews", "schedule": 3600.0},
    "refresh-queue-order": {"task": "kyc.tasks.refresh_queue_order", "schedule": 300.0, "options": {"expires": 300}},
    "hand-over-provider-checks": {
        "task": "kyc.tasks.hand_over_provider_checks",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "probe-failing-kyc-providers": {"task": "kyc.tasks.probe_failing_providers", "schedule": 300.0},
    "delete-erased-at-kyc-providers": {"task": "kyc.tasks.delete_erased_at_providers", "schedule": 3600.0},
    "hand-over-incoming-files": {"task": "kyc.tasks.hand_over_incoming", "schedule": 10.0, "options": {"expires": 10}},
    "drop-old-incoming-files": {"task": "kyc.tasks.drop_old_incoming", "schedule": 24 * 3600.0},
    "hand-over-unchecked-documents": {
        "task": "kyc.tasks.hand_over_unchecked",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
}
