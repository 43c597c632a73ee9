"""Notifications by e-mail: one sweep sends each person one e-mail with what they haven't read in the app meanwhile.

The row of the notification says whether it still has to go out, and is changed in the transaction that queues the e-mail:
a sweep that crashes, or runs beside another one, neither loses nor repeats any.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.models import Notification, NotificationSchedule, User
from crm.notices import mail
from crm.notices.kinds import find
from crm.notices.mail import Letter, Recipient
from crm.notices.schedule import held_until
from crm.queue.for_each import for_each_isolated

PEOPLE_MAX: Final = 200  # of one sweep; the next one goes on
LISTED_MAX: Final = 25
WAITING_MAX: Final = 500  # of one e-mail; an import may notify somebody of more
PER_HOUR: Final = 6
HOUR = dt.timedelta(hours=1)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
PHONE = re.compile(r"\+\d[\d ()/-]{6,}\d")


def send_due() -> int:
    """E-mail what is due and unread, one e-mail per person; returns how many e-mails were queued."""
    now = timezone.now()
    due = Notification.objects.filter(email_due_at__lte=now)
    due.filter(Q(read_at__isnull=False) | Q(user__is_active=False)).update(email_due_at=None)
    people = due.values("user_id").annotate(first=Min("email_due_at")).order_by("first", "user_id")
    return for_each_isolated(lambda row: send_to(row["user_id"], now), people[:PEOPLE_MAX])


@transaction.atomic
def send_to(user_id: int, now: dt.datetime) -> bool:
    """Queue one e-mail to a person with everything that is due; False where nothing goes out now."""
    user = (
        User.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("brand", "notification_schedule")
        .filter(pk=user_id, is_active=True)
        .first()
    )
    if user is None:
        return False
    due = Notification.objects.filter(user_id=user_id, email_due_at__lte=now, read_at__isnull=True)
    if until := _held_until(user, now):
        due.update(email_due_at=until)
        return False
    waiting = list(due.order_by("pk")[:WAITING_MAX])
    due.filter(pk__in=[row.pk for row in waiting]).update(email_due_at=None)
    rows = [row for row in waiting if _may_still_read(user, row)]
    if not rows:
        return False
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(emailed_at=now)
    with timezone.override(ZoneInfo(user.time_zone)):
        mail.send(
            kind="crm.notifications",
            to=Recipient.of(user),
            letter=lambda: _letter(user, rows),
            dedupe_key=f"crm.notifications:{user.pk}:{rows[-1].pk}:{now.isoformat()}",
        )
    return True


def _held_until(user: User, now: dt.datetime) -> dt.datetime | None:
    """Return when this person may be written to again: their quiet hours, their pause, or the bound of e-mails per hour."""
    schedule = getattr(user, "notification_schedule", None) or NotificationSchedule(user=user)
    if until := held_until(schedule, now, ZoneInfo(user.time_zone)):
        return until
    sent = Notification.objects.filter(user=user, emailed_at__gt=now - HOUR).order_by("emailed_at")
    times = list(sent.values_list("emailed_at", flat=True).distinct()[:PER_HOUR])
    return times[0] + HOUR if len(times) == PER_HOUR and times[0] else None


def _may_still_read(user: User, row: Notification) -> bool:
    """Whether the person still has the right that the kind needs: a role may have been taken away meanwhile."""
    kind = find(row.kind)
    return kind is not None and kind.may_reach(user)


def _letter(user: User, rows: Sequence[Notification]) -> Letter:
    base = settings.BASE_URL.rstrip("/")
    shown = [(*_texts(user, row), f"{base}{reverse('notification', args=[row.pk])}") for row in rows[:LISTED_MAX]]
    link = (_("Notification settings"), f"{base}{reverse('notification_settings')}")
    greeting = _("Hello %(name)s,") % {"name": user.first_name} if user.first_name else ""
    if len(rows) == 1:
        title, body, address = shown[0]
        return Letter(
            subject=title,
            greeting=greeting,
            paragraphs=tuple(text for text in (title, body) if text),
            button=(_("Open notification"), address),
            settings_link=link,
        )
    more = len(rows) - len(shown)
    return Letter(
        subject=ngettext("%(count)s new notification", "%(count)s new notifications", len(rows)) % {"count": len(rows)},
        greeting=greeting,
        paragraphs=(_("You have unread notifications:"),),
        items=tuple(shown),
        button=(_("Open notifications"), f"{base}{reverse('notifications')}"),
        closing=(ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more},) if more else (),
        settings_link=link,
    )


def _texts(user: User, row: Notification) -> tuple[str, str]:
    """Write title and body for an e-mail. Contacts are masked for staff who see them masked in the app."""
    texts = row.reading
    if user.is_team and not user.has_perm("crm.see_unmasked_contacts"):
        texts = {name: mask_contacts(text) for name, text in texts.items()}
    return texts["title"], texts["body"]


def mask_contacts(text: str) -> str:
    """Mask e-mail addresses and phone numbers within a text."""
    text = EMAIL.sub(lambda match: formats.mask_email(match[0]), text)
    return PHONE.sub(lambda match: formats.mask_phone(match[0]), text)
