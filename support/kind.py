"""Tickets as work: a queue with claims, assignment and the clock of the resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from clients.models import Client
from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock, lock_all
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import Actor, Brand
from crm.security.policies import Decision
from support import policies
from support.brand_policies import RESOLUTION_HOURS
from support.choices import WITH_US
from support.clock.service_levels import follow_priority
from support.models import Ticket
from support.queries import tickets_visible_to

SOLVED: Final = "solved"


class TicketWork(work.WorkKind[Ticket]):
    """The queue of tickets. A claim keeps colleagues out; replying needs none."""

    model = Ticket
    code, label = "support.ticket", gettext_lazy("Tickets")
    right = policies.WORKS
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {SOLVED: work.Outcome(gettext_lazy("Solved"))}
    hours = RESOLUTION_HOURS[WorkPriority.NORMAL]
    needs_claim = False
    by_client = False
    queue_url = "tickets"

    def hours_for(self, brand: Brand, priority: int) -> int:
        return RESOLUTION_HOURS[priority].of(brand)

    def hold_subjects(self, item_ids: Sequence[int]) -> None:
        rows = list(Ticket.objects.filter(work__in=item_ids).values_list("pk", "client_id"))
        lock_all(Client, pks={client_id for _pk, client_id in rows}, no_key=True)
        lock_all(Ticket, pks=[pk for pk, _client_id in rows])

    def reprioritized(self, item_ids: Sequence[int], before: Mapping[int, int]) -> None:
        for ticket in self.rows().filter(work__in=item_ids).select_related("work", "client__brand"):
            follow_priority(ticket, before[ticket.work_id])

    def visible_to(self, user: Actor) -> QuerySet[Ticket]:
        return tickets_visible_to(user)

    def offered(self, user: Actor) -> QuerySet[Ticket]:
        return self.visible_to(user).filter(state__in=WITH_US)

    def may_work(self, user: Actor, subject: Ticket) -> Decision:
        return policies.can_work(user, subject.client)

    def rows(self) -> QuerySet[Ticket]:
        return Ticket.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> Ticket:
        return locked(subject_id)

    def title(self, subject: Ticket) -> LocalizedText:
        return joined([f"#{subject.number}", str(subject.client), subject.subject])


TICKETS: Final = work.register(TicketWork)


def locked(ticket_id: int) -> Ticket:
    """Lock a ticket and, before it, its client. Raises: NotFound."""
    client_id = Ticket.objects.filter(pk=ticket_id).values_list("client_id", flat=True).first()
    client = lock(Client, client_id or 0, "brand", "book", no_key=True)
    ticket = lock(Ticket, ticket_id, "work")
    ticket.client = client
    return ticket
