"""What support does when something happened: a client's e-mail goes into its ticket."""

from crm.events import MailReceived, subscribe
from support.intake.mail_intake import take_mail


@subscribe(MailReceived)
def put_into_ticket(event: MailReceived) -> None:
    """Put an e-mail into the ticket of its thread, or open one where the brand says so."""
    if not event.is_automatic:
        take_mail(mail_id=event.mail_id)
