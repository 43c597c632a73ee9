"""Rates promised to a client: for one amount, for half a minute, to be used once.

The reference rate of the day, less the brand's markup, rounded down to the target's smallest unit (`wallet.exchange`).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import fx
from crm.errors import DomainError, WrongState
from crm.policies import require
from wallet import policies
from wallet.amounts import minor_of
from wallet.choices import Direction, QuoteFor
from wallet.exchange import Conversion, convert_minor
from wallet.limits import limit
from wallet.models import Quote


class QuoteExpired(WrongState):
    """The promised rate does not hold any more."""

    code = "quote_expired"


@transaction.atomic
def ask_quote(
    *,
    client_id: int,
    given: str,
    got: str,
    amount: Decimal,
    actor: Any,
    purpose: QuoteFor = QuoteFor.EXCHANGE,
    trading_account_id: int | None = None,
) -> Quote:
    """Promise what `amount` in the currency `given` is worth in the currency `got`. Who: the client.

    Raises: NotAllowed, DomainError (amount, no rate for the day, too little to exchange).
    """
    client = Client.objects.select_related("brand").get(pk=client_id)
    require(policies.can_transfer(actor, client, to_trading=purpose == QuoteFor.TO_TRADING))
    if given == got:
        raise DomainError(_("Choose two different currencies."))
    conversion = conversion_now(client.brand, minor_of(amount, given), given, got)
    now = timezone.now()
    return Quote.objects.create(
        client=client, brand=client.brand, purpose=purpose, trading_account_id=trading_account_id,
        given_minor=conversion.given_minor, given_currency=given, got_minor=conversion.got_minor, got_currency=got,
        rate=conversion.rate, rate_on=conversion.rate_on, created_at=now,
        markup_basis_points=limit(client.brand, "fx_markup_basis_points"),
        expires_at=now + dt.timedelta(seconds=limit(client.brand, "fx_quote_seconds")),
    )  # fmt: skip


def conversion_now(brand: Any, minor: int, given: str, got: str) -> Conversion:
    """Today's conversion under the brand's policy. Raises DomainError in words for the client."""
    today = timezone.now().date()
    missing = _("There is no exchange rate between %(given)s and %(got)s today. Please try again later.") % {
        "given": given, "got": got,
    }  # fmt: skip
    try:
        conversion = convert_minor(
            minor, given, got, on=today, markup_basis_points=limit(brand, "fx_markup_basis_points")
        )
    except fx.NoRate as error:
        raise DomainError(missing, code="no_fx_rate") from error
    if (today - conversion.rate_on).days > limit(brand, "fx_rate_days_max"):
        raise DomainError(missing, code="no_fx_rate")
    if conversion.got_minor <= 0:
        raise DomainError(_("This is too little to exchange. Enter a larger amount."))
    return conversion


def use_quote(
    *, client: Client, quote_id: int, purpose: QuoteFor | Direction, trading_account_id: int | None = None
) -> Quote:
    """The quote, locked, if it may be used now for this. The row that uses it makes it unique.

    Raises: DomainError (another's, or for something else), QuoteExpired, WrongState (used already).
    """
    quote = Quote.objects.select_for_update().filter(pk=quote_id, client=client).first()
    if quote is None or (quote.purpose, quote.trading_account_id) != (str(purpose), trading_account_id):
        raise DomainError(_("This rate is not for what you are doing. Ask for a new one."))
    if hasattr(quote, "exchange") or hasattr(quote, "transfer"):
        raise WrongState(_("This rate was used already."))
    if timezone.now() > quote.expires_at:
        raise QuoteExpired(_("This rate has expired. Here is a new one."))
    return quote


def conversion_of(quote: Quote) -> Conversion:
    return Conversion(
        quote.given_minor, quote.given_currency, quote.got_minor, quote.got_currency, quote.rate, quote.rate_on
    )
