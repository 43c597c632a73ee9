"""Reads of threads and incoming e-mails: each starts from what the person may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from clients.messages.choices import IncomingState
from clients.messages.policies import ASSIGNS, LIFTS
from clients.models import IncomingMail, MailAttachment, MailThread, SentAttachment, Suppression
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.scope import reach_of


def threads_visible_to(user: User) -> QuerySet[MailThread]:
    """Select the threads with clients in reach."""
    return MailThread.objects.filter(client__in=clients_visible_to(user))


def unknown_visible_to(user: User) -> QuerySet[IncomingMail]:
    """Select the e-mails without a client at the brands that the person reaches as a whole; none without the right to assign."""
    if not user.has_perm(ASSIGNS):
        return IncomingMail.objects.none()
    rows = IncomingMail.objects.filter(brand__in=reach_of(user).whole_brands)
    return rows.filter(state__in=[IncomingState.UNASSIGNED, IncomingState.DISCARDED])


def mail_visible_to(user: User) -> QuerySet[IncomingMail]:
    """Select the e-mails of clients in reach, and those of unknown senders for who assigns them."""
    reached = Q(client__in=clients_visible_to(user))
    if user.has_perm(ASSIGNS):
        reached |= Q(client=None, brand__in=reach_of(user).whole_brands)
    return IncomingMail.objects.filter(reached)


def attachments_visible_to(user: User) -> QuerySet[MailAttachment]:
    """Select the files of those e-mails."""
    return MailAttachment.objects.filter(mail__in=mail_visible_to(user)).exclude(store_key="")


def sent_files_visible_to(user: User) -> QuerySet[SentAttachment]:
    """Select the files that were sent to clients in reach."""
    return SentAttachment.objects.filter(message__client__in=clients_visible_to(user))


def suppressions_visible_to(user: User) -> QuerySet[Suppression]:
    """Select the suppressed addresses of the brands that the person reaches as a whole."""
    if not user.has_perm(LIFTS):
        return Suppression.objects.none()
    return Suppression.objects.filter(brand__in=reach_of(user).whole_brands)
