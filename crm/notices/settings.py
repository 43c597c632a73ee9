"""What a person chose to be notified of, how and when. Only what differs from the defaults is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from crm.choices import EmailChannel
from crm.models import Notification, NotificationChoice, NotificationSchedule, User
from crm.notices.kinds import NotificationKind, kinds_for


@dataclass(frozen=True)
class Channels:
    """How one kind reaches a person."""

    is_in_app: bool
    email: str

    @classmethod
    def default_of(cls, kind: NotificationKind) -> Channels:
        return cls(True, kind.email.value)


def channels_of(user: User) -> dict[NotificationKind, Channels]:
    """Return the channels of every kind that this person can get, in the order of the settings page."""
    rows = NotificationChoice.objects.filter(user=user).values_list("kind", "is_in_app", "email")
    chosen = {kind: Channels(is_in_app, email) for kind, is_in_app, email in rows}
    return {kind: chosen.get(kind.value, Channels.default_of(kind)) for kind in kinds_for(user)}


def schedule_of(user: User) -> NotificationSchedule:
    """Return when this person wants e-mails; unsaved defaults where they chose nothing."""
    return NotificationSchedule.objects.filter(user=user).first() or NotificationSchedule(user=user)


@transaction.atomic
def save_settings(*, user: User, channels: Mapping[NotificationKind, Channels], schedule: NotificationSchedule) -> None:
    """Keep a person's choices. What waits to be e-mailed of a kind whose e-mails they switched off isn't sent any more.

    Kinds this person can't get are left out, and a mandatory kind stays in the app whatever the form says.
    """
    mine = kinds_for(user)
    wanted = {
        kind: Channels(channels[kind].is_in_app or kind.is_mandatory, EmailChannel(channels[kind].email).value)
        for kind in mine
        if kind in channels
    }
    NotificationChoice.objects.filter(user=user, kind__in=wanted).delete()
    NotificationChoice.objects.bulk_create(
        [
            NotificationChoice(user=user, kind=kind, is_in_app=chosen.is_in_app, email=chosen.email)
            for kind, chosen in wanted.items()
            if chosen != Channels.default_of(kind)
        ]
    )
    off = [kind for kind, chosen in wanted.items() if not chosen.email]
    Notification.objects.filter(user=user, kind__in=off, email_due_at__isnull=False).update(email_due_at=None)
    schedule.user = user
    schedule.save()


@transaction.atomic
def reset_settings(*, user: User) -> None:
    """Go back to the defaults of every kind and of the schedule."""
    NotificationChoice.objects.filter(user=user).delete()
    NotificationSchedule.objects.filter(user=user).delete()
