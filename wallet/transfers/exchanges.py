"""Currency exchange between two wallets of a client: at a quoted rate, booked at once through the FX position."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.errors import IdempotencyConflict
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.money.amounts import Money
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.ledger import JournalKind
from wallet.choices.transfers import QuoteFor
from wallet.core.references import new_reference
from wallet.ledger import posting
from wallet.ledger.fx_position import lines_of
from wallet.ledger.posting import Entry
from wallet.models import Exchange
from wallet.transfers import policies
from wallet.transfers.quotes import conversion_of, use_quote


@transaction.atomic
def exchange(*, client_id: int, quote_id: int, request_key: str, actor: Actor) -> Exchange:
    """Carry out a quote between two wallets. The same request_key with the same quote is the same exchange.

    Who: the client. Raises: NotAllowed, QuoteExpired, WrongState (used), InsufficientFunds, IdempotencyConflict.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_transfer(actor, client, to_trading=False))
    known = Exchange.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if known.quote_id != quote_id:
            raise IdempotencyConflict(_("This form was already submitted with different details. Start again."))
        return known
    quote = use_quote(client=client, quote_id=quote_id, purpose=QuoteFor.EXCHANGE)
    source, target = posting.wallet_of(client, quote.given_currency), posting.wallet_of(client, quote.got_currency)
    reference = new_reference("X")
    posted = posting.post(
        Entry(
            key=f"exchange:{reference}:post",
            kind=JournalKind.FX,
            brand_id=client.brand_id,
            lines=lines_of(conversion_of(quote), source=source, target=target),
            description=f"{reference} {quote.given_currency} → {quote.got_currency}",
            rate=quote.rate,
            rate_on=quote.rate_on,
        ),
        actor=actor,
    )
    done = Exchange.objects.create(
        client=client,
        brand=client.brand,
        wallet=source,
        target=target,
        quote=quote,
        journal_id=posted.journal_id,
        reference=reference,
        request_key=request_key,
        amount_minor=quote.given_minor,
        currency=quote.given_currency,
        got_minor=quote.got_minor,
        got_currency=quote.got_currency,
        requested_by=actor,
        created_at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action=WalletAction.EXCHANGED,
        target=done,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"reference": reference, "given": str(quote.given), "got": str(quote.got), "rate": str(quote.rate)},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.PAYMENT,
        body=reference,
        dedupe_key=f"exchange:{done.pk}",
        title=phrase("Exchanged %(given)s into %(got)s")
        % {
            "given": Money(quote.given.amount, quote.given_currency),
            "got": Money(quote.got.amount, quote.got_currency),
        },
        url=f"/money/exchanges/{done.pk}/",
        is_visible_to_client=True,
    )
    return done
