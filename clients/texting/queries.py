"""Reads of conversations by SMS and WhatsApp: each starts from what the person may see."""

from __future__ import annotations

from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from clients.messages.policies import ASSIGNS, LIFTS
from clients.models import TextEvent, TextFile, TextMessage, TextOptOut, TextThread
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.scope import reach_of


def text_threads_visible_to(user: User) -> QuerySet[TextThread]:
    """Select the conversations with clients in reach, and those of unknown numbers for who assigns them."""
    reached = Q(client__in=clients_visible_to(user))
    if user.has_perm(ASSIGNS):
        reached |= Q(client=None, brand__in=reach_of(user).whole_brands)
    return TextThread.objects.filter(reached)


def unknown_texts_visible_to(user: User) -> QuerySet[TextThread]:
    """Select the conversations of unknown numbers at the brands that the person reaches as a whole; none without the right."""
    if not user.has_perm(ASSIGNS):
        return TextThread.objects.none()
    return TextThread.objects.filter(client=None, brand__in=reach_of(user).whole_brands)


def text_messages_visible_to(user: User) -> QuerySet[TextMessage]:
    """Select the messages with clients in reach."""
    return TextMessage.objects.filter(thread__client__in=clients_visible_to(user))


def text_files_visible_to(user: User) -> QuerySet[TextFile]:
    """Select the files that came with messages which the person may read."""
    return TextFile.objects.filter(message__thread__in=text_threads_visible_to(user)).exclude(store_key="")


def text_events_visible_to(user: User) -> QuerySet[TextEvent]:
    """Select the webhooks of the brands that a person reaches as a whole, without their bodies."""
    rows = TextEvent.objects.filter(connection__brand__in=reach_of(user).whole_brands)
    return rows.defer("body_sealed", "connection__sealed_credentials")


def opt_outs_visible_to(user: User) -> QuerySet[TextOptOut]:
    """Select the opt-outs of the brands that the person reaches as a whole, with the conversation and its client's name."""
    if not user.has_perm(LIFTS):
        return TextOptOut.objects.none()
    threads = TextThread.objects.filter(
        brand=OuterRef("brand"), channel=OuterRef("channel"), number_mark=OuterRef("number_mark")
    )
    name = Concat("client__first_name", Value(" "), "client__last_name")
    return TextOptOut.objects.filter(brand__in=reach_of(user).whole_brands).annotate(
        thread=Subquery(threads.values("pk")[:1]),
        client_name=Subquery(threads.exclude(client=None).annotate(shown=name).values("shown")[:1]),
    )
