"""Rates quoted to a client: for one amount, for half a minute, to be used once.

A fresh mid rate less the brand's markup, rounded down to the target's smallest unit (`wallet.ledger.fx_position`);
never of an earlier day than a rate that was quoted for the two currencies before, and within the brand's limits.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock_or_none
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.models import Actor, Brand
from crm.money.amounts import Money, to_minor
from crm.rates import fx
from crm.security.policies import require
from wallet.choices.transfers import Direction, QuoteFor, TransferState
from wallet.core.amounts import minor_of
from wallet.core.limits import in_base, limit
from wallet.ledger.fx_position import Conversion, convert_now
from wallet.models import Quote
from wallet.transfers import policies

DAY = dt.timedelta(days=1)


class QuoteExpired(WrongState):
    """The quoted rate has expired."""

    code = "quote_expired"


@transaction.atomic
def ask_quote(
    *,
    client_id: int,
    given: str,
    got: str,
    amount: Decimal,
    actor: Actor,
    purpose: QuoteFor = QuoteFor.EXCHANGE,
    trading_account_id: int | None = None,
) -> Quote:
    """Quote what `amount` in the currency `given` is worth in the currency `got`. Who: the client.

    Raises: NotAllowed, DomainError (amount, no fresh rate, too little or too much to exchange).
    """
    client = Client.objects.select_related("brand").get(pk=client_id)
    require(policies.can_transfer(actor, client, to_trading=purpose == QuoteFor.TO_TRADING))
    if given == got:
        raise DomainError(_("Choose two different currencies."))
    conversion = conversion_now(client.brand, minor_of(amount, given), given, got)
    now = timezone.now()
    base_minor = _within_limits(client, amount, given, got)
    _require_newest(conversion)
    return Quote.objects.create(
        client=client,
        brand=client.brand,
        purpose=purpose,
        trading_account_id=trading_account_id,
        given_minor=conversion.given_minor,
        given_currency=given,
        got_minor=conversion.got_minor,
        got_currency=got,
        rate=conversion.rate,
        rate_on=conversion.rate_on,
        created_at=now,
        base_minor=base_minor,
        markup_basis_points=conversion.markup_basis_points,
        expires_at=now + dt.timedelta(seconds=limit(client.brand, "fx_quote_seconds")),
    )


def conversion_now(brand: Brand, minor: int, given: str, got: str) -> Conversion:
    """Convert today under the brand's policy. Raises DomainError with a sentence for the client."""
    try:
        conversion = convert_now(brand, minor, given, got)
    except fx.NoRate as error:
        raise _no_rate(given, got) from error
    if conversion.got_minor <= 0:
        raise DomainError(_("This amount is too small to exchange. Enter a larger amount."))
    return conversion


def _no_rate(given: str, got: str) -> DomainError:
    words = _("There is no current exchange rate between %(given)s and %(got)s. Please try again later.")
    return DomainError(words % {"given": given, "got": got}, code="no_fx_rate")


def _require_newest(conversion: Conversion) -> None:
    """Refuse a rate of an earlier day than one that was quoted already (also a trigger)."""
    given, got = conversion.given_currency, conversion.got_currency
    pairs = Q(given_currency=given, got_currency=got) | Q(given_currency=got, got_currency=given)
    if Quote.objects.filter(pairs, rate_on__gt=conversion.rate_on).exists():
        raise _no_rate(given, got)


def _within_limits(client: Client, amount: Decimal, given: str, got: str) -> int | None:
    """Convert the amount into minor units of the base currency, within the limit of one exchange.

    None for one money in wholes and hundredths. Raises: DomainError above the limit, or without a rate.
    """
    if fx.is_same_money(given, got):
        return None
    try:
        base = in_base(client.brand, amount, given)
    except fx.NoRate as error:
        raise _no_rate(given, got) from error
    minor, most = to_minor(base, client.brand.base_currency), limit(client.brand, "fx_exchange_max_minor")
    if minor > most:
        raise DomainError(
            _("You can exchange up to %(most)s at a time. Enter a smaller amount.") % {"most": _in_base(client, most)}
        )
    return minor


def _require_daily_limit(client: Client, quote: Quote) -> None:
    """Refuse more than a client may exchange within 24 hours; what failed doesn't count. The client is locked."""
    most = limit(client.brand, "fx_exchange_per_day_minor")
    used = Quote.objects.filter(
        Q(exchange__isnull=False) | Q(transfer__isnull=False) & ~Q(transfer__state=TransferState.FAILED),
        client=client,
        created_at__gt=timezone.now() - DAY,
    ).aggregate(total=Sum("base_minor", default=0))["total"]
    if quote.base_minor is not None and used + quote.base_minor > most:
        raise DomainError(
            _("You can exchange up to %(most)s within 24 hours. You have %(left)s left.")
            % {"most": _in_base(client, most), "left": _in_base(client, max(0, most - used))}
        )


def _in_base(client: Client, minor: int) -> str:
    return formats.money(Money.of_minor(minor, client.brand.base_currency))


def use_quote(
    *, client: Client, quote_id: int, purpose: QuoteFor | Direction, trading_account_id: int | None = None
) -> Quote:
    """Lock a quote that may be used now for this purpose. The row that uses it makes it unique. The client is locked.

    Raises: DomainError (another client's, another purpose, above the daily limit), QuoteExpired, WrongState (used
    already).
    """
    quote = lock_or_none(Quote.objects.filter(client=client), quote_id)
    if quote is None or (quote.purpose, quote.trading_account_id) != (str(purpose), trading_account_id):
        raise DomainError(_("This rate is for a different exchange. Request a new one."))
    if hasattr(quote, "exchange") or hasattr(quote, "transfer"):
        raise WrongState(_("This rate has already been used."))
    if timezone.now() > quote.expires_at:
        raise QuoteExpired(_("This rate has expired. Here is a new one."))
    _require_daily_limit(client, quote)
    return quote


def conversion_of(quote: Quote) -> Conversion:
    """Return the conversion that a quote promised."""
    return Conversion(
        quote.given_minor,
        quote.given_currency,
        quote.got_minor,
        quote.got_currency,
        quote.rate,
        quote.rate_on,
        quote.markup_basis_points,
    )
