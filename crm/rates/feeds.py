"""Where rates come from: the ECB's feed at its address or as a file, and whatever else an app registers.

`KEELSON_FX_FEEDS` names them in order, e.g. `https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml`, `/srv/prices.xml`
(a file of the same form, for instance with prices of stablecoins). `sandbox:` is the feed of the sandbox. A currency belongs to
the first feed that gave it lately: a later one can't overwrite it. A fiat rate of a day never changes; a crypto-asset's price is
that of the last fetch.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import ParseError

import httpx
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.models import FxFeed, FxRate
from crm.outside import outbound
from crm.rates import fx

BYTES_MAX: Final = 2 * 1024 * 1024
ROWS_MAX: Final = 20_000
BOUNDS: Final = outbound.Bounds(bytes_max=BYTES_MAX, seconds=30, timeout=httpx.Timeout(10, connect=3))
ECB_DAILY: Final = "/stats/eurofxref/eurofxref-hist-90d.xml"
# Against a slipped comma: a rate this many times the last one, or this part of it, is not believed.
JUMP_MAX: Final = Decimal("1.5")
KNOWN_FOR: Final = dt.timedelta(days=10)


class FeedError(Exception):
    """A feed that can't be read; its words are for the page of rates."""


@dataclass(frozen=True, slots=True)
class Published:
    """1 EUR = `rate` units of `currency` on day `on`."""

    on: dt.date
    currency: str
    rate: Decimal


Reader = Callable[[str], list[Published]]
READERS: dict[str, Reader] = {}
"""By the scheme of a feed's address: what reads it. Raises FeedError, OSError, httpx.HTTPError."""


def reader(*schemes: str) -> Callable[[Reader], Reader]:
    """Register what reads feeds of these schemes: a PSP's or a trading platform's own quotes, say."""

    def register(read: Reader) -> Reader:
        READERS.update(dict.fromkeys(schemes, read))
        return read

    return register


def name_of(address: str) -> str:
    """Name a feed for pages and rates: the ECB, a host, a file; never with its query, which may hold a key."""
    parts = urlsplit(address)
    if parts.scheme == "sandbox":
        return "Sandbox"
    if parts.scheme in ("http", "https"):
        return "ECB" if (parts.hostname or "").endswith("ecb.europa.eu") else (parts.hostname or "")[:40]
    if parts.scheme == "platform":  # its symbols are no part of its name
        return unquote(parts.path).partition("/")[0][:40]
    return f"{parts.scheme}:{parts.path}"[:40] if parts.scheme else Path(address).name[:40]


def fetch_all() -> int:
    """Ask every feed; what one does wrong is kept with it and stops no other. Returns how many rates are new or renewed."""
    done = 0
    for address in settings.FX_FEEDS:
        done += fetch(address)
    return done


def fetch(address: str) -> int:
    """Ask one feed and keep what it gives."""
    name, now = name_of(address), timezone.now()
    feed = FxFeed.objects.filter(name=name).first() or FxFeed(name=name)
    feed.checked_at, count = now, 0
    try:
        read = READERS.get(urlsplit(address).scheme)
        if read is None:
            raise FeedError("This address isn't a supported rate feed.")
        rows = list(read(address))
        count, feed.error = keep(rows, name=name, now=now)
        feed.succeeded_at = now
        feed.latest_on = max((row.on for row in rows if row.currency not in fx.CRYPTO), default=feed.latest_on)
    except (FeedError, OSError, httpx.HTTPError) as error:
        feed.error = (str(error) or type(error).__name__)[:300]
    feed.save()
    return count


@transaction.atomic
def keep(rows: list[Published], *, name: str, now: dt.datetime) -> tuple[int, str]:
    """Store what is new and believable. Returns how many, and what was not believed."""
    since = now.date() - KNOWN_FOR
    lately = FxRate.objects.filter(on__gte=since).order_by("currency", "-on").distinct("currency")
    known = {row.currency: row for row in lately}
    believed, doubted = [], set()
    for row in rows:
        last = known.get(row.currency)
        if last is not None and last.source != name and last.source in _names():
            continue
        if last is not None and not last.rate / JUMP_MAX <= row.rate <= last.rate * JUMP_MAX:
            doubted.add(row.currency)
            continue
        believed.append(FxRate(on=row.on, currency=row.currency, rate=row.rate, source=name, loaded_at=now))
    fiat = [row for row in believed if row.currency not in fx.CRYPTO]
    crypto = [row for row in believed if row.currency in fx.CRYPTO and row.on == now.date()]
    there = set(FxRate.objects.filter(_of(fiat)).values_list("currency", "on")) if fiat else set()
    new = [row for row in fiat if (row.currency, row.on) not in there]
    FxRate.objects.bulk_create(new, ignore_conflicts=True)
    FxRate.objects.bulk_create(
        crypto, update_conflicts=True, unique_fields=["currency", "on"], update_fields=["rate", "source", "loaded_at"]
    )
    problem = f"Not believed, too far from the last rate: {', '.join(sorted(doubted))}" if doubted else ""
    return len(new) + len(crypto), problem[:300]


def _of(rows: list[FxRate]) -> Q:
    return Q(currency__in={row.currency for row in rows}, on__in={row.on for row in rows})


def _names() -> set[str]:
    return {name_of(address) for address in settings.FX_FEEDS}


# ── the ECB's form ──────────────────────────────────────────────────────────────────────────────────────────────────


@reader("", "file")
def read_file(address: str) -> list[Published]:
    """Read the rates of a file."""
    path = Path(urlsplit(address).path)
    with path.open("rb") as file:
        return parse(file.read(BYTES_MAX + 1))


@reader("https", "http")
def read_address(address: str) -> list[Published]:
    """Fetch the rates of an address. Raises: FeedError for another status or a body that is too large."""
    try:
        response = outbound.request("GET", address, bounds=BOUNDS)
    except outbound.AnswerTooLarge as error:
        raise FeedError("The feed is too large.") from error
    if response.status_code != httpx.codes.OK:
        raise FeedError(f"The feed answered with status {response.status_code}.")
    return parse(response.content)


@reader("sandbox")
def read_sandbox(_address: str) -> list[Published]:
    """Fetch the rates that the sandbox publishes in the ECB's format."""
    return read_address(settings.SANDBOX_PSP_URL.rstrip("/") + ECB_DAILY)


def parse(content: bytes) -> list[Published]:
    """Parse `<Cube time="2026-11-20"><Cube currency="USD" rate="1.0812"/>…`, of one day or many.

    https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates
    Raises: FeedError, when it is too large, cut off, or says anything that is no rate.
    """
    if len(content) > BYTES_MAX:
        raise FeedError("The feed is too large.")
    rows: list[Published] = []
    on: dt.date | None = None
    latest = timezone.now().date()
    try:
        for _event, element in iterparse(io.BytesIO(content), events=("start",), forbid_dtd=True):
            if element.tag.rpartition("}")[2] != "Cube":
                continue
            if "time" in element.attrib:
                on = dt.date.fromisoformat(element.attrib["time"])
                if on > latest:
                    raise FeedError(f"The feed has rates for {on}, a future day.")
            elif "currency" in element.attrib:
                rows.append(_row(on, element.attrib))
                if len(rows) > ROWS_MAX:
                    raise FeedError("The feed has too many rates.")
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FeedError(f"The feed can't be read: {error}"[:300]) from error
    if not rows:
        raise FeedError("The feed has no rates.")
    return rows


def _row(on: dt.date | None, attributes: dict[str, str]) -> Published:
    currency, text = attributes["currency"], attributes.get("rate", "")
    whole, _point, parts = text.partition(".")
    digits = whole + parts
    if on is None or not (currency.isascii() and currency.isalpha() and currency.isupper() and 3 <= len(currency) <= 5):
        raise ValueError(f"{currency[:10]} isn't a currency with a day")
    if not (digits.isascii() and digits.isdigit() and 0 < len(whole) <= 10 and len(parts) <= 12):
        raise ValueError(f"{text[:20]} is no rate")
    rate = Decimal(text).quantize(Decimal("1e-12"))
    if not rate:
        raise ValueError(f"{text[:20]} is no rate")
    return Published(on, currency, rate)
