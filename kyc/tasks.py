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


SCHEDULE = {
    "refresh-queue-order": {"task": "kyc.tasks.refresh_queue_order", "schedule": 300.0, "options": {"expires": 300}},
    "hand-over-incoming-files": {"task": "kyc.tasks.hand_over_incoming", "schedule": 10.0, "options": {"expires": 10}},
    "drop-old-incoming-files": {"task": "kyc.tasks.drop_old_incoming", "schedule": 24 * 3600.0},
    "hand-over-unchecked-documents": {
        "task": "kyc.tasks.hand_over_unchecked",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
}
