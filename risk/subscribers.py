"""What risk does when something happened elsewhere: clients are judged again."""

from __future__ import annotations

from crm.events import (
    DealsSynced,
    DepositFailed,
    DepositSettled,
    MailReceived,
    MarginLevelFell,
    TicketOpened,
    TicketReplied,
    TicketSolved,
    WithdrawalRefused,
    WithdrawalRequested,
    WithdrawalSettled,
    subscribe,
    subscribe_many,
)
from crm.events.bus import Event
from risk.retention import complaints
from risk.retention.cases import judge_clients


@subscribe_many(DealsSynced)
def judge_after_deals(events: list[DealsSynced]) -> None:
    """Judge the clients of new deals, many together."""
    ids = {client_id for event in events for client_id in event.client_ids}
    if ids:
        judge_clients(sorted(ids))


@subscribe_many(
    DepositFailed,
    DepositSettled,
    MarginLevelFell,
    TicketSolved,
    WithdrawalRefused,
    WithdrawalRequested,
    WithdrawalSettled,
)
def judge_after_event(events: list[Event]) -> None:
    """Judge the clients whom something happened to."""
    judge_clients(sorted({event.client_id for event in events if event.client_id is not None}))


@subscribe(TicketOpened, TicketReplied)
def judge_after_ticket(event: TicketOpened | TicketReplied) -> None:
    """Look for words of a complaint in what the client wrote, then judge them."""
    if event.client_id is None:
        return
    if isinstance(event, TicketOpened) or event.is_from_client:
        complaints.look_into_ticket(event.ticket_id)
    judge_clients([event.client_id])


@subscribe(MailReceived)
def judge_after_mail(event: MailReceived) -> None:
    """Look for words of a complaint in a client's e-mail, then judge them."""
    if event.client_id is not None and not event.is_automatic and complaints.look_into_mail(event.mail_id):
        judge_clients([event.client_id])
