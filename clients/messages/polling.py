"""Reading the mailboxes that are due: a bounded part of each at a time, what couldn't be kept is read again."""

from __future__ import annotations

import datetime as dt
import time
from typing import Final

from django.db import transaction
from django.utils import timezone

from clients.messages.imap import ImapAdapter
from clients.messages.incoming import take_mail
from clients.messages.reading import MAIL_BYTES_MAX, read_mail
from clients.models import Mailbox
from crm.connections.http import watched
from crm.db.locking import lock_or_none
from crm.errors import DomainError, OutsideWorldError
from crm.queue.for_each import for_each_isolated

EVERY: Final = dt.timedelta(seconds=60)
# Nobody waits for a mailbox that doesn't answer; it is tried again after this.
AFTER_FAILURE: Final = dt.timedelta(minutes=5)
LEASE: Final = dt.timedelta(minutes=10)
MAILS_MAX: Final = 50
BYTES_MAX: Final = 4 * MAIL_BYTES_MAX
SECONDS_MAX: Final = 120


def poll_due() -> int:
    """Read the mailboxes that are due; returns how many were."""
    due = Mailbox.objects.filter(is_enabled=True, due_at__lte=timezone.now()).order_by("due_at")
    return for_each_isolated(poll, due.values_list("pk", flat=True))


def poll(mailbox_id: int) -> bool:
    """Read new e-mails of one mailbox; False where another worker does, or it doesn't answer."""
    mailbox = _claim(mailbox_id)
    if mailbox is None:
        return False
    rows = Mailbox.objects.filter(pk=mailbox_id)
    try:
        with watched(mailbox):
            has_more = _read(mailbox)
    except (OutsideWorldError, DomainError):
        rows.update(due_at=timezone.now() + AFTER_FAILURE)
        return False
    rows.update(due_at=timezone.now() + (dt.timedelta(0) if has_more else EVERY), polled_at=timezone.now())
    return True


@transaction.atomic
def _claim(mailbox_id: int) -> Mailbox | None:
    due = Mailbox.objects.filter(is_enabled=True, due_at__lte=timezone.now())
    mailbox = lock_or_none(due, mailbox_id, "brand")
    if mailbox is not None:
        mailbox.due_at = timezone.now() + LEASE
        mailbox.save(update_fields=["due_at"])
    return mailbox


def _read(mailbox: Mailbox) -> bool:
    """Read until nothing is left, or a bound is reached; returns whether more is waiting."""
    adapter, ends_at, taken, count = ImapAdapter(mailbox), time.monotonic() + SECONDS_MAX, 0, 0
    with adapter.session() as (server, validity):
        if validity != mailbox.uid_validity:  # the server counts anew; e-mails that are kept already are only counted
            mailbox.uid_validity, mailbox.last_uid = validity, 0
        for fetched in adapter.fetch(server, after=mailbox.last_uid, limit=MAILS_MAX):
            read = read_mail(fetched.raw, size_bytes=fetched.size_bytes)
            with transaction.atomic():
                take_mail(brand_id=mailbox.brand_id, read=read, mailbox=mailbox)
                mailbox.last_uid = fetched.uid
                place = {"last_uid": fetched.uid, "uid_validity": validity}
                Mailbox.objects.filter(pk=mailbox.pk).update(**place)
            count, taken = count + 1, taken + len(fetched.raw)
            if taken > BYTES_MAX or time.monotonic() > ends_at:
                return True
    return count == MAILS_MAX
