"""Thin Celery entry points of the clients app, and what beat runs."""

from celery import shared_task
from celery.schedules import crontab

from clients import mail
from clients.mail_services import hearing as mail_hearing
from clients.messages import polling
from clients.segments import refreshing
from clients.telephony import exchange_work, hearing, recordings
from clients.texting import delivery as texts
from clients.texting import hearing as text_hearing
from clients.texting import media


@shared_task
def send_message(message_id: int) -> bool:
    """Send one e-mail to a client; False where it isn't due or another worker has it."""
    return mail.deliver(message_id)


@shared_task
def send_waiting_mail() -> int:
    """Send the e-mails to clients that are due, first tries and retries. Returns how many were handled."""
    return mail.deliver_due()


@shared_task
def work_on_phone_call(call_id: int) -> bool:
    """Place, look up or log one call, whichever is due; False where nothing is, or another worker has it."""
    return exchange_work.work_on(call_id)


@shared_task
def hang_up_phone_call(call_id: int) -> None:
    """Have the exchange end a call."""
    exchange_work.hang_up(call_id)


@shared_task
def work_on_phone_calls() -> int:
    """Work on the calls that are due. Returns how many were."""
    return exchange_work.work_due()


@shared_task
def process_phone_events() -> int:
    """Act on messages of phone exchanges that wait. Returns how many were looked at."""
    return hearing.process_due()


@shared_task
def work_on_text(message_id: int) -> bool:
    """Send or look up one SMS or WhatsApp message; False where nothing is due, or another worker has it."""
    return texts.work_on(message_id)


@shared_task
def work_on_texts() -> int:
    """Send and look up the messages that are due. Returns how many were."""
    return texts.work_due()


@shared_task
def process_text_events() -> int:
    """Act on messages of SMS services that wait. Returns how many were looked at."""
    return text_hearing.process_due()


@shared_task(soft_time_limit=600, time_limit=660)
def process_mail_service_events() -> int:
    """Act on messages of e-mail services that wait. Returns how many were looked at."""
    return mail_hearing.process_due()


@shared_task
def refresh_segment(segment_id: int) -> None:
    """Fill a segment that was just made or changed."""
    refreshing.refresh(segment_id)


@shared_task
def refresh_segments() -> int:
    """Let records enter and leave the segments by conditions; returns how many segments changed."""
    return refreshing.refresh_all()


@shared_task(soft_time_limit=1_500, time_limit=1_560)
def keep_recordings() -> int:
    """Fetch the recordings that exchanges have finished. Returns how many were kept."""
    return recordings.keep_due()


@shared_task(soft_time_limit=1_500, time_limit=1_560)
def read_mailboxes() -> int:
    """Read new e-mails of the mailboxes that are due. Returns how many mailboxes were read."""
    return polling.poll_due()


@shared_task(soft_time_limit=1_500, time_limit=1_560)
def keep_text_files() -> int:
    """Fetch the pictures and files of messages. Returns how many were kept."""
    return media.keep_due()


@shared_task
def delete_recordings() -> int:
    """Delete the recordings that were kept for as long as their brand's policy says. Returns how many."""
    return recordings.delete_expired()


SCHEDULE = {
    "refresh-segments": {"task": "clients.tasks.refresh_segments", "schedule": 300.0, "options": {"expires": 300}},
    "keep-recordings": {"task": "clients.tasks.keep_recordings", "schedule": 60.0, "options": {"expires": 60}},
    "keep-text-files": {"task": "clients.tasks.keep_text_files", "schedule": 60.0, "options": {"expires": 60}},
    "read-mailboxes": {"task": "clients.tasks.read_mailboxes", "schedule": 20.0, "options": {"expires": 20}},
    "delete-recordings": {"task": "clients.tasks.delete_recordings", "schedule": crontab(hour="3", minute="25")},
    "work-on-phone-calls": {"task": "clients.tasks.work_on_phone_calls", "schedule": 10.0, "options": {"expires": 10}},
    "process-phone-events": {"task": "clients.tasks.process_phone_events", "schedule": 5.0, "options": {"expires": 5}},
    "work-on-texts": {"task": "clients.tasks.work_on_texts", "schedule": 10.0, "options": {"expires": 10}},
    "process-text-events": {"task": "clients.tasks.process_text_events", "schedule": 5.0, "options": {"expires": 5}},
    "process-mail-service-events": {
        "task": "clients.tasks.process_mail_service_events",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "send-waiting-client-mail": {
        "task": "clients.tasks.send_waiting_mail",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
}
