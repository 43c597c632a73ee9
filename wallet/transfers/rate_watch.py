"""Fetches exchange rates from their feeds, and raises an alarm when a feed stops.

The alarm comes while the last rates may still be quoted: a feed is stale as soon as rates of a bank day are missing
that must be published by now, or when it was not reached for a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from crm.i18n.localized_text import joined, phrase
from crm.models import FxFeed, FxRate
from crm.money.bank_days import bank_days_after, last_published
from crm.notices.notify import notify, people_with
from crm.rates import feeds as fx_feeds
from crm.rates import fx
from wallet.choices.notices import WalletNotice

UNREACHED_MAX = dt.timedelta(days=1)
# Some forty currencies: the ECB's, stablecoins, and whatever else a feed has.
RATES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class CurrentRate:
    """The newest rate of a currency, its age in bank days, and whether it may be quoted at `bank_days_max`."""

    row: FxRate
    age: int
    is_fresh: bool


def refresh() -> int:
    """Ask every feed, then notify finance of those that are stale; once a day for each."""
    count = fx_feeds.fetch_all()
    for feed in stale_feeds():
        _notify(feed)
    return count


def stale_feeds() -> list[FxFeed]:
    """List the feeds that are stale."""
    return [feed for feed in feeds() if is_stale(feed)]


def feeds() -> list[FxFeed]:
    """List the feeds that the settings name, in their order; one that was never asked has no row yet."""
    names = [fx_feeds.name_of(address) for address in settings.FX_FEEDS]
    return sorted(FxFeed.objects.filter(name__in=names), key=lambda feed: names.index(feed.name))


def is_stale(feed: FxFeed) -> bool:
    """Tell whether a feed misses a published bank day, or was not reached for a day."""
    now = timezone.now()
    if feed.succeeded_at is None or now - feed.succeeded_at > UNREACHED_MAX:
        return True
    return feed.latest_on is not None and feed.latest_on < last_published(now)


def current_rates(*, bank_days_max: int = 1) -> list[CurrentRate]:
    """List the newest rate of each currency, those that can't be quoted first."""
    now = timezone.now()
    newest = FxRate.objects.filter(on__lte=now.date()).order_by("currency", F("on").desc()).distinct("currency")
    rows = [
        CurrentRate(
            row,
            bank_days_after(row.on, now.date()),
            fx.Rate("EUR", row.currency, row.rate, row.on, row.loaded_at).is_fresh(
                now=now, bank_days_max=bank_days_max
            ),
        )
        for row in newest[:RATES_SHOWN]
    ]
    return sorted(rows, key=lambda rate: (rate.is_fresh, rate.row.currency))


def _notify(feed: FxFeed) -> None:
    latest = feed.latest_on
    notify(
        people_with("wallet.post_manual_journal"),
        kind=WalletNotice.RATES_STALE,
        title=phrase("Exchange rates from %(feed)s are out of date") % {"feed": feed.name},
        body=joined(
            [
                phrase("The latest rates are from %(day)s. Currency exchange stops once they are too old.")
                % {"day": latest or "–"},
                feed.error,
            ],
            " ",
        ),
        url="/money/rates/",
        dedupe_key=f"wallet.rates_stale:{feed.name}:{timezone.now():%Y-%m-%d}",
    )
