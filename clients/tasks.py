"""Thin Celery entry points of the clients app, and what beat runs."""

from celery import shared_task

from clients import mail


@shared_task
def send_message(message_id: int) -> bool:
    """Send one e-mail to a client; False where it isn't due or another worker has it."""
    return mail.deliver(message_id)


@shared_task
def send_waiting_mail() -> int:
    """Send the e-mails to clients that are due, first tries and retries. Returns how many were handled."""
    return mail.deliver_due()


SCHEDULE = {
    "send-waiting-client-mail": {
        "task": "clients.tasks.send_waiting_mail",
        "schedule": 20.0,
        "options": {"expires": 20},
    }
}
